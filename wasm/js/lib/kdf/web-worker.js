import source from '../wasm/kdf-worker.js'

/** A worker from text, so that no bundler has to find a file. Throws where workers, or their URLs, are forbidden. */
export function spawn() {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url)
  return {
    postMessage: message => worker.postMessage(message),
    terminate: () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
    ref: () => worker.ref?.(),
    unref: () => worker.unref?.(),
    listen: (told, lost) => {
      worker.onmessage = ({ data }) => told(data)
      worker.onerror = event => {
        event.preventDefault?.()
        // A worker that is forbidden has neither.
        lost(event.error ?? new Error(event.message || 'the worker does not run'))
      }
      worker.onmessageerror = () => lost(new Error('an answer of the worker cannot be read'))
    },
  }
}

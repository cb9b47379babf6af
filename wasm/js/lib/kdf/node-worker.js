import { Worker as Thread } from 'node:worker_threads'
import source from '../wasm/kdf-worker.js'
import { spawn as spawnWeb } from './web-worker.js'

/** A worker from text: a thread in Node, a web worker where there are any (Deno, Bun). */
export function spawn() {
  if (typeof globalThis.Worker === 'function') return spawnWeb()
  // The flags of the process are for its own script.
  const thread = new Thread(source, { eval: true, execArgv: [] })
  return {
    postMessage: message => thread.postMessage(message),
    terminate: () => thread.terminate(),
    ref: () => thread.ref(),
    unref: () => thread.unref(),
    listen: (told, lost) => {
      thread.on('message', told)
      thread.on('error', lost)
      thread.on('exit', status => lost(new Error(`the thread has ended with status ${status}`)))
    },
  }
}

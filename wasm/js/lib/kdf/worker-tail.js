// Appended to `compute` to make the worker's whole text.
const port = typeof require === 'function' ? require('node:worker_threads').parentPort : self
let starting
const listen = async ({ data: { id, bytes, derivation } }) => {
  try {
    starting ??= WebAssembly.instantiate(bytes, {})
    const { instance } = await starting
    port.postMessage({ id, ...compute(instance.exports, derivation) })
  } catch (error) {
    starting = undefined
    port.postMessage({ id, code: 3, message: String(error) })
  }
}
if (port.on) port.on('message', data => listen({ data }))
else port.onmessage = listen

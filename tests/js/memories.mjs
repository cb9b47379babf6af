/** Calls `work` with the memories of the instances that it makes, in their order, which the package keeps to itself. */
export function withMemories(work) {
  const { Instance } = WebAssembly
  const memories = []
  WebAssembly.Instance = function (...args) {
    const instance = new Instance(...args)
    memories.push(instance.exports.memory)
    return instance
  }
  try {
    work(memories)
  } finally {
    WebAssembly.Instance = Instance
  }
}

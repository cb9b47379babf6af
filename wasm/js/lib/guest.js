// The one instance of the engine's module in this realm. After a trap it is replaced; what belonged to the old one is void.

import { Engine, entropy, initSync, __wbg_reset_state as reset } from './wasm/engine.js'
import { WaxsealError } from './errors.js'

let starting
let generation = 0
let broken = false

/** The module has stopped in the middle of a call: a defect, or no memory left. The call is refused, others go on. */
export class Trap extends Error {
  constructor(cause) {
    super('the engine stopped in the middle of a call', { cause })
    this.name = 'Trap'
  }
}

/** Makes the instance ready. `load` gives the compiled module; it is called again only if that has failed. */
export async function start(load) {
  starting ??= Promise.resolve(load()).then(module => initSync({ module }))
  try {
    await starting
  } catch (cause) {
    starting = undefined
    throw new WaxsealError('no_module', 'the WebAssembly module cannot be loaded here', { cause })
  }
}

/** Which instance is in force. Objects made under another number must not be used. */
export const instance = () => generation

/** Runs `work` in the instance. Throws `WaxsealError` for a caller's mistake and `Trap` for anything else. */
export function run(work) {
  try {
    if (broken) renew()
    return work()
  } catch (thrown) {
    if (Array.isArray(thrown)) throw new WaxsealError(thrown[0], thrown[1])
    broken = true
    generation++
    throw new Trap(thrown)
  }
}

function renew() {
  reset()
  broken = false
}

export { Engine, entropy }

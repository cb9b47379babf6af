// For everything else: the caller brings the modules.

import { demand, isCloudflare, isModule } from '../check.js'
import { WaxsealError } from '../errors.js'
import { Kdf } from '../kdf/kdf.js'
import { pause } from '../kdf/pause.js'
import { Waxseal as Driver } from '../waxseal.js'

let given
const modules = name => {
  demand(given, 'no_module', 'call `init` first')
  return given[name]
}
// On the edge a timer ends with the request that has set it: all that wait behind it would wait for ever.
const isEdge = isCloudflare() || typeof EdgeRuntime === 'string'
const shared = new Kdf({ module: () => modules('kdf'), pause: isEdge ? undefined : pause })
const platform = { engine: () => modules('engine'), kdf: () => shared }

/** Takes the modules, each as `WebAssembly.Module`, `Response`, bytes, or a promise of one. */
export async function init(sources) {
  const [engine, kdf] = await Promise.all([compiled(sources?.engine), compiled(sources?.kdf)])
  given = { engine, kdf }
}

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

async function compiled(source) {
  const found = await source
  if (isModule(found)) return found
  try {
    const bytes = typeof found?.arrayBuffer === 'function' ? await found.arrayBuffer() : found
    return await WebAssembly.compile(bytes)
  } catch (cause) {
    throw new WaxsealError('no_module', 'neither a module nor its bytes', { cause })
  }
}

export * from './api.js'

// For Node, Deno and Bun: the module lies beside the script, or in it when a bundler has moved it.

import { kdf } from '../kdf/entry-node.js'
import { Waxseal as Driver } from '../waxseal.js'
import { octets } from './octets.js'

const engine = () => octets(() => new URL('../wasm/engine.wasm', import.meta.url), () => import('../wasm/engine.inline.js'))
const platform = { engine: async () => WebAssembly.compile(await engine()), kdf: () => kdf }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

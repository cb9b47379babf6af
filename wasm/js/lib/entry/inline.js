// For browsers and everything unknown: the modules lie in the script itself, so no file has to be found.

import { kdf } from '../kdf/entry-inline.js'
import engine from '../wasm/engine.inline.js'
import { Waxseal as Driver } from '../waxseal.js'
import { inflate } from './inflate.js'

const platform = { engine: async () => WebAssembly.compile(await inflate(engine)), kdf: () => kdf }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

// For workerd, which compiles modules only while it loads the script.

import { Kdf } from '../kdf/kdf.js'
import engine from '../wasm/engine.wasm'
import kdf from '../wasm/kdf.wasm'
import { Waxseal as Driver } from '../waxseal.js'

const shared = new Kdf({ module: () => kdf })
const platform = { engine: () => engine, kdf: () => shared }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

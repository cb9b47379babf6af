// For workerd, which compiles modules only while it loads the script.

import { kdf } from '../kdf/entry-workerd.js'
import engine from '../wasm/engine.wasm'
import { Waxseal as Driver } from '../waxseal.js'

const platform = { engine: () => engine, kdf: () => kdf }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

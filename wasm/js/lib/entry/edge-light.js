// For the edge of Vercel and Next.js, which compiles modules only while it builds, and only what is asked for by `?module`.

import { kdf } from '../kdf/entry-edge-light.js'
import engine from '../wasm/engine.wasm?module'
import { Waxseal as Driver } from '../waxseal.js'

const platform = { engine: () => engine, kdf: () => kdf }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

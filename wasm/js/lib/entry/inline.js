// For browsers and everything unknown: the modules lie in the script itself, so no file has to be found.

import { Kdf } from '../kdf/kdf.js'
import { spawn } from '../kdf/web-worker.js'
import engine from '../wasm/engine.inline.js'
import kdf from '../wasm/kdf.inline.js'
import { Waxseal as Driver } from '../waxseal.js'
import { inflate } from './inflate.js'
import { once } from './once.js'

const bytes = once(() => inflate(kdf))
const shared = new Kdf({
  bytes,
  module: once(async () => WebAssembly.compile(await bytes())),
  // A service worker has none.
  spawn: typeof Worker === 'function' ? spawn : undefined,
})
const platform = { engine: async () => WebAssembly.compile(await inflate(engine)), kdf: () => shared }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

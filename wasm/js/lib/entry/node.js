// For Node, Deno and Bun: the module lies beside the script, or in it when a bundler has moved it.

import { readFile } from 'node:fs/promises'
import { kdf } from '../kdf/entry-node.js'
import { Waxseal as Driver } from '../waxseal.js'
import { inflate } from './inflate.js'

// A bundler may leave no `import.meta.url`, and using it then throws.
const beside = async () => readFile(new URL('../wasm/engine.wasm', import.meta.url))
const engine = () => beside().catch(async () => inflate((await import('../wasm/engine.inline.js')).default))
const platform = { engine: async () => WebAssembly.compile(await engine()), kdf: () => kdf }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

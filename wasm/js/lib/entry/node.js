// For Node, Deno and Bun: the modules lie beside the script, or in it when a bundler has moved it.

import { readFile } from 'node:fs/promises'
import { Kdf } from '../kdf/kdf.js'
import { spawn } from '../kdf/node-worker.js'
import { Waxseal as Driver } from '../waxseal.js'
import { inflate } from './inflate.js'
import { once } from './once.js'

const beside = name => readFile(new URL(name, import.meta.url))
const bytes = once(() => beside('../wasm/kdf.wasm').catch(async () => inflate((await import('../wasm/kdf.inline.js')).default)))
const engine = () => beside('../wasm/engine.wasm').catch(async () => inflate((await import('../wasm/engine.inline.js')).default))

const shared = new Kdf({ bytes, module: once(async () => WebAssembly.compile(await bytes())), spawn })
const platform = { engine: async () => WebAssembly.compile(await engine()), kdf: () => shared }

export class Waxseal extends Driver {
  constructor(options) {
    super(options, platform)
  }
}

export * from './api.js'

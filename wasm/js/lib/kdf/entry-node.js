import { readFile } from 'node:fs/promises'
import { inflate } from '../entry/inflate.js'
import { once } from '../entry/once.js'
import { Kdf } from './kdf.js'
import { pause } from './pause.js'
import { spawn } from './node-worker.js'

// A bundler may leave no `import.meta.url`, and using it then throws.
const beside = async () => readFile(new URL('../wasm/kdf.wasm', import.meta.url))
const bytes = once(() => beside().catch(async () => inflate((await import('../wasm/kdf.inline.js')).default)))

/** The derivations of this process, in one thread beside the main one. */
export const kdf = new Kdf({ bytes, module: once(async () => WebAssembly.compile(await bytes())), spawn, pause })
export { Kdf } from './kdf.js'

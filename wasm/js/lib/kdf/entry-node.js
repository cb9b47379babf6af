import { readFile } from 'node:fs/promises'
import { inflate } from '../entry/inflate.js'
import { once } from '../entry/once.js'
import { WorkerKdf } from './beside.js'
import { pause } from './pause.js'
import { spawn } from './node-worker.js'

// A bundler may leave no `import.meta.url`, and using it then throws.
const beside = async () => readFile(new URL('../wasm/kdf.wasm', import.meta.url))
const bytes = once(() => beside().catch(async () => inflate((await import('../wasm/kdf.inline.js')).default)))

/** The derivations of this process, in one thread beside the main one. */
export const kdf = new WorkerKdf({ bytes, module: once(async () => WebAssembly.compile(await bytes())), spawn, pause })
export { WorkerKdf as Kdf }

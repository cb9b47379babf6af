import { octets } from '../entry/octets.js'
import { once } from '../entry/once.js'
import { WorkerKdf } from './beside.js'
import { pause } from './pause.js'
import { spawn } from './node-worker.js'

const bytes = once(() => octets(() => new URL('../wasm/kdf.wasm', import.meta.url), () => import('../wasm/kdf.inline.js')))

/** The derivations of this process, in one thread beside the main one. */
export const kdf = new WorkerKdf({ bytes, module: once(async () => WebAssembly.compile(await bytes())), spawn, pause })
export { WorkerKdf as Kdf }

import text from '../wasm/kdf.inline.js'
import { inflate } from '../entry/inflate.js'
import { once } from '../entry/once.js'
import { WorkerKdf } from './beside.js'
import { pause } from './pause.js'
import { spawn } from './web-worker.js'

const bytes = once(() => inflate(text))

/** The derivations of this realm, in one worker. A service worker cannot have one and derives itself. */
export const kdf = new WorkerKdf({
  bytes,
  module: once(async () => WebAssembly.compile(await bytes())),
  spawn: typeof Worker === 'function' ? spawn : undefined,
  pause,
})
export { WorkerKdf as Kdf }

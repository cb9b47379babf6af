import module from '../wasm/kdf.wasm?module'
import { Kdf } from './kdf.js'

/** The derivations of this isolate, which has no workers. */
export const kdf = new Kdf({ module: () => module })
export { Kdf } from './kdf.js'

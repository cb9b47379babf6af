// For workerd, which compiles modules only while it loads the script.

import module from '../wasm/token.wasm'
import { over } from './tokens.js'

export const { createVerifier, createSigner } = over(() => module)
export { TokenError } from './error.js'

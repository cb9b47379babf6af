// For every platform that compiles modules from bytes.

import text from '../wasm/token.inline.js'
import { compiled } from './compiled.js'
import { over } from './tokens.js'

export const { createVerifier, createSigner } = over(() => compiled(text))
export { TokenError } from './error.js'

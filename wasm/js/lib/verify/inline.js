// For every platform that compiles modules from bytes.

import text from '../wasm/token.inline.js'
import { over } from './tokens.js'

export const { createVerifier, createSigner } = over(() => new WebAssembly.Module(Uint8Array.from(atob(text), char => char.charCodeAt(0))))
export { TokenError } from './error.js'

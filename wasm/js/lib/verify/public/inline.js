// For every platform that compiles modules from bytes.

import text from '../../wasm/edge.inline.js'
import { over } from './edge.js'

export const { createEdgeVerifier, createRemoteVerifier } = over(() => new WebAssembly.Module(Uint8Array.from(atob(text), char => char.charCodeAt(0))))
export { TokenError } from '../error.js'

// For every platform that compiles modules from bytes.

import text from '../../wasm/edge.inline.js'
import { compiled } from '../compiled.js'
import { over } from './edge.js'

export const { createEdgeVerifier, createRemoteVerifier } = over(() => compiled(text))
export { TokenError } from '../error.js'

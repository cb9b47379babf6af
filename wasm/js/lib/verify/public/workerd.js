// For workerd, which compiles modules only while it loads the script.

import module from '../../wasm/edge.wasm'
import { over } from './edge.js'

export const { createEdgeVerifier, createRemoteVerifier } = over(() => module)
export { TokenError } from '../error.js'

// For the edge of Vercel and Next.js, which compiles modules only while it builds, and only what is asked for by `?module`.

import module from '../../wasm/edge.wasm?module'
import { over } from './edge.js'

export const { createEdgeVerifier, createRemoteVerifier } = over(() => module)
export { TokenError } from '../error.js'

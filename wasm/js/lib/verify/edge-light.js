// For the edge of Vercel and Next.js, which compiles modules only while it builds, and only what is asked for by `?module`.

import module from '../wasm/token.wasm?module'
import { over } from './tokens.js'

export const { createVerifier, createSigner } = over(() => module)
export { TokenError } from './error.js'

// For everything else: the caller brings the module.

import { given } from '../given.js'
import { over } from './edge.js'

/** Both functions over `waxseal/edge.wasm`, compiled by the caller. */
export const withModule = module => over(given(module))

export { TokenError } from '../error.js'

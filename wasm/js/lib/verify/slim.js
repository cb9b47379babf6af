// For everything else: the caller brings the module.

import { TokenError } from './error.js'
import { over } from './tokens.js'

/** Both functions over `waxseal/token.wasm`, compiled by the caller. */
export function withModule(module) {
  if (!(module instanceof WebAssembly.Module)) throw new TokenError('no_module', 'this is no WebAssembly.Module')
  return over(() => module)
}

export { TokenError } from './error.js'

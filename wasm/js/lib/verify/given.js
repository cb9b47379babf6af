import { TokenError } from './error.js'

/** The module that a caller has compiled. */
export function given(module) {
  if (!(module instanceof WebAssembly.Module)) throw new TokenError('no_module', 'this is no WebAssembly.Module')
  return () => module
}

import { isModule } from '../check.js'
import { demand } from './options.js'

/** The module that a caller has compiled. */
export function given(module) {
  demand(isModule(module), 'no_module', 'this is no WebAssembly.Module')
  return () => module
}

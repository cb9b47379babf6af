import { TokenError } from './error.js'

/** The module in `text`, as base64. */
export function compiled(text) {
  try {
    return new WebAssembly.Module(Uint8Array.from(atob(text), char => char.charCodeAt(0)))
  } catch (cause) {
    throw new TokenError('no_module', 'no module can be compiled here; see `waxseal/verify/slim`', { cause })
  }
}

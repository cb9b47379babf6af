import type { createSigner, createVerifier } from './index.js'

/** Both functions over `waxseal/token.wasm`, compiled by the caller. */
export function withModule(module: WebAssembly.Module): { createVerifier: typeof createVerifier; createSigner: typeof createSigner }

export { TokenError } from './index.js'
export type { Algorithm, Claims, JsonWebKeyInput, KeyInput, OptionCode, SignerOptions, TokenCode, VerifierOptions } from './index.js'

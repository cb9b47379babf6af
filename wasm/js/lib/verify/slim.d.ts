import type { createSigner, createVerifier } from './index.js'

/** `WebAssembly.Module`, where the types of the platform have it. */
type Module = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object

/** Both functions over `waxseal/token.wasm`, compiled by the caller. */
export function withModule(module: Module): { createVerifier: typeof createVerifier; createSigner: typeof createSigner }

export { TokenError } from './index.js'
export type { Algorithm, Claims, ExportedJsonWebKey, JsonWebKeyInput, KeyInput, Keys, OptionCode, SignerOptions, TokenCode, VerifierOptions } from './index.js'

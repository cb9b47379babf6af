import type { createEdgeVerifier, createRemoteVerifier } from './index.js'

/** `WebAssembly.Module`, where the types of the platform have it. */
type Module = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object

/** Both functions over `waxseal/edge.wasm`, compiled by the caller. */
export function withModule(module: Module): { createEdgeVerifier: typeof createEdgeVerifier; createRemoteVerifier: typeof createRemoteVerifier }

export { TokenError } from './index.js'
export type {
  Algorithm, Claims, EdgeVerifier, EdgeVerifierOptions, Expectations, ExportedJsonWebKey, OptionCode, PublicJsonWebKey, PublicKeys, ReadingCode,
  RemoteVerifier, RemoteVerifierOptions, Snapshot, SnapshotCode, TokenCode,
} from './index.js'

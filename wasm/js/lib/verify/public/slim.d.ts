import type { createEdgeVerifier, createRemoteVerifier } from './index.js'

/** Both functions over `waxseal/edge.wasm`, compiled by the caller. */
export function withModule(module: WebAssembly.Module): { createEdgeVerifier: typeof createEdgeVerifier; createRemoteVerifier: typeof createRemoteVerifier }

export { TokenError } from './index.js'
export type {
  Algorithm, Claims, EdgeVerifier, EdgeVerifierOptions, Expectations, OptionCode, PublicJsonWebKey, PublicKeys, ReadingCode, RemoteVerifier,
  RemoteVerifierOptions, Snapshot, SnapshotCode, TokenCode,
} from './index.js'

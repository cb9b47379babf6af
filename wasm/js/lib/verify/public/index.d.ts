import type { Claims, ExportedJsonWebKey, TokenError } from '../index.js'

export { TokenError } from '../index.js'
export type { OptionCode, PublicTokenCode as TokenCode, ReadingCode, SnapshotCode } from '../codes.js'
export type { Claims, ExportedJsonWebKey } from '../index.js'

/** A public key as a JSON web key (RFC 7517): `kty` `OKP` with `crv` `Ed25519`, or `EC` with `P-256`. It is for the one algorithm that `alg` names. */
export interface PublicJsonWebKey {
  kty: string
  crv?: string
  x?: string
  y?: string
  kid?: string
  alg?: string
  use?: string
  key_ops?: string[]
  [member: string]: unknown
}

/** A JWK set, as an object or as the text that was fetched; a list of keys, or one. */
export type PublicKeys = { keys: readonly PublicKey[] } | readonly PublicKey[] | PublicKey | string
type PublicKey = PublicJsonWebKey | ExportedJsonWebKey

export type Algorithm = 'EdDSA' | 'Ed25519' | 'ES256'

/** What is expected of every token. */
export interface Expectations {
  /** `iss` of tokens and of snapshots, compared octet for octet. */
  issuer: string
  /** What `aud` must contain. Without it, a token that names an audience is refused. */
  audience?: string
  /** Seconds by which times may be off: 0 to 60, 0 by default. */
  leeway?: number
  /** `typ` of the header, `JWT` by default. */
  typ?: string
  /** Which algorithms are accepted; all three by default. A key is only ever good for its own. */
  algorithms?: readonly Algorithm[]
  /**
   * What becomes of tokens when there is no revocation snapshot, or one that is too old to go by: they are refused (the default), or
   * decided by what is known.
   */
  stale?: 'refuse' | 'accept'
  /** Tells the time in milliseconds since the epoch. */
  clock?: (() => number) | { now(): number }
}

export interface EdgeVerifierOptions extends Expectations {
  /** The keys of the issuer. A secret is refused, as whoever has it could make snapshots, too. */
  keys: PublicKeys
}

/** A revocation snapshot that the verifier has taken. */
export interface Snapshot {
  /** A later snapshot has a higher one. */
  readonly number: number
  /** When it is too old to go by: milliseconds since the epoch, leeway not counted. */
  readonly expires: number
}

/** Checks tokens with public keys and the newest revocation snapshot that it was given. */
export interface EdgeVerifier {
  /** The claims of a valid token; throws a {@link TokenError} for any other. */
  verify<C extends object = Claims>(token: string): C & Claims
  /** Replaces the keys. The snapshot stays, and tokens are checked with those of the new keys that it names. */
  setKeys(keys: PublicKeys): void
  /**
   * Takes a revocation snapshot if it is good and newer than the one at hand; otherwise throws a {@link TokenError} and keeps the one at
   * hand. A key that the previous snapshot names and the new one does not is gone for good.
   */
  take(snapshot: string): Snapshot
  /** The snapshot at hand. */
  readonly held: Snapshot | undefined
}

/** Makes a verifier that needs no network: it knows only what it was given. It follows the server's rules: same verdicts, same codes. */
export function createEdgeVerifier(options: EdgeVerifierOptions): EdgeVerifier

export interface RemoteVerifierOptions extends Expectations {
  /**
   * Where the issuer is: `/.well-known/jwks.json` and `/auth/revocations` are read below it. Must be `https:`, unless it is this machine
   * or `fetch` is your own.
   */
  origin: string
  /** The function that fetches; the platform's by default. It must not follow redirects. */
  fetch?: (url: string, init: { headers: Record<string, string>; redirect: 'manual'; signal: AbortSignal }) => Promise<Response>
  /** Seconds after which the keys are read again; 300 by default. */
  keysEvery?: number
  /**
   * Seconds after which another revocation snapshot is read; 30 by default. It may take this long plus the server’s
   * `gateway.revocations_every` (5 by default) until a revocation is seen.
   */
  revocationsEvery?: number
  /** Seconds that an answer may take, body included; 5 by default. */
  timeout?: number
  /** Called for each reading that failed. */
  onError?: (error: TokenError) => void
}

/** An {@link EdgeVerifier} that reads keys and snapshots itself. */
export interface RemoteVerifier {
  /**
   * The claims of a valid token; rejects with a {@link TokenError} for any other. When keys or snapshot are due to be read, the first
   * caller waits for that, and the others go by what is at hand, as long as the snapshot is not too old.
   */
  verify<C extends object = Claims>(token: string): Promise<C & Claims>
  /** Reads both anew, even if a reading is already under way; rejects with the reason if one of them could not be read or is not taken. */
  refresh(): Promise<void>
  /** The snapshot at hand. */
  readonly held: Snapshot | undefined
}

/** Makes a verifier that reads keys and revocation snapshots from their issuer. Nothing is fetched before the first call. */
export function createRemoteVerifier(options: RemoteVerifierOptions): RemoteVerifier

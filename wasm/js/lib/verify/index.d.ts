import type { ReadingCode, SnapshotCode, TokenCode as PublicTokenCode } from './public/index.js'

/** Claims that every accepted token has or may have; give your own with `verify<MyClaims>(token)`. */
export interface Claims {
  iss: string
  sub: string
  exp: number
  aud?: string | string[]
  nbf?: number
  iat?: number
  jti?: string
  [claim: string]: unknown
}

/**
 * A secret, as text (taken as UTF-8) or octets, or a JSON web key with `kty` `oct`. What is a key in PEM, as JSON or, public, in DER is
 * refused as text and octets: anybody could sign with what is published.
 */
export type KeyInput = string | Uint8Array | ArrayBuffer | JsonWebKeyInput | ExportedJsonWebKey

export interface JsonWebKeyInput {
  kty: string
  k?: string
  kid?: string
  alg?: string
  use?: string
  key_ops?: string[]
  [member: string]: unknown
}

/** A JSON web key as `crypto.subtle.exportKey` gives it. It needs an `alg`. */
export interface ExportedJsonWebKey {
  kty?: string
  alg?: string
  k?: string
  crv?: string
  x?: string
  y?: string
  use?: string
  key_ops?: string[]
  ext?: boolean
}

export type Algorithm = 'HS256' | 'HS384' | 'HS512'

export interface VerifierOptions {
  /** The one key. A bare secret is for one algorithm: that of `algorithms`, HS256 if not given. */
  key?: KeyInput
  /** Or a set of keys: a token's `kid` picks one. A JWK set as an object, or a list. */
  keys?: { keys: (JsonWebKeyInput | ExportedJsonWebKey)[] } | KeyInput[]
  /** The name by which tokens pick a bare `key`. */
  kid?: string
  /** Which algorithms are accepted; all three by default. A key is only ever good for its own. */
  algorithms?: Algorithm[]
  /** `iss`, compared octet for octet. */
  issuer: string
  /** What `aud` must contain. Without it, a token that names an audience is refused. */
  audience?: string
  /** Seconds by which times may be off: 0 to 60, 0 by default. */
  leeway?: number
  /** `typ` of the header, `JWT` by default. */
  typ?: string
  /**
   * Which tokens are revoked: their `jti`, or a function of the claims. A token without `jti` is then refused. Promises are not accepted as
   * answers. Whatever has a `has`, such as a Set or Map, is asked each time; a list is copied at the beginning, and what is added to it
   * later is not seen.
   */
  revoked?: Iterable<string> | { has(jti: string): boolean } | ((claims: Claims) => boolean)
  /** Tells the time in milliseconds since the epoch. */
  clock?: (() => number) | { now(): number }
}

/**
 * Makes a function that checks tokens, synchronously, by the rules of the server: same verdicts, same codes. It returns the claims of a
 * valid token and throws a {@link TokenError} for any other.
 */
export function createVerifier(options: VerifierOptions): <C extends object = Claims>(token: string) => C & Claims

export interface SignerOptions {
  /** The key that signs. */
  key?: KeyInput
  /** Or a set, of which the first usable key signs. */
  keys?: { keys: (JsonWebKeyInput | ExportedJsonWebKey)[] } | KeyInput[]
  /** `kid` of the header, for a bare `key`. */
  kid?: string
  /** What a bare `key` is for; HS256 if not given. */
  algorithm?: Algorithm
  issuer: string
  audience?: string
  /** `sub`, unless the claims have another. */
  subject?: string
  /** Seconds from now to `exp`: less than 10^12. */
  expiresIn: number
  typ?: string
  clock?: (() => number) | { now(): number }
}

/**
 * Makes a function that signs claims, as `JSON.stringify` writes them. They may replace `iss`, `aud` and `sub` of the options; `iat`, `exp`
 * and a fresh `jti` of 132 random bits are always the signer's own. Claims that no verifier accepts, such as those without a `sub` or
 * nested deeper than 128, are refused with `bad_claims`; those that make too long a token, with `too_long`.
 */
export function createSigner(options: SignerOptions): (claims?: object) => string

/**
 * Why a token, a key or an option is refused, or, in `waxseal/verify/public`, a snapshot or an answer. The message may change, the code may
 * not.
 */
export class TokenError extends Error {
  constructor(code: string, message?: string, options?: { cause?: unknown })
  /** The verifiers with a shared secret give those of {@link TokenCode} and {@link OptionCode} only. */
  readonly code: TokenCode | OptionCode | PublicTokenCode | SnapshotCode | ReadingCode
}

/** Why a token is refused. */
export type TokenCode =
  | 'not_a_string' | 'too_long' | 'malformed' | 'bad_base64' | 'bad_header_json' | 'crit_present' | 'algorithm_not_allowed'
  | 'bad_kid' | 'missing_kid' | 'unknown_kid' | 'key_not_for_verify' | 'wrong_algorithm' | 'bad_signature' | 'bad_claims_json'
  | 'wrong_typ' | 'missing_exp' | 'bad_exp' | 'expired' | 'bad_nbf' | 'not_yet_valid' | 'bad_iat' | 'issued_in_future'
  | 'wrong_issuer' | 'bad_audience' | 'wrong_audience' | 'bad_subject' | 'bad_jti' | 'bad_private_claim' | 'revoked' | 'trap'

/** What is wrong with keys, options, or claims to sign. */
export type OptionCode =
  | 'bad_options' | 'bad_clock' | 'bad_algorithm' | 'bad_key' | 'bad_jwk' | 'bad_key_kid' | 'short_secret' | 'repeated_kid' | 'nameless_key'
  | 'mixed_key_set' | 'many_signers' | 'too_many_keys' | 'no_signing_key' | 'no_module' | 'bad_claims'

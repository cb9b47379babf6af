import type { OptionCode, PublicTokenCode, ReadingCode, SnapshotCode, TokenCode } from './codes.js'

export type { OptionCode, TokenCode } from './codes.js'

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

/** One key, or a set of keys. */
export type Keys = {
  /** The name of a bare secret: tokens pick it by that name, and a signer writes it into their headers. */
  kid?: string
} & ({
  /** The one key. A bare secret is for one algorithm: that of `algorithms` or, of a signer, of `algorithm`; HS256 if not given. */
  key: KeyInput
  keys?: undefined
} | {
  /** A JWK set as an object, or a list of keys: a token's `kid` picks one, and the first that can sign is a signer's. */
  keys: { keys: readonly (JsonWebKeyInput | ExportedJsonWebKey)[] } | readonly KeyInput[]
  key?: undefined
})

export type VerifierOptions = Keys & {
  /** Which algorithms are accepted; all three by default. A key is only ever good for its own. */
  algorithms?: readonly Algorithm[]
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
  revoked?: (Iterable<string> & object) | { has(jti: string): boolean } | ((claims: Claims) => boolean)
  /** Tells the time in milliseconds since the epoch. */
  clock?: (() => number) | { now(): number }
}

/**
 * Makes a function that checks tokens, synchronously, by the rules of the server: same verdicts, same codes. It returns the claims of a
 * valid token and throws a {@link TokenError} for any other.
 */
export function createVerifier(options: VerifierOptions): <C extends object = Claims>(token: string) => C & Claims

export type SignerOptions = Keys & {
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

// The codes of both kinds of verifier, apart from what needs the types of a platform.

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

/**
 * Why a token is refused by a verifier with public keys. `revocations_stale`, `no_keys` and `trap` say nothing about the token: no verdict
 * could be reached.
 */
export type PublicTokenCode = TokenCode | 'ended' | 'user_gone' | 'foreign' | 'revocations_stale' | 'no_keys'

/** Why a snapshot is not taken. */
export type SnapshotCode = TokenCode | 'bad_lists' | 'not_newer'

/** Why keys or a snapshot could not be read: no answer from the issuer, a wrong one, or one over 64 KiB (keys) or 1 MiB (snapshot). */
export type ReadingCode = 'unreachable' | 'bad_answer'

// The checks of a token in their order, and at which of them a refusal stands. The codes are those of `core/src/token/refusal.rs`, in their
// order, and those that the server adds for a token that is good in itself.

/** `[question, codes of the refusals that answer it with no]` */
export const checks = [
  ['Is it one piece of at most 8192 octets in three parts?', ['too_long', 'malformed']],
  ['Is each part strict base64url?', ['bad_base64']],
  ['Is the header a strict JSON object, demanding no extension?', ['bad_header_json', 'crit_present']],
  ['Is the algorithm on the list?', ['algorithm_not_allowed']],
  ['Is there exactly this key, for this algorithm?', ['bad_kid', 'missing_kid', 'unknown_kid', 'key_not_for_verify', 'wrong_algorithm']],
  ['Does the signature hold?', ['bad_signature']],
  ['Are the claims a strict JSON object, of the right kind of token?', ['bad_claims_json', 'wrong_typ']],
  ['Is it within its time?', ['missing_exp', 'bad_exp', 'expired', 'bad_nbf', 'not_yet_valid', 'bad_iat', 'issued_in_future']],
  ['Is it from this issuer, for this audience?', ['wrong_issuer', 'bad_audience', 'wrong_audience']],
  ['Does it name its subject properly?', ['bad_subject', 'bad_jti', 'bad_private_claim', 'foreign']],
  ['Does its user exist, and may that user log in?', ['user_gone']],
  ['Has it not been revoked?', ['revoked']],
  ['Is it newer than the last time it was ended together with others?', ['ended']],
]

/** The place of a code in the list; -1 for one that is not known. */
export const stageOf = code => checks.findIndex(([, codes]) => codes.includes(code))

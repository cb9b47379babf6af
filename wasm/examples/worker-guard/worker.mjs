// Lets requests with a good token through to the origin, and tells it who is asking.
// Bindings: KEYS, a JWK set as text (a secret); ISSUER; ORIGIN, the address behind; REVOKED, a KV namespace of revoked ids.

import { createVerifier } from 'waxseal/verify'
import { bearer, passed, refused } from './origin.mjs'

let verify

export default {
  async fetch(request, env) {
    verify ??= createVerifier({ keys: JSON.parse(env.KEYS), issuer: env.ISSUER })
    const token = bearer(request)
    if (token === undefined) return refused()
    let claims
    try {
      claims = verify(token)
    } catch (error) {
      return refused(error)
    }
    if (typeof claims.jti !== 'string' || (await env.REVOKED.get(claims.jti)) !== null) return refused({ code: 'revoked' })
    return passed(request, env.ORIGIN, claims)
  },
}

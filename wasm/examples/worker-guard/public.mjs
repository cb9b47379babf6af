// The same without a secret: public keys, and what was revoked, are read from the issuer whenever they get old.
// Bindings: AUTH, the address of the issuer; ISSUER, its name in tokens; ORIGIN, the address behind.

import { createRemoteVerifier } from 'waxseal/verify/public'
import { bearer, passed, refused } from './origin.mjs'

let verifier

export default {
  async fetch(request, env) {
    verifier ??= createRemoteVerifier({
      origin: env.AUTH,
      issuer: env.ISSUER,
      leeway: 5,
      onError: error => console.log(`reading: ${error.code}: ${error.message}`),
    })
    const token = bearer(request)
    if (token === undefined) return refused()
    let claims
    try {
      claims = await verifier.verify(token)
    } catch (error) {
      return refused(error)
    }
    return passed(request, env.ORIGIN, claims)
  },
}

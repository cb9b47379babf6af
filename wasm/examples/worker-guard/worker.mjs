// Lets requests with a good token through to the origin, and tells it who is asking.
// Bindings: KEYS, a JWK set as text (a secret); ISSUER; ORIGIN, the address behind; REVOKED, a KV namespace of revoked ids.

import { createVerifier } from 'waxseal/verify'

let verify

export default {
  async fetch(request, env) {
    verify ??= createVerifier({ keys: JSON.parse(env.KEYS), issuer: env.ISSUER })
    const token = /^Bearer ([^\s,]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (token === undefined) return refused()
    let claims
    try {
      claims = verify(token)
    } catch (error) {
      // The code is for the log; the caller learns no more than that the token is no good.
      console.log(`refused: ${error.code}`)
      return refused('invalid_token')
    }
    if (typeof claims.jti !== 'string' || (await env.REVOKED.get(claims.jti)) !== null) return refused('invalid_token')

    const url = new URL(request.url)
    const behind = new Request(new URL(url.pathname + url.search, env.ORIGIN), request)
    behind.headers.delete('authorization')
    behind.headers.set('x-auth-user', claims.sub)
    return fetch(behind)
  },
}

function refused(error) {
  const challenge = error === undefined ? 'Bearer realm="example"' : `Bearer realm="example", error="${error}"`
  return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } })
}

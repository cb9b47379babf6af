// The verifier as middleware of Express: `app.use(guard({ key, issuer }))`.

import { createVerifier } from 'waxseal/verify'

export function guard(options) {
  const verify = createVerifier(options)
  return (request, response, next) => {
    const token = /^Bearer ([^\s,]+)$/i.exec(request.get('authorization') ?? '')?.[1]
    try {
      request.claims = verify(token)
    } catch ({ code }) {
      // It says nothing about the token: there was no room to decide.
      if (code === 'trap') response.set('retry-after', '2').sendStatus(503)
      else response.set('www-authenticate', token === undefined ? 'Bearer' : 'Bearer error="invalid_token"').sendStatus(401)
      return
    }
    next()
  }
}

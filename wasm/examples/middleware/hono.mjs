// The verifier as middleware of Hono: `app.use(guard({ key, issuer }))`; then `context.get('claims')`.

import { createVerifier } from 'waxseal/verify'

export function guard(options) {
  const verify = createVerifier(options)
  return async (context, next) => {
    const token = /^Bearer ([^\s,]+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
    try {
      context.set('claims', verify(token))
    } catch ({ code }) {
      // It says nothing about the token: there was no room to decide.
      if (code === 'trap') return context.body(null, 503, { 'retry-after': '2' })
      return context.body(null, 401, { 'www-authenticate': token === undefined ? 'Bearer' : 'Bearer error="invalid_token"' })
    }
    await next()
  }
}

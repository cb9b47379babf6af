// The verifier as middleware of Hono: `app.use(guard({ key, issuer }))`; then `context.get('claims')`.

import { createVerifier } from 'waxseal/verify'

export function guard(options) {
  const verify = createVerifier(options)
  return async (context, next) => {
    const token = /^Bearer ([^\s,]+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
    try {
      context.set('claims', verify(token))
    } catch {
      return context.body(null, 401, { 'www-authenticate': token === undefined ? 'Bearer' : 'Bearer error="invalid_token"' })
    }
    await next()
  }
}

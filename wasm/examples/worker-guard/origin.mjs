// What guards of an origin have in common.

/** The token of a request, if it shows one. */
export function bearer(request) {
  return /^Bearer ([^\s,]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}

/** The origin's answer. It is told who is asking, and does not get the token. */
export function passed(request, origin, claims) {
  const url = new URL(request.url)
  const behind = new Request(new URL(url.pathname + url.search, origin), request)
  behind.headers.delete('authorization')
  behind.headers.set('x-auth-user', claims.sub)
  return fetch(behind)
}

/** For the log a refusal has its code; the caller learns no more than that the token is no good. */
export function refused(error) {
  if (error !== undefined) console.log(`refused: ${error.code}`)
  const challenge = error === undefined ? 'Bearer realm="example"' : 'Bearer realm="example", error="invalid_token"'
  return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } })
}

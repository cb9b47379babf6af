// What guards of an origin have in common.

/** What a header holds and an origin reads as it was meant: printable ASCII, without blanks at the ends, which are lost on the way. */
const NAME = /^[!-~]([ -~]*[!-~])?$/
/** What says nothing about a token: it could not be decided, and may be later. */
const UNDECIDED = ['no_keys', 'revocations_stale', 'trap']

/** The token of a request, if it shows one. */
export function bearer(request) {
  return /^Bearer ([^\s,]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}

/** The origin's answer. It is told who is asking, by the guard alone, and does not get the token. */
export function passed(request, origin, claims) {
  if (!NAME.test(claims.sub)) return new Response(null, { status: 403 })
  const { pathname, search } = new URL(request.url)
  // In parts: a path that begins with two slashes would by itself be the address of another host.
  const behind = new Request(Object.assign(new URL(origin), { pathname, search }), request)
  // What clients say about themselves, also as servers spell it that take `_` for `-`.
  for (const name of [...behind.headers.keys()]) if (/^x[-_]auth[-_]/.test(name)) behind.headers.delete(name)
  behind.headers.delete('authorization')
  behind.headers.set('x-auth-user', claims.sub)
  return fetch(behind)
}

/** For the log a refusal has its code; the caller learns no more than that the token is no good, or that this cannot be told now. */
export function refused(error) {
  if (error !== undefined) console.log(`refused: ${error.code}`)
  if (UNDECIDED.includes(error?.code)) return new Response(null, { status: 503, headers: { 'retry-after': '2' } })
  const challenge = error === undefined ? 'Bearer realm="example"' : 'Bearer realm="example", error="invalid_token"'
  return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } })
}

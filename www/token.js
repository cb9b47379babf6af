// A token, opened: its parts, and what they say in words. Nothing here checks a seal; only the server can.

/** The parts of a compact JWS, or `undefined` if the text is none. */
export function open(compact) {
  const parts = compact.split('.')
  if (parts.length !== 3) return undefined
  try {
    return { compact, parts, header: object(parts[0]), claims: object(parts[1]) }
  } catch {
    return undefined
  }
}

/** The same token with one character of its claims changed, as a forger might. */
export function forged({ parts: [header, claims, signature] }) {
  const middle = claims.length >> 1
  const other = claims[middle] === 'A' ? 'B' : 'A'
  return [header, claims.slice(0, middle) + other + claims.slice(middle + 1), signature].join('.')
}

/** `{ name, label, text }` for each member, those with a meaning first. */
export function inWords(members) {
  const names = Object.keys(members)
  const rank = name => (name in meanings ? Object.keys(meanings).indexOf(name) : names.length + 99)
  return names
    .toSorted((a, b) => rank(a) - rank(b))
    .map(name => {
      const [label, say = plain] = meanings[name] ?? ['']
      return { name, label, text: say(members[name]) }
    })
}

/** `4 min 32 s`, `2 h 5 min`, `3 days` */
export function duration(seconds) {
  const [s, m, h, d] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600) % 24, Math.floor(seconds / 86400)]
  if (d > 0) return `${d} ${d === 1 ? 'day' : 'days'}${h ? ` ${h} h` : ''}`
  if (h > 0) return `${h} h${m ? ` ${m} min` : ''}`
  if (m > 0) return `${m} min${s ? ` ${s} s` : ''}`
  return `${s} s`
}

const plain = value => (typeof value === 'string' ? value : JSON.stringify(value))
const moment = value => (Number.isFinite(value) ? new Date(value * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }) : plain(value))

/** The registered names of RFC 7515, 4.1 and RFC 7519, 4.1, and our own `uid`. */
const meanings = {
  alg: ['Sealed with', value => (value === 'HS256' ? 'HMAC-SHA-256 (HS256)' : plain(value))],
  typ: ['Kind'],
  kid: ['Key'],
  sub: ['For'],
  uid: ['User number'],
  iss: ['Issued by'],
  aud: ['Meant for'],
  iat: ['Issued', moment],
  nbf: ['Good from', moment],
  exp: ['Good until', moment],
  jti: ['Serial number'],
}

function object(part) {
  const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), c => c.codePointAt(0))
  const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new TypeError('not an object')
  return value
}

// What stands in a token, in words.

import { duration, isTime, moment, seen } from '../words.js'

/** `{ name, label, text, note }` for each member of a header or claims, those with a meaning first. */
export function inWords(members, now) {
  const names = Object.keys(members)
  const order = Object.keys(meanings)
  const rank = name => order.indexOf(name) + 1 || order.length + 1
  return names
    .map(name => {
      const [label, say = plain] = Object.hasOwn(meanings, name) ? meanings[name] : ['']
      return { name: seen(name), label, ...said(say(members[name], now)) }
    })
    .sort((a, b) => rank(a.name) - rank(b.name))
}

/** The registered names of RFC 7515, 4.1 and RFC 7519, 4.1, and the issuer's own. */
const meanings = {
  alg: ['Sealed with', value => (value === 'HS256' ? 'HMAC-SHA-256 (HS256): who can check it could also have made it' : value === 'none' ? 'nothing at all: such a token is worthless' : plain(value))],
  typ: ['Kind', value => (value === 'JWT' ? 'an access token (JWT)' : plain(value))],
  kid: ['Key'],
  sub: ['For user number'],
  uid: ['User number'],
  iss: ['Issued by'],
  aud: ['Meant for', value => (Array.isArray(value) ? value.map(plain).join(', ') : plain(value))],
  dialect: ['Issued in the dialect'],
  iat: ['Issued', time],
  nbf: ['Good from', time],
  exp: ['Good until', time],
  jti: ['Serial number', value => [plain(value), 'by this it can be revoked']],
  gen: ['Generation', value => [plain(value), 'tokens of an earlier one have ended']],
  scope: ['May'],
  crit: ['Demands extensions', value => [plain(value), 'none is supported here: refused']],
}

function time(value, now) {
  if (!isTime(value)) return [plain(value), 'this is no time']
  const away = value - now / 1000
  return [moment(value * 1000), away >= 0 ? `in ${duration(away)}` : `${duration(-away)} ago`]
}

const plain = value => seen(typeof value === 'string' ? value : JSON.stringify(value))
const said = value => (Array.isArray(value) ? { text: value[0], note: value[1] } : { text: value })

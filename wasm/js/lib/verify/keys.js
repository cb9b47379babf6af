// Keys as callers have them, as the set of keys that the module loads.

import { TokenError } from './error.js'

const ALGORITHMS = ['HS256', 'HS384', 'HS512']
const SIGN = 0
const VERIFY = 1
const utf8 = new TextEncoder()

/** Issuer, audience, leeway, `typ` and keys in the module's own notation. */
export function statement({ issuer, audience, leeway, typ, keys, unusable }) {
  const key = ({ role, kid, algorithm, secret }) => [...number(role), ...text(kid), ...number(algorithm), ...octets(secret)]
  return Uint8Array.from([...text(issuer), ...text(typ), ...number(leeway), ...(audience === undefined ? number(0) : [...number(1), ...text(audience)]),
    ...number(keys.length), ...keys.flatMap(key), ...number(unusable.length), ...unusable.flatMap(text)])
}

/** The keys of `options.key` (and `kid`, `algorithm`) or `options.keys`; `sign` says whether one of them signs. */
export function keysOf({ key, keys, kid, algorithms }, sign) {
  demand((key === undefined) !== (keys === undefined), 'bad_options', 'either `key` or `keys` is needed')
  demand(algorithms === undefined || Array.isArray(algorithms), 'bad_options', '`algorithms` is a list')
  const allowed = algorithms ?? ALGORITHMS
  for (const name of allowed) demand(ALGORITHMS.includes(name), 'bad_algorithm', `\`${String(name)}\` is none of ${ALGORITHMS.join(', ')}`)
  const list = Array.isArray(keys) ? keys : Array.isArray(keys?.keys) ? keys.keys : [key ?? keys]
  const found = { keys: [], unusable: [] }
  let secret = false
  let open = false
  for (const stated of list) {
    const read = isSecret(stated) ? bare(stated, kid, algorithms) : jwk(stated, sign)
    if (read.symmetric) secret = true
    else open = true
    if (read.secret === undefined || !allowed.includes(ALGORITHMS[read.algorithm])) found.unusable.push(read.kid)
    else found.keys.push({ ...read, role: sign && found.keys.length === 0 ? SIGN : VERIFY })
  }
  demand(!(secret && open), 'mixed_key_set', 'a set holds either symmetric or asymmetric keys, not both')
  demand(!sign || found.keys.length > 0, 'no_signing_key', 'no key that could sign was given')
  return found
}

export function demand(holds, code, message) {
  if (!holds) throw new TokenError(code, message)
}

/** A text that has a UTF-8 form. */
export function isText(value) {
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value)
}

function isSecret(stated) {
  return typeof stated === 'string' || stated instanceof Uint8Array || stated instanceof ArrayBuffer
}

function bare(stated, kid, algorithms) {
  demand(algorithms === undefined || algorithms.length === 1, 'bad_options', 'a secret is for exactly one algorithm; a JWK says which')
  demand(typeof stated !== 'string' || isText(stated), 'bad_key', 'the secret has a lone surrogate')
  demand(kid === undefined || (isText(kid) && kid !== ''), 'bad_key_kid', 'a kid is a text')
  const secret = typeof stated === 'string' ? utf8.encode(stated) : copied(stated)
  return { kid: kid ?? '', algorithm: ALGORITHMS.indexOf(algorithms?.[0] ?? 'HS256'), secret, symmetric: true }
}

function copied(octets) {
  try {
    return new Uint8Array(octets)
  } catch (cause) {
    throw new TokenError('bad_key', 'the octets of the key are gone', { cause })
  }
}

/** Reads a JSON web key by the rules of the server. */
function jwk(stated, sign) {
  demand(typeof stated === 'object' && stated !== null, 'bad_key', 'a key is a text, octets, or a JSON web key')
  const member = name => {
    const value = stated[name]
    demand(value === undefined || isText(value), 'bad_jwk', `not a JSON web key: \`${name}\` is not a string`)
    return value
  }
  const kid = member('kid') ?? ''
  demand(!(Object.hasOwn(stated, 'kid') && kid === ''), 'bad_key_kid', 'a kid has 1 to 256 octets')
  const type = member('kty')
  demand(type !== undefined, 'bad_jwk', 'not a JSON web key: `kty` is missing')
  const symmetric = type === 'oct'
  const unusable = { kid, symmetric }
  const use = member('use')
  if (use !== undefined && use !== 'sig') return unusable
  const ops = stated.key_ops
  demand(ops === undefined || (Array.isArray(ops) && ops.every(isText)), 'bad_jwk', 'not a JSON web key: `key_ops` is no list of strings')
  if (ops !== undefined && !ops.includes(sign ? 'sign' : 'verify')) return unusable
  const name = member('alg')
  if (name === undefined || !symmetric || !ALGORITHMS.includes(name)) return unusable
  const k = member('k')
  demand(k !== undefined, 'bad_jwk', 'not a JSON web key: `k` is missing')
  return { kid, algorithm: ALGORITHMS.indexOf(name), secret: decoded(k), symmetric }
}

/** Base64url without padding, in its one canonical form. */
function decoded(text) {
  const bad = () => new TokenError('bad_jwk', 'not a JSON web key: `k` is not base64url')
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) throw bad()
  const standard = text.replaceAll('-', '+').replaceAll('_', '/')
  const binary = atob(standard)
  if (btoa(binary).replace(/=+$/, '') !== standard) throw bad()
  return Uint8Array.from(binary, char => char.charCodeAt(0))
}

function text(value) {
  return octets(utf8.encode(value))
}

function octets(value) {
  return [...number(value.length), ...value]
}

/** Two octets, the lower first. */
function number(value) {
  demand(value <= 0xffff, 'too_many_keys', 'the keys do not fit')
  return [value & 255, value >> 8]
}

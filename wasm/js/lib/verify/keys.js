// Keys as callers have them, as the set of keys that the module loads.

import { TokenError } from './error.js'
import { allowed, demand, isText } from './options.js'
import { decoder, statement, utf8 } from './statement.js'

const ALGORITHMS = ['HS256', 'HS384', 'HS512']
/** What a key says that is no secret but in some format: PEM, JSON, and public keys in DER, be it as octets or as base64. */
const FORMATTED = /-----BEGIN|"kty"|^(0.{1,3}0.\x06|M.{4,7}(YDK2V|YHKoZ|Bgkqh))/s
const SIGN = 0
const VERIFY = 1

/**
 * The octets that the module is told: what tokens are to say, and the keys of `key` (and `kid`, `algorithms`) or `keys`; `sign` says whether
 * the first of them signs.
 */
export function encode(options, algorithms, sign) {
  const { key, keys, kid } = options
  // A text or octets in `keys` would be the text of a set, which anybody may know, taken for a secret.
  demand((key === undefined) !== (keys === undefined) && !isSecret(keys), 'bad_options', '`key`, or a set or list as `keys`, is needed')
  const wanted = allowed(algorithms, ALGORITHMS)
  const list = Array.isArray(keys) ? keys : Array.isArray(keys?.keys) ? keys.keys : [key ?? keys]
  const read = list.map(stated => (isSecret(stated) ? bare(stated, kid, algorithms) : jwk(stated, sign)))
  demand(new Set(read.map(({ symmetric }) => symmetric)).size < 2, 'mixed_key_set', 'a set holds symmetric and asymmetric keys')
  const isUsable = ({ secret, algorithm }) => secret !== undefined && wanted.includes(ALGORITHMS[algorithm])
  const usable = read.filter(isUsable)
  demand(!sign || usable.length > 0, 'no_signing_key', 'no key could sign')

  const { number, octets, text, end } = statement(options)
  let role = sign ? SIGN : VERIFY
  number(usable.length)
  for (const { kid, algorithm, encoded, secret } of usable) {
    number(role)
    text(kid)
    number(algorithm)
    number(encoded)
    octets(secret)
    role = VERIFY
  }
  const others = read.filter(key => !isUsable(key))
  number(others.length)
  for (const { kid } of others) text(kid)
  return end()
}

function isSecret(stated) {
  // By name, as those of another realm are as good.
  return typeof stated === 'string' || /^(Uint8Array|ArrayBuffer)$/.test(stated?.[Symbol.toStringTag])
}

function bare(stated, kid, algorithms = ['HS256']) {
  demand(algorithms.length === 1, 'bad_options', 'a secret is for one algorithm')
  demand(typeof stated !== 'string' || isText(stated), 'bad_key', 'the secret has a lone surrogate')
  demand(kid === undefined || (isText(kid) && kid !== ''), 'bad_key_kid', '`kid` is not a name')
  const secret = typeof stated === 'string' ? utf8.encode(stated) : copied(stated)
  // Without zeros, as UTF-16 has them.
  demand(!FORMATTED.test(decoder.decode(secret).replaceAll('\0', '')), 'bad_key', 'PEM, JSON or DER is no secret; see `waxseal/verify/public`')
  return { kid: kid ?? '', algorithm: ALGORITHMS.indexOf(algorithms[0]), encoded: 0, secret, symmetric: true }
}

function copied(octets) {
  try {
    // A view cannot be made of something that only has the name.
    return new Uint8Array(ArrayBuffer.isView(octets) ? octets : new DataView(octets).buffer)
  } catch (cause) {
    throw new TokenError('bad_key', 'the key has no octets', { cause })
  }
}

/** Reads a JSON web key by the rules of the server. */
function jwk(stated, sign) {
  demand(typeof stated === 'object' && stated !== null, 'bad_key', 'a key is a text, octets, or a JSON web key')
  const good = (holds, name) => demand(holds, 'bad_jwk', `no JSON web key, as a CryptoKey exports it: \`${name}\` is wrong`)
  const member = (name, needed = false) => {
    const value = stated[name]
    good(value === undefined ? !needed : isText(value), name)
    return value
  }
  good(stated.keys === undefined, 'keys')
  const kid = member('kid') ?? ''
  demand(kid !== '' || !Object.hasOwn(stated, 'kid'), 'bad_key_kid', '`kid` is not a name')
  const symmetric = member('kty', true) === 'oct'
  const unusable = { kid, symmetric }
  if ((member('use') ?? 'sig') !== 'sig') return unusable
  const ops = stated.key_ops
  good(ops === undefined || (Array.isArray(ops) && ops.every(isText)), 'key_ops')
  if (ops?.includes(sign ? 'sign' : 'verify') === false) return unusable
  const algorithm = ALGORITHMS.indexOf(member('alg'))
  if (algorithm < 0 || !symmetric) return unusable
  return { kid, algorithm, encoded: 1, secret: utf8.encode(member('k', true)), symmetric }
}

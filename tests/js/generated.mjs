// Tokens for comparing verdicts: the same ones at every run. About half of them are good or nearly so; the others are what strangers
// send.

import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'

/** 2031-05-06T07:08:09Z in seconds. */
const NOW = 1_935_990_489

export const SETTINGS = { issuer: 'https://issuer.example/ü', audience: 'clients', leeway: 5 }

const secret = (text, length) => Buffer.from(text.repeat(length)).subarray(0, length)
const HASH = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }

/** A secret: its JWK, and what signs with it. */
function shared(kid, alg, text, length) {
  const octets = secret(text, length)
  return { kid, alg, jwk: { kty: 'oct', kid, alg, k: octets.toString('base64url') }, sign: text => createHmac(HASH[alg], octets).update(text).digest('base64url') }
}

/** A key in two parts, made of the first octets of `text`. Signatures with ES256 are others at each run. */
function paired(kid, alg, text) {
  const isCurve = alg === 'ES256'
  // PKCS #8, and SEC 1 within (RFC 8410, 7; RFC 5915, 3).
  const head = isCurve ? '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420' : '302e020100300506032b657004220420'
  const der = Buffer.concat([Buffer.from(head, 'hex'), secret(text, 32)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid, alg }
  return { kid, alg, jwk, sign: text => sign(isCurve ? 'sha256' : null, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url') }
}

const LONG = 'x'.repeat(256)
const SECRETS = [shared('a', 'HS256', 'first', 32), shared('b"\\é', 'HS384', 'second', 48), shared('3', 'HS512', 'third', 200), shared(LONG, 'HS256', 'fourth', 33)]
const PAIRS = [paired('a', 'EdDSA', 'first'), paired('b"\\é', 'ES256', 'second'), paired('3', 'Ed25519', 'third'), paired(LONG, 'ES256', 'fourth')]

/** The keys as a JWK set; the last two cannot verify here. */
const jwks = (keys, fifth, sixth) => ({ keys: [...keys.map(({ jwk }) => jwk), { ...fifth.jwk, use: 'enc' }, { ...sixth.jwk, key_ops: ['sign'] }] })
export const JWKS = jwks(SECRETS, shared('enc', 'HS256', 'fifth', 32), shared('ops', 'HS256', 'sixth', 32))
export const PUBLIC_JWKS = jwks(PAIRS, paired('enc', 'ES256', 'fifth'), paired('ops', 'EdDSA', 'sixth'))

/** `count` pairs of token and time in seconds, signed with secrets. */
export function* generated(count) {
  const random = mulberry32(1)
  for (let i = 0; i < count; i++) yield one(random, SECRETS)
}

/** `count` pairs of token and time in seconds, signed with private keys. */
export function* generatedInPairs(count) {
  const random = mulberry32(2)
  for (let i = 0; i < count; i++) yield one(random, PAIRS)
}

function one(random, keys) {
  const pick = list => list[Math.floor(random() * list.length)]
  const chance = share => random() < share
  const key = pick(keys)

  const header = members({ alg: key.alg, typ: 'JWT', kid: key.kid })
  if (chance(0.25)) change(header, pick(HEADERS), pick, chance)
  const claims = members({
    iss: SETTINGS.issuer, aud: pick(['clients', ['clients'], ['others', 'clients']]), sub: '17', iat: NOW - 100, exp: NOW + 100,
    jti: 'QUJDREVGR0hJSktMTU5PUA', uid: '17', gen: 0, dialect: 'redis',
  })
  for (let n = chance(0.5) ? 0 : pick([1, 1, 1, 2, 3]); n > 0; n--) change(claims, pick(CLAIMS), pick, chance)

  let [head, body] = [json(header, pick, chance), json(claims, pick, chance)]
  if (chance(0.02)) head = pick(TEXTS)
  if (chance(0.03)) body = pick(TEXTS)
  if (chance(0.02)) body = body.slice(0, -1) + pick(['', ' ', ',', ',}', '}}', '} {}', '}\u0000', '}x'])
  if (chance(0.005)) body = `${body.slice(0, -1)},"pad":"${'p'.repeat(Math.floor(random() * 9000))}"}`
  const octets = text => Buffer.from(text, chance(0.01) ? 'latin1' : 'utf8')
  const signed = `${octets(head).toString('base64url')}.${octets(body).toString('base64url')}`
  let signature = (chance(0.02) ? pick(keys) : key).sign(signed)
  if (keys === PAIRS && chance(0.08)) signature = special(Buffer.from(signature, 'base64url'), key.alg, pick).toString('base64url')
  let token = `${signed}.${signature}`
  if (chance(0.12)) token = damaged(token, random, pick)
  // Around every bound of the times above, to the second and besides.
  const now = chance(0.6) ? NOW : NOW + pick([-106, -105.001, -105, -104, -100, 0.5, 99, 100, 104, 104.999, 105, 105.5, 1000, 1e9])
  return { token, now }
}

/** Changes one member: another value, gone, or twice. */
function change(list, [name, values], pick, chance) {
  const at = list.findIndex(([known]) => known === name)
  const value = pick(values)
  if (at === -1) {
    if (value !== GONE) list.push([name, value])
  } else if (value === GONE || chance(0.1)) list.splice(at, 1)
  else if (chance(0.05)) list.push([name, list[at][1]])
  else list[at] = [name, value]
}

/** The text of an object whose values are JSON texts already. */
function json(list, pick, chance) {
  const space = () => (chance(0.03) ? pick([' ', '\n', '\t\r ', '\u00a0', '\ufeff']) : '')
  const name = text => (chance(0.02) ? `"${[...text].map(char => `\\u${char.codePointAt(0).toString(16).padStart(4, '0')}`).join('')}"` : JSON.stringify(text))
  const ordered = chance(0.2) ? list.toReversed() : list
  return `${space()}{${ordered.map(([key, value]) => `${space()}${name(key)}${space()}:${space()}${value}`).join(',')}${space()}}`
}

/** What a signature with a curve must not be, and for ES256 the one other that holds. */
function special(signature, alg, pick) {
  const isCurve = alg === 'ES256'
  const [first, second] = [signature.subarray(0, 32), signature.subarray(32)]
  const zero = Buffer.alloc(32)
  // The order of the group: FIPS 186-5, and RFC 8032, 5.1, whose numbers have their lower octets first.
  const order = Buffer.from(isCurve ? 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551' : 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex')
  const number = octets => BigInt(`0x${Buffer.from(isCurve ? octets : octets.toReversed()).toString('hex')}`)
  const octets = number => {
    const big = Buffer.from(BigInt.asUintN(256, number).toString(16).padStart(64, '0'), 'hex')
    return isCurve ? big : Buffer.from(big.toReversed())
  }
  return Buffer.concat(pick([
    [zero, zero], [zero, second], [first, zero], [order, second], [first, order], [second, first], [first, second, zero], [first], [second],
    [first, octets(number(order) - number(second))], [first, octets(number(order) + number(second))],
    // A point of small order, and another encoding of it.
    [Buffer.from('01'.padEnd(64, '0'), 'hex'), zero], [Buffer.from('01'.padEnd(62, '0') + '80', 'hex'), zero],
    [Buffer.alloc(32, 0xff), second], [first, Buffer.alloc(32, 0xff)],
  ]))
}

function damaged(token, random, pick) {
  const at = Math.floor(random() * token.length)
  const instead = text => token.slice(0, at) + text + token.slice(at + 1)
  const parts = token.split('.')
  return pick([
    () => instead(pick([...'AZaz09-_.=+/ \n\u00e9\u{1f600}'])),
    () => instead(''),
    () => token.slice(0, at) + pick(['A', '.', '=', '-']) + token.slice(at),
    () => token.slice(0, at),
    () => `${token}${pick(['A', '=', '==', '.', ' ', '\n', '.x', '.x.y'])}`,
    () => `${parts[0]}.${parts[1]}.`,
    () => `${parts[0]}.${parts[1]}.${'A'.repeat(parts[2].length)}`,
    () => `${parts[0]}.${parts[1]}`,
    () => `${parts[1]}.${parts[0]}.${parts[2]}`,
    () => `.${parts[1]}.${parts[2]}`,
    () => token.toUpperCase(),
    () => '.'.repeat(Math.floor(random() * 5)),
    () => '',
    () => `Bearer ${token}`,
    () => JSON.stringify({ protected: parts[0], payload: parts[1], signature: parts[2] }),
    () => token.repeat(30),
  ])()
}

const GONE = Symbol('gone')
const WRONG = ['null', 'true', '[]', '{}', '""', '"x"', '0', '-1', '1.5', '[[]]']
const TIMES = ['0', '-0', '-5', String(NOW), `${NOW}.0`, `${NOW}.5`, `${NOW}e0`, '1e400', '-1e400', '1e9', '19359904.89e2', '1.935990489e9', '999999999999999',
  '1000000000000000', '18446744073709551616', `"${NOW}"`, 'null', '[1]', '01', '1.', '.5', '+1', '1e', 'NaN', 'Infinity', `${NOW - 5}`, `${NOW + 5}`, `${NOW + 6}`,
  `0.${'0'.repeat(50)}1`, `1${'0'.repeat(30)}e-21`]
const TEXTS = ['', '{}', '[]', 'null', '"{}"', '\ufeff{}', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":"\\ud800"}', '{"a":"\\ud83d\\ude00"}', '{"a":"\\x"}', '{"a":"\u0001"}',
  `${'['.repeat(200)}${']'.repeat(200)}`, `{"a":${'['.repeat(127)}${']'.repeat(127)}}`, `{"a":${'['.repeat(128)}${']'.repeat(128)}}`, `{"a":${'{"b":'.repeat(90)}1${'}'.repeat(90)}}`,
  "{'a':1}", '{a:1}', '{"a":1,}', '{"a" 1}', '{"a":tru}', '{"__proto__":1,"constructor":2}']

const HEADERS = [
  ['alg', ['"none"', '"None"', '"hs256"', '"HS256"', '"HS384"', '"HS512"', '"RS256"', '"ES256"', '"EdDSA"', '"Ed25519"', '"ES384"', '"HS2\\u00356"', '"HS256 "', GONE, ...WRONG]],
  ['kid', ['"a"', '"b\\"\\\\é"', '"3"', '"b"', '"enc"', '"ops"', '"../../etc/passwd"', '"\\u0061"', JSON.stringify('x'.repeat(256)), JSON.stringify('x'.repeat(257)), GONE, ...WRONG]],
  ['typ', ['"JWT"', '"jwt"', '"at+jwt"', '"refresh"', '"J\\u0057T"', GONE, ...WRONG]],
  ['crit', ['["exp"]', '["b64"]', '[]', ...WRONG]],
  ['b64', ['false', 'true']],
  ['jwk', ['{"kty":"oct","k":"AAAA"}']],
  ['jku', ['"https://attacker.example/keys"']],
  ['x5c', ['["MII"]']],
  ['cty', ['"JWT"']],
]
const CLAIMS = [
  ['iss', [JSON.stringify(SETTINGS.issuer), '"https://issuer.example/\\u00fc"', '"https://issuer.example/u"', '"https://issuer.example/u\u0308"', GONE, ...WRONG]],
  ['aud', ['"clients"', '"Clients"', '["clients","clients"]', '["x",1]', '[null]', '["c\\u006cients"]', '["x", "y"]', '[ "clients" ]', '{"clients":1}', GONE, ...WRONG]],
  ['sub', ['"17"', '"\\u0000"', GONE, ...WRONG]],
  ['exp', [...TIMES, GONE]],
  ['nbf', [...TIMES, GONE]],
  ['iat', [...TIMES, GONE]],
  ['jti', ['"1"', GONE, ...WRONG]],
  ['uid', ['"1"', GONE, ...WRONG]],
  ['gen', ['4294967295', '4294967296', '1e1', '-0', '1.0', GONE, ...WRONG]],
  ['dialect', ['"redis"', GONE, ...WRONG]],
  ['scope', ['"read write"', '{"deep":[{"er":[1,2,{"x":null}]}]}', '"\\ud83d\\ude00"', '"\\udead"', '"\u{1f600}"', '-0.0e-0', ...WRONG]],
  ['scope ', WRONG],
  ['\u0000', WRONG],
]

function members(object) {
  return Object.entries(object).map(([name, value]) => [name, JSON.stringify(value)])
}

/** A small generator with a seed, so that every run has the same tokens. */
function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

// `createVerifier` and `createSigner`, over a module that an entry brings.

import { TokenError } from './error.js'
import { guest } from './guest.js'
import { demand, isText, keysOf } from './keys.js'

const BOTH = ['key', 'keys', 'kid', 'issuer', 'audience', 'typ', 'clock']
const VERIFIER = [...BOTH, 'algorithms', 'leeway', 'revoked']
const SIGNER = [...BOTH, 'algorithm', 'subject', 'expiresIn']

/** Both functions, over the module that `load` gives. */
export function over(load) {
  let module

  /** The clock, and the function `name` of a module that has taken the options. */
  function open(name, options, algorithms) {
    const { issuer, audience, leeway = 0, typ = 'JWT', clock } = options
    const keys = keysOf(options, algorithms, name === 'sign')
    return [reader(clock), guest((module ??= load()), name, { issuer, audience, leeway, typ, ...keys })]
  }

  function createVerifier(options) {
    known(options, VERIFIER)
    const { leeway = 0, algorithms } = options
    demand(Number.isInteger(leeway) && leeway >= 0 && leeway <= 60, 'bad_options', '`leeway` is a whole number of seconds from 0 to 60')
    const isRevoked = revocations(options.revoked)
    const [now, claimsOf] = open('verify', options, algorithms)

    return function verify(token) {
      if (typeof token !== 'string') throw new TokenError('not_a_string', 'a token is a string')
      const claims = JSON.parse(claimsOf(token, now()))
      if (isRevoked !== undefined) {
        demand(claims.jti !== undefined, 'bad_jti', 'the token has no id, so it cannot be looked up among the revoked')
        demand(!isRevoked(claims), 'revoked', 'the token was revoked')
      }
      return claims
    }
  }

  function createSigner(options) {
    known(options, SIGNER)
    const { issuer: iss, audience: aud, subject: sub, expiresIn, algorithm } = options
    demand(Number.isSafeInteger(expiresIn) && expiresIn > 0, 'bad_options', '`expiresIn` is a whole number of seconds and needed: every token ends')
    const [now, tokenOf] = open('sign', options, algorithm === undefined ? undefined : [algorithm])
    // Without what is not given.
    const fixed = JSON.parse(JSON.stringify({ iss, aud, sub }))
    const written = new Set([...Object.keys(fixed), 'iat', 'exp', 'jti'])
    const head = `,${JSON.stringify(fixed).slice(1, -1)}`
    let second
    let times

    return function sign(claims = {}) {
      demand(typeof claims === 'object' && claims !== null && !Array.isArray(claims), 'bad_claims', 'claims are an object')
      const iat = Math.floor(now() / 1000)
      if (iat !== second) {
        times = `{"iat":${iat},"exp":${iat + expiresIn},"jti":"`
        second = iat
      }
      const replaces = hasAny(claims, written)
      let text
      try {
        text = JSON.stringify(replaces ? { ...fixed, ...claims, iat: undefined, exp: undefined, jti: undefined } : claims)
      } catch (cause) {
        throw new TokenError('bad_claims', 'the claims have no JSON form', { cause })
      }
      // `toJSON` may have made something else of them.
      demand(text?.[0] === '{', 'bad_claims', 'the claims are no object in JSON')
      return tokenOf(`${times}${id()}"${replaces ? '' : head}${text === '{}' ? '' : ','}${text.slice(1)}`)
    }
  }

  return { createVerifier, createSigner }
}

/** Whether `claims` has a member with one of `names`. */
function hasAny(claims, names) {
  for (const name in claims) if (names.has(name)) return true
  return false
}

function known(options, names) {
  demand(typeof options === 'object' && options !== null, 'bad_options', 'options are an object')
  for (const name of Object.keys(options)) demand(names.includes(name), 'bad_options', `there is no option \`${name}\``)
  for (const name of ['issuer', 'audience', 'subject', 'typ']) {
    const value = options[name]
    demand(value === undefined ? name !== 'issuer' : isText(value), 'bad_options', `\`${name}\` is not a text`)
  }
}

/** Milliseconds since the epoch by `clock`: a function, something with `now()`, or nothing. */
function reader(clock = Date.now) {
  if (typeof clock === 'function') return clock
  demand(typeof clock?.now === 'function', 'bad_options', '`clock` is a function or has a method `now`')
  return () => clock.now()
}

/** Whether claims belong to a revoked token: by a function of them, or by something that has their `jti`. */
function revocations(revoked) {
  if (revoked === undefined || typeof revoked === 'function') return revoked
  const isList = typeof revoked?.[Symbol.iterator] === 'function' && typeof revoked !== 'string'
  const set = typeof revoked?.has === 'function' ? revoked : isList && new Set(revoked)
  demand(set, 'bad_options', '`revoked` is a function, a Set or a list of `jti`')
  return ({ jti }) => set.has(jti)
}

/** Octets of randomness fetched at once: fetching costs more than signing. Whole groups of three, so that base64 needs no padding. */
const BLOCK = 3072
const ID = 22
let ids = ''
let used = 0

/** 132 random bits in base64url. */
function id() {
  if (used + ID > ids.length) {
    const block = crypto.getRandomValues(new Uint8Array(BLOCK))
    // `apply`, as spreading the octets takes ten times as long.
    ids = btoa(String.fromCharCode.apply(undefined, block)).replaceAll('+', '-').replaceAll('/', '_')
    used = 0
  }
  used += ID
  return ids.slice(used - ID, used)
}

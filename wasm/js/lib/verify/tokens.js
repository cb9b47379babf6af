// `createVerifier` and `createSigner`, over a module that an entry brings.

import { TokenError } from './error.js'
import { guest } from './guest.js'
import { keysOf, told } from './keys.js'
import { demand, known, reader, text } from './options.js'

const BOTH = ['key', 'keys', 'kid', 'issuer', 'audience', 'typ', 'clock']
const VERIFIER = [...BOTH, 'algorithms', 'leeway', 'revoked']
const SIGNER = [...BOTH, 'algorithm', 'subject', 'expiresIn']

/** Both functions, over the module that `load` gives. */
export function over(load) {
  let module

  /** The clock, and the function `name` of a module that has taken the options. */
  function open(name, options, algorithms) {
    const { issuer, audience, leeway = 0, typ = 'JWT', clock } = options
    const octets = told({ issuer, audience, leeway, typ, ...keysOf(options, algorithms, name === 'sign') })
    const { run } = guest((module ??= load()), () => octets)
    return [reader(clock), run]
  }

  function createVerifier(options) {
    known(options, VERIFIER)
    const isRevoked = revocations(options.revoked)
    const [now, run] = open('verify', options, options.algorithms)

    return function verify(token) {
      const claims = JSON.parse(run('verify', text(token), now()))
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
    demand(Number.isSafeInteger(expiresIn) && expiresIn > 0, 'bad_options', '`expiresIn` is a whole number of seconds')
    const [now, run] = open('sign', options, algorithm === undefined ? undefined : [algorithm])
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
      let json
      try {
        json = JSON.stringify(replaces ? { ...fixed, ...claims, iat: undefined, exp: undefined, jti: undefined } : claims)
      } catch (cause) {
        throw new TokenError('bad_claims', 'the claims have no JSON form', { cause })
      }
      // `toJSON` may have made something else of them.
      demand(json?.[0] === '{', 'bad_claims', 'the claims are no object in JSON')
      return run('sign', `${times}${id()}"${replaces ? '' : head}${json === '{}' ? '' : ','}${json.slice(1)}`)
    }
  }

  return { createVerifier, createSigner }
}

/** Whether `claims` has a member with one of `names`. */
function hasAny(claims, names) {
  for (const name in claims) if (names.has(name)) return true
  return false
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

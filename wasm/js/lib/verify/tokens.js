// `createVerifier` and `createSigner`, over a module that an entry brings.

import { TokenError } from './error.js'
import { guest } from './guest.js'
import { encode } from './keys.js'
import { checked, demand, isText, reader, text } from './options.js'

const BOTH = ['key', 'keys', 'kid', 'issuer', 'audience', 'typ', 'clock']
const VERIFIER = [...BOTH, 'algorithms', 'leeway', 'revoked']
const SIGNER = [...BOTH, 'algorithm', 'subject', 'expiresIn']

/** Both functions, over the module that `load` gives. */
export function over(load) {
  let module

  /** The clock, and the function `name` of a module that has taken the options. */
  function open(name, options, algorithms) {
    const octets = encode(options, algorithms, name === 'sign')
    const { run } = guest((module ??= load()), () => octets)
    return [reader(options.clock), run]
  }

  function createVerifier(given) {
    const options = checked(given, VERIFIER)
    const isRevoked = revocations(options.revoked)
    const [now, run] = open('verify', options, options.algorithms)

    return function verify(token) {
      const claims = JSON.parse(run('verify', text(token), now()))
      if (isRevoked !== undefined) {
        demand(Object.hasOwn(claims, 'jti'), 'bad_jti', 'the token has no `jti`')
        const found = isRevoked(claims)
        // A promise that fails later would end the process.
        found?.catch?.(() => {})
        demand(!found?.then, 'bad_options', '`revoked` gives no promise')
        demand(!found, 'revoked', 'the token was revoked')
      }
      return claims
    }
  }

  function createSigner(given) {
    const options = checked(given, SIGNER)
    const { issuer: iss, audience: aud, subject: sub, expiresIn, algorithm } = options
    demand(Number.isInteger(expiresIn) && expiresIn > 0 && expiresIn < 1e12, 'bad_options', '`expiresIn` is a whole number of seconds')
    const [now, run] = open('sign', options, algorithm === undefined ? undefined : [algorithm])

    return function sign(claims = {}) {
      const iat = Math.floor(now() / 1000)
      let said
      try {
        // As JSON has them: `toJSON` may make something else of them.
        said = JSON.parse(JSON.stringify(claims))
      } catch (cause) {
        throw new TokenError('bad_claims', 'the claims have no JSON form', { cause })
      }
      demand(typeof said === 'object' && said !== null && !Array.isArray(said), 'bad_claims', 'claims are an object')
      const all = { iss, aud, sub, ...said, iat, exp: iat + expiresIn, jti: id() }
      const json = JSON.stringify(all)
      demand(isShallow(all) && takeable(all, json), 'bad_claims', 'no verifier takes such claims; look at `sub`, `iss`, `aud`, `nbf`, depth')
      return run('sign', json)
    }
  }

  return { createVerifier, createSigner }
}

/** Whether some verifier could take these claims, which have that JSON form. */
function takeable({ iss, aud = '', sub, nbf = 0, exp, uid = '', dialect = '', gen = 0 }, json) {
  const audiences = [aud].flat()
  return sub && audiences.length && [iss, sub, uid, dialect, ...audiences].every(isText) && typeof nbf === 'number' && Math.abs(nbf) < exp
    // JSON writes an escape for a lone surrogate, which no strict reader takes.
    && gen >>> 0 === gen && !/[^\\](\\\\)*\\ud/.test(json)
}

/** Whether objects and lists nest no deeper than verifiers read, `value` itself included. */
function isShallow(value, left = 128) {
  return Object(value) !== value || (left && Object.values(value).every(inner => isShallow(inner, left - 1)))
}

/** What tells whether claims belong to a revoked token: a function of them, or something that has their `jti`. */
function revocations(revoked) {
  if (revoked === undefined || typeof revoked === 'function') return revoked
  const isList = typeof revoked === 'object' && revoked?.[Symbol.iterator]
  const set = typeof revoked?.has === 'function' ? revoked : isList && new Set(revoked)
  demand(set, 'bad_options', '`revoked` is a function, Set or list of `jti`')
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

// `createVerifier` and `createSigner`, over a module that an entry brings.

import { TokenError } from './error.js'
import { Guest } from './guest.js'
import { demand, isText, keysOf } from './keys.js'

const VERIFIER = ['key', 'keys', 'kid', 'algorithms', 'issuer', 'audience', 'leeway', 'typ', 'revoked', 'clock']
const SIGNER = ['key', 'keys', 'kid', 'algorithm', 'issuer', 'audience', 'subject', 'expiresIn', 'typ', 'clock']

/** Both functions, over the module that `load` gives. */
export function over(load) {
  let module
  const ready = () => (module ??= load())

  function createVerifier(options) {
    const { key, keys, kid, algorithms, issuer, audience, leeway = 0, typ = 'JWT', revoked, clock } = known(options, VERIFIER)
    demand(isText(issuer), 'bad_options', '`issuer` is a text and needed: it says whose tokens are meant')
    demand(audience === undefined || isText(audience), 'bad_options', '`audience` is a text')
    demand(Number.isInteger(leeway) && leeway >= 0 && leeway <= 60, 'bad_options', '`leeway` is a whole number of seconds from 0 to 60')
    demand(isText(typ), 'bad_options', '`typ` is a text')
    const isRevoked = revocations(revoked)
    const now = reader(clock)
    const guest = new Guest(ready(), { issuer, audience, leeway, typ, ...keysOf({ key, keys, kid, algorithms }, false) })

    return function verify(token) {
      if (typeof token !== 'string') throw new TokenError('not_a_string', 'a token is a string')
      const claims = JSON.parse(guest.claims(token, now()))
      if (isRevoked !== undefined) {
        if (claims.jti === undefined) throw new TokenError('bad_jti', 'the token has no id, so it cannot be looked up among the revoked')
        if (isRevoked(claims)) throw new TokenError('revoked', 'the token was revoked')
      }
      return claims
    }
  }

  function createSigner(options) {
    const { key, keys, kid, algorithm, issuer, audience, subject, expiresIn, typ = 'JWT', clock } = known(options, SIGNER)
    demand(isText(issuer), 'bad_options', '`issuer` is a text and needed')
    for (const [name, value] of Object.entries({ audience, subject })) demand(value === undefined || isText(value), 'bad_options', `\`${name}\` is a text`)
    demand(Number.isSafeInteger(expiresIn) && expiresIn > 0, 'bad_options', '`expiresIn` is a whole number of seconds and needed: every token ends')
    demand(isText(typ), 'bad_options', '`typ` is a text')
    const algorithms = algorithm === undefined ? undefined : [algorithm]
    const now = reader(clock)
    const guest = new Guest(ready(), { issuer, audience, leeway: 0, typ, ...keysOf({ key, keys, kid, algorithms }, true) })
    const fixed = { iss: issuer, ...(audience === undefined ? {} : { aud: audience }), ...(subject === undefined ? {} : { sub: subject }) }
    const head = JSON.stringify(fixed).slice(0, -1)
    let second
    let times

    return function sign(claims = {}) {
      demand(typeof claims === 'object' && claims !== null && !Array.isArray(claims), 'bad_claims', 'claims are an object')
      const iat = Math.floor(now() / 1000)
      if (iat !== second) {
        times = `"iat":${iat},"exp":${iat + expiresIn},"jti":"`
        second = iat
      }
      let text
      try {
        text = JSON.stringify(replaces(claims) ? { ...fixed, ...claims, iat: undefined, exp: undefined, jti: undefined } : claims)
      } catch (cause) {
        throw new TokenError('bad_claims', 'the claims have no JSON form', { cause })
      }
      // `toJSON` may have made something else of them.
      demand(text?.startsWith('{'), 'bad_claims', 'the claims are no object in JSON')
      const own = text.slice(1, -1)
      const stated = replaces(claims) ? `{${own}` : own === '' ? head : `${head},${own}`
      return guest.token(`${stated},${times}${id()}"}`)
    }

    /** Whether claims have a member that the signer writes too. */
    function replaces(claims) {
      for (const name in claims) if (WRITTEN.has(name)) return true
      return false
    }
  }

  return { createVerifier, createSigner }
}

/** The members that a signer may write. `iat`, `exp` and `jti` are always its own. */
const WRITTEN = new Set(['iss', 'aud', 'sub', 'iat', 'exp', 'jti'])

function known(options, names) {
  demand(typeof options === 'object' && options !== null, 'bad_options', 'options are an object')
  const unknown = Object.keys(options).find(name => !names.includes(name))
  demand(unknown === undefined, 'bad_options', `there is no option \`${unknown}\``)
  return options
}

/** Milliseconds since the epoch by `clock`: a function, something with `now()`, or nothing. */
function reader(clock) {
  if (clock === undefined) return Date.now
  if (typeof clock === 'function') return clock
  demand(typeof clock.now === 'function', 'bad_options', '`clock` is a function or has a method `now`')
  return () => clock.now()
}

/** Whether claims belong to a revoked token: by a function of them, or by something that has their `jti`. */
function revocations(revoked) {
  if (revoked === undefined || typeof revoked === 'function') return revoked
  if (typeof revoked?.has === 'function') return ({ jti }) => revoked.has(jti)
  demand(typeof revoked?.[Symbol.iterator] === 'function' && typeof revoked !== 'string', 'bad_options', '`revoked` is a function, a Set or a list of `jti`')
  const set = new Set(revoked)
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
    ids = btoa(String.fromCharCode(...block)).replaceAll('+', '-').replaceAll('/', '_')
    used = 0
  }
  used += ID
  return ids.slice(used - ID, used)
}

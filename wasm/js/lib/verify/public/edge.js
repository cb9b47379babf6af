// `createEdgeVerifier` and `createRemoteVerifier`, over a module that an entry brings.

import { TokenError } from '../error.js'
import { guest } from '../guest.js'
import { allowed, checked, demand, isText, reader, text } from '../options.js'
import { statement, utf8 } from '../statement.js'
import { remote } from './remote.js'

const OPTIONS = ['keys', 'issuer', 'audience', 'leeway', 'typ', 'algorithms', 'stale', 'clock']
/** The end of the module's list of algorithms: those for public keys. */
const ALGORITHMS = ['EdDSA', 'ES256', 'Ed25519']
const FIRST = 3
/** What follows in a statement. */
const JWKS = 0
const OCTETS = 1

/** Both functions, over the module that `load` gives. */
export function over(load) {
  let module

  function createEdgeVerifier(given) {
    const options = checked(given, OPTIONS)
    const { stale = 'refuse', clock } = options
    demand(stale === 'refuse' || stale === 'accept', 'bad_options', "`stale` is 'refuse' or 'accept'")
    const wanted = allowed(options.algorithms, ALGORITHMS)
    const unwanted = ALGORITHMS.filter(name => !wanted.includes(name))
    const now = reader(clock)

    function encode(kind, rest) {
      const { number, raw, end } = statement(options)
      number(stale === 'refuse' ? 1 : 0)
      number(kind)
      if (kind === JWKS) {
        number(unwanted.length)
        for (const name of unwanted) number(FIRST + ALGORITHMS.indexOf(name))
      }
      raw(rest)
      return end()
    }

    /** What an instance is told so that it has the keys in force. */
    let keys = encode(JWKS, jwks(options.keys))
    /** The snapshot that was taken last, when, and what an instance knew before. */
    let held
    const { run, load: replace, call, view } = guest((module ??= load()), () => held?.keys ?? keys, () => {
      if (held === undefined) return
      run('take', held.text, held.at)
      replace(keys)
    })
    keys = encode(OCTETS, view(call('keys')))

    return {
      verify: token => JSON.parse(run('verify', text(token), now())),
      setKeys(stated) {
        replace(encode(JWKS, jwks(stated)))
        keys = encode(OCTETS, view(call('keys')))
      },
      take(snapshot) {
        const at = now()
        run('take', text(snapshot), at)
        const left = encode(OCTETS, view(call('keys')))
        held = { text: snapshot, at, keys, snapshot: Object.freeze({ number: call('number'), expires: call('expires') }) }
        keys = left
        return held.snapshot
      },
      get held() {
        return held?.snapshot
      },
    }
  }

  return { createEdgeVerifier, createRemoteVerifier: remote(createEdgeVerifier) }
}

/** A JWK set as octets of text: the text that was given, or the JSON of the objects. */
function jwks(stated) {
  if (typeof stated === 'string') {
    demand(isText(stated), 'bad_jwk', 'the key set has a lone surrogate')
    return utf8.encode(stated)
  }
  demand(typeof stated === 'object' && stated !== null, 'bad_key', '`keys` is a JWK set, a list of keys, or one')
  let json
  try {
    json = JSON.stringify(Array.isArray(stated) ? { keys: stated } : stated)
  } catch (cause) {
    throw new TokenError('bad_jwk', 'the keys have no JSON form', { cause })
  }
  // `toJSON` may have made nothing of them.
  return utf8.encode(json ?? '')
}

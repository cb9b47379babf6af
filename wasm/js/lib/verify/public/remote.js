// A verifier that reads keys and revocation snapshots from their issuer, whenever those at hand get old.

import { TokenError } from '../error.js'
import { checked, demand, isText, reader } from '../options.js'
import { answered } from './answered.js'

const EDGE = ['issuer', 'audience', 'leeway', 'typ', 'algorithms', 'stale', 'clock']
const OPTIONS = [...EDGE, 'origin', 'fetch', 'keysEvery', 'revocationsEvery', 'timeout', 'onError']
/** Octets of a key set, at most: too few to name so many keys that taking them in holds others up. And octets of a snapshot, at most. */
const KEYS = 1 << 16
const SNAPSHOT = 1 << 20
/** Seconds after a reading of the keys before they are read again for a `kid` that is unknown. */
const REREAD = 10
/** Seconds after a failure before the next try: doubled with each, up to this. */
const PAUSE = 60
/** How many readings a caller waits for, as what is missing may show only in an answer. */
const ROUNDS = 3

export function remote(createEdgeVerifier) {
  return function createRemoteVerifier(given) {
    const options = checked(given, OPTIONS)
    const { keysEvery = 300, revocationsEvery = 30, timeout = 5, onError = () => {}, fetch: get = (url, init) => fetch(url, init) } = options
    for (const [name, value] of Object.entries({ keysEvery, revocationsEvery, timeout })) {
      demand(Number.isFinite(value) && value > 0 && value <= 86_400, 'bad_options', `\`${name}\` is a number of seconds up to a day`)
    }
    for (const [name, value] of Object.entries({ onError, fetch: get })) {
      demand(typeof value === 'function', 'bad_options', `\`${name}\` is a function`)
    }
    const base = baseOf(options.origin, options.fetch !== undefined)
    const now = reader(options.clock)
    // Without keys it accepts nothing.
    const edge = createEdgeVerifier({ ...Object.fromEntries(EDGE.map(name => [name, options[name]])), keys: [] })

    const document = (path, accept, limit, every, use) => ({
      url: `${base}${path}`, accept, limit, every, use, tag: undefined, read: false, hurried: false, failure: undefined, failures: 0,
      reading: 0, since: -Infinity, next: -Infinity,
    })
    const keys = document('/.well-known/jwks.json', 'application/jwk-set+json, application/json', KEYS, keysEvery, edge.setKeys)
    const revocations = document('/auth/revocations', 'application/jwt', SNAPSHOT, revocationsEvery, take)
    // The snapshot is signed with one of the keys.
    const both = [keys, revocations]
    /** The reading that is under way, and how many have begun. */
    let flight
    let readings = 0

    async function verify(token) {
      await update(due, isUsable)
      try {
        return decide(token)
      } catch (error) {
        // It may be a new key, or anybody's invention.
        if (error.code !== 'unknown_kid' || !mayReread()) throw error
      }
      await update(() => (mayReread() ? both : both.filter(({ hurried }) => hurried)))
      return decide(token)
    }

    function decide(token) {
      if (!keys.read) throw new TokenError('no_keys', 'no keys have been read yet', { cause: keys.failure })
      try {
        return edge.verify(token)
      } catch (error) {
        if (error.code === 'revocations_stale') error.cause = revocations.failure
        throw error
      }
    }

    async function refresh() {
      const before = readings
      // Callers that ask at the same time share a reading. One already under way may have been answered before they asked.
      await (underWay() && within(flight.ended, timeout + 1))
      await update(() => both.filter(({ reading, hurried }) => reading <= before || hurried))
      const failed = both.find(({ reading, failure }) => reading <= before || failure !== undefined)
      if (failed !== undefined) throw failed.failure ?? new TokenError('unreachable', 'others read and do not end')
    }

    /** Reads what `missing` names until it names nothing. While another caller reads, one that `canDo` without does not wait for it. */
    async function update(missing, canDo = () => false) {
      for (let round = 0; round < ROUNDS; round++) {
        const list = missing()
        if (list.length === 0) return
        if (underWay() === undefined) await begin(list)
        else if (canDo()) return
        else await within(flight.ended, timeout + 1)
      }
    }

    /** The reading that others wait for. A caller that is gone takes its reading with it, as when a request to a worker is broken off. */
    function underWay() {
      const elapsed = Date.now() - flight?.begun
      if (elapsed < 0 || elapsed > (timeout + 1) * 1000) flight = undefined
      return flight
    }

    function begin(list) {
      const mine = { begun: Date.now() }
      flight = mine
      readings++
      mine.ended = Promise.allSettled(list.map(one => answered(get, one, timeout))).then(answers => {
        // This reading was given up meanwhile, and what others have read since then is newer.
        if (flight !== mine) return
        flight = undefined
        for (const [place, one] of list.entries()) settle(one, answers[place])
      })
      return mine.ended
    }

    function settle(one, { value: answer, reason: failure }) {
      one.hurried = false
      try {
        if (answer?.text !== undefined) {
          one.use(answer.text)
          one.tag = answer.tag
          one.read = true
        }
      } catch (error) {
        failure = error
      }
      const time = now()
      if (failure === undefined && one === revocations && !(edge.held?.expires > time)) {
        failure = new TokenError('revocations_stale', 'the newest snapshot of the issuer is too old')
      }
      one.reading = readings
      one.failure = failure
      one.failures = failure === undefined ? 0 : one.failures + 1
      // At random, as many may have failed together.
      const pause = Math.min(2 ** one.failures, PAUSE) * (0.5 + Math.random() / 2)
      one.since = time
      one.next = time + 1000 * (failure === undefined ? one.every : pause)
      if (failure === undefined) return
      report(failure)
    }

    async function report(failure) {
      try {
        await onError(failure)
      } catch {
        // Whatever `onError` does decides nothing.
      }
    }

    function take(text) {
      try {
        edge.take(text)
      } catch (error) {
        // A copy from a cache on the way. The snapshot at hand is as good until its end.
        if (error.code === 'not_newer') return
        if (error.code === 'unknown_kid' && mayReread()) for (const one of both) one.hurried = true
        throw error
      }
    }

    /** No snapshot can be taken before the keys. */
    function due() {
      const list = both.filter(isDue)
      return keys.read || list.length === 0 ? list : both
    }

    /** A clock that was set back does not tell how long ago something was. */
    function isDue({ next, since, hurried }) {
      const time = now()
      return hurried || !(time < next) || time < since
    }

    function mayReread() {
      return isDue({ next: keys.since + REREAD * 1000, since: keys.since })
    }

    /** Whether tokens can be decided by what is at hand. */
    function isUsable() {
      return keys.read && edge.held?.expires > now()
    }

    return {
      verify,
      refresh,
      get held() {
        return edge.held
      },
    }
  }
}

/** Waits for `promise`, at most `seconds`. The timer is the waiting caller's own. */
async function within(promise, seconds) {
  let timer
  const over = new Promise(resolve => {
    timer = setTimeout(resolve, seconds * 1000)
  })
  await Promise.race([promise, over])
  clearTimeout(timer)
}

/** Where the issuer is, without a slash at the end. Whoever can change the keys on the way is as good as the issuer, hence `https:`. */
function baseOf(origin, isOwnFetch) {
  let url
  try {
    url = new URL(isText(origin) ? origin : '')
  } catch (cause) {
    throw new TokenError('bad_options', '`origin` is not a URL', { cause })
  }
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  demand(url.protocol === 'https:' || (url.protocol === 'http:' && (isLocal || isOwnFetch)), 'bad_options', '`origin` is one of https:')
  // An empty query or fragment shows in the text only.
  demand(!url.username && !url.password && !/[?#]/.test(origin), 'bad_options', '`origin` is more than host and path')
  return url.href.replace(/\/$/, '')
}

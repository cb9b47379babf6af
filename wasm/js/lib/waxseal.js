// The driver: asks the store and the derivations for what a call misses, commits what it decides, answers.
//
//   fetch ─▶ read ─▶ engine's steps ⇄ store.read, store.range, derive    (a lost race starts the call over)
//                       ╰─▶ store.commit ─▶ audit ─▶ Response
//
// INVARIANT: a response leaves only after its commit holds and its events have been handed out.

import { bare, platformAddress } from './address.js'
import { demand, isOctets, octets32, onlyOptions } from './check.js'
import { reader } from './clock.js'
import { WaxsealError } from './errors.js'
import * as guest from './guest.js'
import { plain, read, Refused, write } from './http.js'
import { say } from './say.js'
import { jsonOf } from './settings.js'

/**
 * How often a call is started before it is given up, and the longest pause between; as in `host/src/engine/drive.rs`. Starting over is
 * cheap, as derivations are kept.
 */
const MOST_STARTS = 16
const LONGEST_PAUSE_MILLIS = 64
/** How long a key verifies after its last token has ended. */
const KEY_GRACE_MILLIS = 60_000
const OPTIONS = ['store', 'settings', 'rootKey', 'clock', 'audit', 'clientAddress', 'kdf', 'onError']

/** The whole engine behind one `fetch`. Entries subclass it with what their platform needs. */
export class Waxseal {
  #load
  #store
  #settings
  #rootKey
  #now
  #ordered = { nowMillis: 0, order: 0 }
  #audit
  #clientAddress
  #onError
  #kdf
  #sharesKdf
  #engine
  #instance
  #stamp
  #openedAt

  constructor(options, platform) {
    onlyOptions(options, OPTIONS)
    const { store, settings = {}, rootKey, clock, audit, clientAddress, kdf, onError } = options
    for (const verb of ['read', 'range', 'commit']) {
      demand(typeof store?.[verb] === 'function', 'bad_store', `a store has a function \`${verb}\``)
    }
    for (const [name, value] of Object.entries({ audit, clientAddress, onError })) {
      demand(value === undefined || typeof value === 'function', 'bad_options', `\`${name}\` is a function`)
    }
    demand(kdf === undefined || typeof kdf?.derive === 'function', 'bad_options', '`kdf` has a function `derive`')
    demand(rootKey !== undefined || (store.volatile === true && typeof store.rootKey === 'function'), 'bad_root_key',
      'a store that outlives the process needs a `rootKey`, kept apart from it')
    this.#load = platform.engine
    this.#store = store
    this.#settings = jsonOf(settings)
    this.#rootKey = typeof rootKey === 'function' || rootKey === undefined ? rootKey : octets32(rootKey, '`rootKey`')
    this.#now = reader(clock)
    this.#audit = audit
    this.#clientAddress = clientAddress ?? platformAddress
    this.#onError = onError ?? say
    this.#sharesKdf = kdf === undefined
    this.#kdf = kdf ?? platform.kdf()
    this.fetch = this.fetch.bind(this)
  }

  /** Answers a request from outside. What else the platform hands over goes to `clientAddress` only. */
  async fetch(request, ...context) {
    let address
    try {
      address = this.#clientAddress(request, ...context) ?? null
    } catch (cause) {
      throw new WaxsealError('bad_address', '`clientAddress` failed', { cause })
    }
    // A promise that fails later would end the process.
    address?.catch?.(() => {})
    demand(address === null || typeof address === 'string', 'bad_address', '`clientAddress` did not give a string')
    // Deno.serve breaks off the body of a client who is gone, and warns whoever asks for the signal.
    return this.#answer(request, { address: address && bare(address), local: false }, globalThis.Deno && context[0]?.remoteAddr)
  }

  /** Answers a request of the owner: `/admin/…` exists, and nothing there needs a password. Never pass a stranger's request here. */
  async admin(request) {
    return this.#answer(request, { address: null, local: true })
  }

  /** Makes sure that requests can be answered: module, settings, root key and store. Rejects with what is wrong. */
  async ready() {
    await guest.start(this.#load)
    await this.#opened(this.#now())
  }

  /** Makes the first administrator and the first signing key. `null` if there has ever been a user. */
  async bootstrap(first) {
    const { name = 'admin', password } = first ?? {}
    demand(typeof name === 'string' && typeof password === 'string', 'bad_options', 'name and password are strings')
    await this.ready()
    const body = JSON.stringify({ name, password })
    const headers = { 'content-type': 'application/json' }
    const response = await this.admin(new Request('http://localhost/admin/bootstrap', { method: 'POST', headers, body }))
    const told = await response.json().catch(() => ({}))
    if (response.status === 201) return told
    if (told.error === 'already_bootstrapped') return null
    throw new WaxsealError(told.error ?? 'unavailable', told.message ?? 'the first administrator could not be made')
  }

  /** Ends the worker that derives passwords, if there is one, once no login waits for it. The next login starts another. */
  close() {
    if (this.#sharesKdf) this.#kdf.close()
  }

  async #answer(request, peer, breaksOff) {
    try {
      const { parts, secure } = await read(request, breaksOff)
      return write(await this.#drive(parts, { ...peer, secure }))
    } catch (error) {
      if (error instanceof Refused) return plain(error.status)
      if (error instanceof WaxsealError && MISTAKES.has(error.code)) throw error
      this.#report(error)
      return plain(503)
    }
  }

  async #drive(parts, peer) {
    await guest.start(this.#load)
    const moment = { ...peer, ...this.#nowInOrder(), entropy: guest.run(() => guest.entropy()) ?? null }
    const derived = []
    for (let start = 0; start < MOST_STARTS; start++) {
      if (start > 0) await pause(start)
      const done = await this.#run(parts, moment, derived)
      if (done === undefined) continue
      const { response, commit, events } = done
      const held = await this.#commit(commit, moment.nowMillis)
      // With anything else it may have written.
      demand(typeof held === 'boolean', 'bad_store', '`commit` did not give a boolean')
      if (!held) continue
      if (response.status === 503) this.#report(unanswered(parts))
      await this.#record(moment, events)
      return response
    }
    throw new Error('other requests keep changing the same records')
  }

  /** One run from the start to an end; `undefined` when all is to be done again: in another instance, or in another second. */
  async #run(parts, moment, derived) {
    let step
    let used
    let opened
    try {
      await this.#opened(moment.nowMillis, keys => {
        opened = keys
        used = this.#instance
        step = guest.run(() => this.#engine.begin(parts, moment))
      })
      // Another engine may have stopped the instance before this goes on.
      if (guest.instance() !== used) return undefined
      for (;;) {
        const ask = guest.run(() => step.ask())
        if (ask === undefined) return under(opened, guest.run(() => taken(step).done()))
        const known = derived.length
        const answer = await this.#find(ask, moment, derived)
        if (guest.instance() !== used || (derived.length > known && this.#isLate(moment))) return undefined
        step = guest.run(() => taken(step).resume(answer))
      }
    } finally {
      if (step?.__wbg_ptr && guest.instance() === used) guest.run(() => step.free())
    }

    function taken(spent) {
      step = undefined
      return spent
    }
  }

  /** The time, and how often it was asked for before within its millisecond: so core knows what came later. */
  #nowInOrder() {
    const nowMillis = this.#now()
    const { nowMillis: last, order } = this.#ordered
    this.#ordered = { nowMillis, order: nowMillis === last ? Math.min(order + 1, 0xffff) : 0 }
    return this.#ordered
  }

  /** Whether the clock is in another second than `moment`, which is then set to now: a token begins its life when it is issued. */
  #isLate(moment) {
    if (Math.floor(this.#now() / 1000) === Math.floor(moment.nowMillis / 1000)) return false
    Object.assign(moment, this.#nowInOrder())
    return true
  }

  /** Whether the commit holds. With nothing to write it is no change of the store, but it must follow from the keys as they are now, too. */
  async #commit(commit, now) {
    const { checks, writes } = commit
    if (writes.length > 0) return this.#store.commit(commit, now)
    const records = await this.#read(checks.map(({ key }) => key), now)
    return checks.every(({ version }, i) => records[i]?.version === version)
  }

  async #find({ keys, ranges, derive }, { nowMillis: now, address }, derived) {
    const records = await this.#read(keys, now)
    const found = []
    for (const range of ranges) found.push(await this.#range(range, now))
    return { records: records.map(record => record ?? null), ranges: found, derived: derive ? await this.#derive(derive, address, derived) : null }
  }

  async #read(keys, now) {
    const records = keys.length === 0 ? [] : await this.#store.read(keys, now)
    demand(Array.isArray(records) && records.length === keys.length, 'bad_store', '`read` did not give one entry for each key')
    demand(records.every(record => !record || isOctets(record.value)), 'bad_store', 'a record has no octets')
    return records
  }

  async #range(range, now) {
    const records = await this.#store.range(range, now)
    demand(Array.isArray(records) && records.length <= range.limit, 'bad_store', '`range` did not give a list within its limit')
    demand(records.every(record => isOctets(record?.value)), 'bad_store', 'a record has no octets')
    return records
  }

  /** Computes a derivation once per request, however often the call is started. */
  async #derive(derivation, address, known) {
    const name = JSON.stringify([derivation.scheme, [...derivation.salt], [...derivation.password]])
    const before = known.find(entry => entry.name === name)
    if (before) return before.bits
    const bits = await this.#kdf.derive(derivation, address)
    demand(isOctets(bits) && bits.length === 32, 'bad_kdf', '`derive` did not give 32 octets')
    known.push({ name, bits })
    return bits
  }

  /** Makes the engine know the signing keys as they are stored now, and does `then` before anybody else can open others. */
  async #opened(now, then) {
    const root = await this.#root()
    for (let start = 0; start < MOST_STARTS; start++) {
      if (this.#engine === undefined || this.#instance !== guest.instance()) {
        this.#engine = guest.run(() => new guest.Engine(this.#settings, root))
        this.#instance = guest.instance()
        this.#stamp = undefined
      }
      const [prefix, limit] = guest.run(() => [this.#engine.keysPrefix, this.#engine.mostKeys])
      const keys = await this.#range({ prefix, after: '', limit }, now)
      if (this.#instance !== guest.instance()) continue
      const stamp = JSON.stringify(keys.map(({ key, version }) => [key, version]))
      // Keys whose time has passed are not opened, and the clock that said so may have been ahead.
      if (stamp !== this.#stamp || now + KEY_GRACE_MILLIS < this.#openedAt) {
        guest.run(() => this.#engine.open(keys.map(({ value }) => value), now))
        this.#stamp = stamp
        this.#openedAt = now
      }
      return then?.(keys)
    }
    throw new Error('another engine of this process keeps stopping')
  }

  /** The first answer counts. Calls do not wait for the question of another, as its runtime may have given it up together with that call. */
  async #root() {
    const given = this.#rootKey
    if (isOctets(given)) return given
    const key = octets32(await (given ? given() : this.#store.rootKey(() => randomKey())), 'what `rootKey` gave')
    if (this.#rootKey === given) this.#rootKey = key
    return this.#rootKey
  }

  async #record({ nowMillis, address }, events) {
    if (this.#audit === undefined || events.length === 0) return
    // Pages with an insecure address have no `randomUUID`.
    const request = crypto.getRandomValues(new Uint32Array(4)).join('-')
    for (const event of events) {
      try {
        await this.#audit({ time: nowMillis, source: address, request, ...event })
      } catch (error) {
        this.#report(error)
      }
    }
  }

  async #report(error) {
    try {
      await this.#onError(error)
    } catch {
      // There is nobody left to tell.
    }
  }
}

/** What is thrown to the caller, since no request from outside can cause it. Everything else is answered with 503. */
const MISTAKES = new Set(['bad_request', 'body_used', 'bad_settings', 'bad_root_key', 'bad_clock', 'bad_address', 'no_module'])

/** Makes the keys that a call was run under a condition of its commit: they may have ended while it waited. */
function under(keys, done) {
  const { checks, writes } = done.commit
  for (const { key, version } of keys) if (![...checks, ...writes].some(known => known.key === key)) checks.push({ key, version })
  return done
}

/** What is told of a request that the engine answered with 503: no more than two names of its path, as a token may follow. */
function unanswered({ method, path }) {
  return new Error(`the engine answered 503 to ${method} ${path.split('/', 3).join('/')}`)
}

/** A new secret of 32 octets, for `rootKey`. */
export function generateRootKey() {
  return randomKey()
}

function randomKey() {
  return crypto.getRandomValues(new Uint8Array(32))
}

/** Waits before starting over: at random, and longer each time, so that calls that collided do not collide again. */
function pause(start) {
  return new Promise(resolve => setTimeout(resolve, Math.random() * Math.min(2 ** start, LONGEST_PAUSE_MILLIS)))
}

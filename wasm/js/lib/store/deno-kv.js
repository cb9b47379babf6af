import { demand } from '../check.js'
import { WaxsealError } from '../errors.js'
import { cut, first, whole } from './parts.js'
import { HOUR } from './purge.js'
import { conditions, live } from './record.js'

/** How many keys `getMany` takes at once. */
const AT_ONCE = 10
/** How many octets of a value stand in one entry, which takes 64 KiB with all that is around them. */
const PIECE = 60 * 1024

/** Records in Deno KV, shared by every isolate that opens it. */
export class DenoKvStore {
  #kv
  #space

  /**
   * @param kv what `Deno.openKv()` gives
   * @param {string} [space] the first part of every key
   */
  constructor(kv, space = 'waxseal') {
    demand(typeof kv?.getMany === 'function' && typeof kv.atomic === 'function', 'bad_store', 'this is no Deno KV')
    demand(typeof space === 'string' && space !== '', 'bad_options', 'the first part of keys is a text')
    this.#kv = kv
    this.#space = space
  }

  async read(keys, now) {
    const entries = await this.#entries(keys.map(key => this.#name(key)))
    return Promise.all(keys.map(async (key, i) => (await this.#whole(key, entries[i], now)) ?? null))
  }

  async range({ prefix, after, limit }, now) {
    const start = this.#name(after < prefix ? prefix : `${after}\0`)
    const list = []
    for await (const entry of this.#kv.list({ start, end: this.#name(`${prefix}\x7f`) })) {
      const key = entry.key[1]
      const record = await this.#whole(key, entry, now)
      if (record) list.push({ key, ...record })
      if (list.length === limit) break
    }
    return list
  }

  async commit(commit, now) {
    const { writes } = commit
    const expected = conditions(commit)
    const keys = [...expected, ...writes.filter(write => write.expect === null)].map(({ key }) => key)
    const entries = await this.#entries(keys.map(key => this.#name(key)))
    if (!expected.every(({ version }, i) => (recordIn(entries[i], now)?.version ?? 0) === version)) return false
    const changes = this.#kv.atomic().check(...entries.slice(0, expected.length).map(seen))
    const before = new Map(keys.map((key, i) => [key, entries[i]]))
    for (const write of writes) this.#write(changes, write, before.get(write.key), now)
    return sent(changes)
  }

  #write(changes, { key, value, expires, expect }, before, now) {
    const pieces = value === null ? [] : cut(value, PIECE)
    const old = before.value?.parts ?? 0
    // Whoever else writes it meanwhile could leave parts that nobody knows of.
    if (expect === null && (old > 0 || pieces.length > 1)) changes.check(seen(before))
    // The database itself drops it, going by real time.
    const options = expires === null ? {} : { expireIn: Math.max(0, expires - now) + HOUR }
    if (value === null) changes.delete(this.#name(key))
    else changes.set(this.#name(key), first(pieces, { expires }), options)
    for (let number = 1; number < pieces.length; number++) changes.set(this.#part(key, number), pieces[number], options)
    for (let number = Math.max(1, pieces.length); number <= old; number++) changes.delete(this.#part(key, number))
  }

  #name(key) {
    return [this.#space, key]
  }

  /** Numbers sort after all texts, so that no range of keys has parts in it. */
  #part(key, number) {
    return [this.#space, number, key]
  }

  #whole(key, entry, now) {
    const rest = async count => {
      const entries = await this.#entries(Array.from({ length: count }, (_, i) => this.#part(key, i + 1)))
      return entries.map(part => (part.versionstamp === null ? undefined : { version: version(part), value: part.value }))
    }
    const again = async () => recordIn((await this.#entries([this.#name(key)]))[0], now)
    return whole(recordIn(entry, now), rest, again)
  }

  async #entries(names) {
    const groups = Array.from({ length: Math.ceil(names.length / AT_ONCE) }, (_, i) => names.slice(i * AT_ONCE, (i + 1) * AT_ONCE))
    return (await Promise.all(groups.map(group => this.#kv.getMany(group)))).flat()
  }
}

async function sent(changes) {
  try {
    return (await changes.commit()).ok
  } catch (cause) {
    if (!/\btoo (large|many)\b/i.test(cause?.message)) throw cause
    throw new WaxsealError('too_large', `Deno KV does not take this much in one commit: ${cause.message}`, { cause })
  }
}

const seen = ({ key, versionstamp }) => ({ key, versionstamp })

/** The last two of the ten octets number the writes of one batch, between which nobody reads. */
const version = ({ versionstamp }) => Number(BigInt(`0x${versionstamp.slice(0, 16)}`))

/** The record in an entry, with its parts still to come. */
function recordIn(entry, now) {
  const found = live(entry.value, now)
  return found && { ...found, version: version(entry) }
}

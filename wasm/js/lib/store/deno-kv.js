import { demand } from '../check.js'
import { HOUR } from './purge.js'

/** How many keys `getMany` takes at once. */
const AT_ONCE = 10

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
    const entries = await this.#entries(keys)
    return entries.map(entry => live(entry, now) ?? null)
  }

  async range({ prefix, after, limit }, now) {
    const start = [this.#space, after < prefix ? prefix : `${after}\0`]
    const list = []
    for await (const entry of this.#kv.list({ start, end: [this.#space, `${prefix}\x7f`] })) {
      const record = live(entry, now)
      if (record) list.push({ key: entry.key[1], ...record })
      if (list.length === limit) break
    }
    return list
  }

  async commit({ checks, writes }, now) {
    const conditions = [...checks, ...writes.filter(write => write.expect !== null).map(({ key, expect }) => ({ key, version: expect }))]
    const entries = await this.#entries(conditions.map(({ key }) => key))
    if (!conditions.every(({ version }, i) => (live(entries[i], now)?.version ?? 0) === version)) return false
    const commit = this.#kv.atomic().check(...entries.map(({ key, versionstamp }) => ({ key, versionstamp })))
    for (const { key, value, expires } of writes) {
      if (value === null) commit.delete([this.#space, key])
      // The database itself drops it, by the time that really passes.
      else commit.set([this.#space, key], { value, expires }, expires === null ? {} : { expireIn: Math.max(0, expires - now) + HOUR })
    }
    return (await commit.commit()).ok
  }

  async #entries(keys) {
    const parts = Array.from({ length: Math.ceil(keys.length / AT_ONCE) }, (_, i) => keys.slice(i * AT_ONCE, (i + 1) * AT_ONCE))
    return (await Promise.all(parts.map(part => this.#kv.getMany(part.map(key => [this.#space, key]))))).flat()
  }
}

function live({ versionstamp, value }, now) {
  if (versionstamp === null || (value.expires !== null && value.expires <= now)) return undefined
  // The last two of its ten octets number the writes of one batch, between which nobody reads.
  return { version: Number(BigInt(`0x${versionstamp.slice(0, 16)}`)), value: value.value }
}

import { demand } from '../check.js'
import { cut, first, whole } from './parts.js'
import { advanced, isDue, STEP, UNTOLD } from './purge.js'
import { holds, live } from './record.js'

/** How many keys `get` and `delete` take at once, and how many pairs `put` does. */
const AT_ONCE = 128
/** How many octets of a value stand in one entry: objects without SQLite take 128 KiB with all that is around them. */
const PIECE = 120 * 1024
const RECORDS = 'record/'
const PARTS = 'part/'
const REVISION = 'revision'
/** The times told, and how far the search for what has expired has come: stored, as an object does not stay in memory for long. */
const PURGE = 'purge'

/** Records in the storage of one Cloudflare Durable Object, whose output gate holds the response back until they are on disk. */
export class DurableObjectStore {
  #storage

  /** @param storage `ctx.storage` of the object */
  constructor(storage) {
    demand(typeof storage?.transaction === 'function', 'bad_store', 'this is no storage of a Durable Object')
    this.#storage = storage
  }

  async read(keys, now) {
    const found = await entries(this.#storage, keys.map(key => RECORDS + key))
    return Promise.all(keys.map(async key => (await complete(this.#storage, key, found.get(RECORDS + key), now)) ?? null))
  }

  async range({ prefix, after, limit }, now) {
    const list = []
    let start = after
    while (list.length < limit) {
      const size = Math.min(AT_ONCE, limit - list.length)
      const page = await this.#storage.list({ prefix: RECORDS + prefix, limit: size, ...(start >= prefix && start !== '' ? { startAfter: RECORDS + start } : {}) })
      for (const [name, entry] of page) {
        start = name.slice(RECORDS.length)
        const record = await complete(this.#storage, start, entry, now)
        if (record) list.push({ key: start, ...record })
      }
      if (page.size < size) break
    }
    return list
  }

  async commit(commit, now) {
    const { checks, writes } = commit
    return this.#storage.transaction(async storage => {
      const before = await entries(storage, [...checks, ...writes].map(({ key }) => RECORDS + key))
      if (!holds(commit, key => live(before.get(RECORDS + key), now)?.version ?? 0)) return false
      const kinds = await storage.get([REVISION, PURGE])
      const version = (kinds.get(REVISION) ?? 0) + 1
      await purge(storage, kinds.get(PURGE) ?? { mark: UNTOLD, swept: 0 }, now)
      const puts = [[REVISION, version]]
      const gone = []
      for (const { key, value, expires } of writes) {
        const pieces = value === null ? [] : cut(value, PIECE)
        if (value === null) gone.push(RECORDS + key)
        else puts.push([RECORDS + key, first(pieces, { version, expires })])
        for (let number = 1; number < pieces.length; number++) puts.push([part(key, number), { version, value: pieces[number] }])
        gone.push(...partsOf(key, before.get(RECORDS + key)).slice(Math.max(0, pieces.length - 1)))
      }
      for (const group of groups(puts)) await storage.put(Object.fromEntries(group))
      for (const group of groups(gone)) await storage.delete(group)
      return true
    })
  }
}

/**
 * Drops those of the next few records that expired long enough ago. The next ones are those behind `after`; there are none while
 * everything has been seen since `swept` was sure.
 */
async function purge(storage, { mark: before, swept: last, after }, now) {
  const mark = advanced(before, now)
  const begins = after === undefined && mark.sure > last
  const swept = Math.min(begins ? mark.sure : last, mark.sure)
  if (after === undefined && !begins) {
    if (mark !== before) await storage.put(PURGE, { mark, swept })
    return
  }
  const page = await storage.list({ prefix: RECORDS, startAfter: after ?? RECORDS, limit: STEP })
  const due = [...page].filter(([, { expires }]) => isDue(expires, mark))
  const names = due.flatMap(([name, record]) => [name, ...partsOf(name.slice(RECORDS.length), record)])
  for (const group of groups(names)) await storage.delete(group)
  await storage.put(PURGE, { mark, swept, after: page.size < STEP ? undefined : [...page.keys()].at(-1) })
}

/** The entries of these names that are there. */
async function entries(storage, names) {
  const pages = await Promise.all(groups(names).map(group => storage.get(group)))
  return new Map(pages.flatMap(page => [...page]))
}

/** A record whose first entry is `entry`, with all its octets. */
function complete(storage, key, entry, now) {
  const rest = async count => {
    const names = parts(key, count)
    const found = await entries(storage, names)
    return names.map(name => found.get(name))
  }
  const again = async () => live((await entries(storage, [RECORDS + key])).get(RECORDS + key), now)
  return whole(live(entry, now), rest, again)
}

/** The number stands first, as a key may end in anything. */
const part = (key, number) => `${PARTS}${number}/${key}`

const parts = (key, count) => Array.from({ length: count }, (_, i) => part(key, i + 1))

const partsOf = (key, entry) => parts(key, entry?.parts ?? 0)

function groups(list) {
  return Array.from({ length: Math.ceil(list.length / AT_ONCE) }, (_, i) => list.slice(i * AT_ONCE, (i + 1) * AT_ONCE))
}

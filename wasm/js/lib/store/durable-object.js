import { demand } from '../check.js'
import { isDue, STEP, told, UNTOLD } from './purge.js'

/** How many keys `get`, and pairs `put` take at once. */
const AT_ONCE = 128
const RECORDS = 'record/'
const REVISION = 'revision'
/** What was told, and how far the search for what has expired has come: an object itself is soon forgotten. */
const PURGE = 'purge'

/** Records in the storage of one Cloudflare Durable Object, whose output gate holds the answer back until they are on disk. */
export class DurableObjectStore {
  #storage

  /** @param storage `ctx.storage` of the object */
  constructor(storage) {
    demand(typeof storage?.transaction === 'function', 'bad_store', 'this is no storage of a Durable Object')
    this.#storage = storage
  }

  async read(keys, now) {
    return found(this.#storage, keys, now)
  }

  async range({ prefix, after, limit }, now) {
    const list = []
    let start = after
    while (list.length < limit) {
      const size = Math.min(AT_ONCE, limit - list.length)
      const page = await this.#storage.list({ prefix: RECORDS + prefix, limit: size, ...(start >= prefix && start !== '' ? { startAfter: RECORDS + start } : {}) })
      for (const [name, record] of page) {
        start = name.slice(RECORDS.length)
        const { version, value } = live(record, now) ?? {}
        if (version !== undefined) list.push({ key: start, version, value })
      }
      if (page.size < size) break
    }
    return list
  }

  async commit({ checks, writes }, now) {
    return this.#storage.transaction(async storage => {
      const conditions = [...checks, ...writes.filter(write => write.expect !== null).map(({ key, expect }) => ({ key, version: expect }))]
      const stored = await found(storage, conditions.map(({ key }) => key), now)
      if (!conditions.every(({ version }, i) => (stored[i]?.version ?? 0) === version)) return false
      const kinds = await storage.get([REVISION, PURGE])
      const version = (kinds.get(REVISION) ?? 0) + 1
      await purge(storage, kinds.get(PURGE) ?? { mark: UNTOLD, swept: 0 }, now)
      const kept = writes.filter(({ value }) => value !== null)
      const entries = [[REVISION, version], ...kept.map(({ key, value, expires }) => [RECORDS + key, { version, value, expires }])]
      for (const part of parts(entries)) await storage.put(Object.fromEntries(part))
      for (const part of parts(writes.filter(({ value }) => value === null))) await storage.delete(part.map(({ key }) => RECORDS + key))
      return true
    })
  }
}

/**
 * Drops what has expired for long enough among the next few records: those behind `after`, or none while everything has been seen
 * since `swept` was sure.
 */
async function purge(storage, { mark: before, swept: last, after }, now) {
  const mark = told(before, now)
  const begins = after === undefined && mark.sure > last
  const swept = Math.min(begins ? mark.sure : last, mark.sure)
  if (after === undefined && !begins) {
    if (mark !== before) await storage.put(PURGE, { mark, swept })
    return
  }
  const page = await storage.list({ prefix: RECORDS, startAfter: after ?? RECORDS, limit: STEP })
  const due = [...page].filter(([, { expires }]) => isDue(expires, mark)).map(([name]) => name)
  if (due.length > 0) await storage.delete(due)
  await storage.put(PURGE, { mark, swept, after: page.size < STEP ? undefined : [...page.keys()].at(-1) })
}

async function found(storage, keys, now) {
  const pages = await Promise.all(parts(keys).map(part => storage.get(part.map(key => RECORDS + key))))
  const all = new Map(pages.flatMap(page => [...page]))
  return keys.map(key => live(all.get(RECORDS + key), now) ?? null)
}

function parts(list) {
  return Array.from({ length: Math.ceil(list.length / AT_ONCE) }, (_, i) => list.slice(i * AT_ONCE, (i + 1) * AT_ONCE))
}

function live(record, now) {
  return record && (record.expires === null || now < record.expires) ? { version: record.version, value: record.value } : undefined
}

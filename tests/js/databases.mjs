// Databases in memory that hold their callers to the limits of the real ones, which some of these do not when they run on one machine.

import { serialize } from 'node:v8'

/** What V8 makes of a value; octets by themselves are kept as they are. */
const sizeOf = value => (value instanceof Uint8Array ? value.length : serialize(value).length)
const keep = value => structuredClone(value)
/** Long enough for others to come between. */
const turn = () => new Promise(resolve => setImmediate(resolve))

function demand(holds, message) {
  if (!holds) throw new TypeError(message)
}

/** Deno KV, as far as a store needs it. */
export function denoKv() {
  const entries = new Map()
  let last = 0
  const named = key => JSON.stringify(key)
  const lengthOf = key => {
    const length = key.reduce((sum, part) => sum + (typeof part === 'string' ? part.length + 2 : 9), 0)
    demand(length <= 2048, 'Key too large for write (max 2048 bytes)')
    return length
  }
  const entry = key => keep(entries.get(named(key)) ?? { key, value: null, versionstamp: null })
  return {
    entries,
    async getMany(keys) {
      demand(keys.length <= 10, 'Too many ranges (max 10)')
      await turn()
      return keys.map(entry)
    },
    async* list({ start, end }) {
      const found = [...entries.values()].filter(({ key }) => compare(key, start) >= 0 && compare(key, end) < 0)
      for (const { key } of found.sort((a, b) => compare(a.key, b.key))) {
        await turn()
        const now = entry(key)
        if (now.versionstamp !== null) yield now
      }
    },
    async set(key, value) {
      await this.atomic().set(key, value).commit()
    },
    atomic() {
      const [checks, changes] = [[], []]
      const self = {
        check: (...more) => (checks.push(...more), self),
        set: (key, value) => (changes.push({ key, value: keep(value) }), self),
        delete: key => (changes.push({ key }), self),
        async commit() {
          demand(checks.length <= 100, 'Too many checks (max 100)')
          demand(changes.length <= 1000, 'Too many mutations (max 1000)')
          let total = [...checks, ...changes].reduce((sum, { key }) => sum + lengthOf(key), 0)
          let keys = 0
          for (const { key, value } of changes.filter(({ value }) => value !== undefined)) {
            demand(sizeOf(value) <= 65_536, 'Value too large (max 65536 bytes)')
            total += lengthOf(key) + sizeOf(value)
            keys += lengthOf(key)
          }
          demand(total <= 819_200, 'Total mutation size too large (max 819200 bytes)')
          demand(keys <= 81_920, 'Total key size too large (max 81920 bytes)')
          await turn()
          if (!checks.every(({ key, versionstamp }) => entry(key).versionstamp === versionstamp)) return { ok: false }
          const versionstamp = `${(++last).toString(16).padStart(16, '0')}0000`
          for (const { key, value } of changes) {
            if (value === undefined) entries.delete(named(key))
            else entries.set(named(key), { key, value, versionstamp })
          }
          return { ok: true, versionstamp }
        },
      }
      return self
    },
  }
}

/** Part by part: texts before numbers. */
function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (typeof a[i] !== typeof b[i]) return typeof a[i] === 'string' ? -1 : 1
    if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1
  }
  return a.length - b.length
}

/** The storage of a Durable Object without SQLite, as far as a store needs it. */
export function objectStorage() {
  let entries = new Map()
  let before = Promise.resolve()
  const over = where => ({
    async get(keys) {
      demand(keys.length <= 128, 'Maximum number of keys is 128.')
      await turn()
      return new Map(keys.filter(key => where().has(key)).map(key => [key, keep(where().get(key))]))
    },
    async list({ prefix = '', startAfter = '', limit = Infinity } = {}) {
      await turn()
      const keys = [...where().keys()].filter(key => key.startsWith(prefix) && key > startAfter).sort().slice(0, limit)
      return new Map(keys.map(key => [key, keep(where().get(key))]))
    },
    async put(...args) {
      const pairs = args.length === 2 ? [args] : Object.entries(args[0])
      demand(pairs.length <= 128, 'Maximum number of pairs is 128.')
      for (const [key, value] of pairs) {
        demand(key.length <= 2048, 'Keys cannot be larger than 2048 bytes.')
        demand(sizeOf(value) <= 131_072 + 32, 'Values cannot be larger than 131072 bytes.')
        where().set(key, keep(value))
      }
      await turn()
    },
    async delete(keys) {
      demand(keys.length <= 128, 'Maximum number of keys is 128.')
      for (const key of keys) where().delete(key)
      await turn()
    },
  })
  return {
    ...over(() => entries),
    /** One after the other; nobody else sees what it does until it has been done. */
    transaction(work) {
      const done = before.then(async () => {
        const copy = new Map(entries)
        const result = await work(over(() => copy))
        entries = copy
        return result
      })
      before = done.catch(() => {})
      return done
    },
  }
}

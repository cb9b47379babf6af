import { advanced, isDue, STEP, UNTOLD } from './purge.js'
import { holds, live } from './record.js'

/** Records in memory, for tests and for trying things out: gone with the process. */
export class MemoryStore {
  /** Tells the engine that it may make its own root key. */
  volatile = true
  #records = new Map()
  /** Their keys by what comes before the first slash, so that a search looks at few. */
  #folders = new Map()
  #revision = 0
  #rootKey
  /** What it was told of the time. A store on disk keeps it there. */
  mark = UNTOLD
  /** Where the search for what has expired stands; `undefined` when it has seen everything. And what was sure when it began. */
  #sweep
  #swept = 0

  async read(keys, now) {
    return keys.map(key => shown(this.#live(key, now)))
  }

  async range({ prefix, after, limit }, now) {
    const some = prefix.includes('/') ? this.#folders.get(folder(prefix)) ?? [] : this.#records.keys()
    const keys = [...some].filter(key => key.startsWith(prefix) && key > after && this.#live(key, now))
    return keys.sort(byCodeUnits).slice(0, limit).map(key => ({ key, ...shown(this.#live(key, now)) }))
  }

  async commit(commit, now) {
    if (!this.holds(commit, now)) return false
    this.apply(commit.writes)
    this.purge(now)
    return true
  }

  /** Whether every condition of a commit holds. */
  holds(commit, now) {
    return holds(commit, key => this.#live(key, now)?.version ?? 0)
  }

  /** Writes without asking. */
  apply(writes) {
    this.#revision++
    for (const { key, value, expires } of writes) {
      if (value === null) this.#drop(key)
      else {
        this.#records.set(key, { version: this.#revision, value: value.slice(), expires })
        const name = folder(key)
        if (!this.#folders.has(name)) this.#folders.set(name, new Set())
        this.#folders.get(name).add(key)
      }
    }
  }

  /** Drops what has expired for long enough, in steps: each looks at a bounded number of records. */
  purge(now) {
    this.mark = advanced(this.mark, now)
    const { sure } = this.mark
    if (this.#sweep === undefined && sure > this.#swept) {
      this.#sweep = this.#records.entries()
      this.#swept = sure
    }
    this.#swept = Math.min(this.#swept, sure)
    for (let left = STEP; left > 0 && this.#sweep; left--) {
      const { done, value } = this.#sweep.next()
      if (done) this.#sweep = undefined
      else if (isDue(value[1].expires, this.mark)) this.#drop(value[0])
    }
  }

  /** Every record with its key, but what has expired for long enough. */
  kept() {
    return [...this.#records].filter(([, { expires }]) => !isDue(expires, this.mark))
  }

  /** The root key of an engine that was given none. */
  rootKey(make) {
    return (this.#rootKey ??= make())
  }

  #drop(key) {
    this.#records.delete(key)
    this.#folders.get(folder(key))?.delete(key)
  }

  #live(key, now) {
    return live(this.#records.get(key), now)
  }
}

function shown(record) {
  return record ? { version: record.version, value: record.value.slice() } : null
}

const folder = key => key.slice(0, key.indexOf('/') + 1)

/** Keys are ASCII, so code units are octets. */
function byCodeUnits(a, b) {
  return a < b ? -1 : a > b ? 1 : 0
}

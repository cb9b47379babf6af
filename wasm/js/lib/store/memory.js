/** Records in memory, for tests and for trying things out: gone with the process. */
export class MemoryStore {
  /** Tells the engine that it may make its own root key. */
  volatile = true
  #records = new Map()
  #revision = 0
  #rootKey

  async read(keys, now) {
    return keys.map(key => shown(this.#live(key, now)))
  }

  async range({ prefix, after, limit }, now) {
    const keys = [...this.#records.keys()].filter(key => key.startsWith(prefix) && key > after && this.#live(key, now))
    return keys.sort(byCodeUnits).slice(0, limit).map(key => ({ key, ...shown(this.#live(key, now)) }))
  }

  async commit(commit, now) {
    if (!this.holds(commit, now)) return false
    this.apply(commit.writes)
    return true
  }

  /** Whether every condition of a commit holds. */
  holds({ checks, writes }, now) {
    const version = key => this.#live(key, now)?.version ?? 0
    return checks.every(check => version(check.key) === check.version)
      && writes.every(write => write.expect === null || version(write.key) === write.expect)
  }

  /** Writes without asking. */
  apply(writes) {
    this.#revision++
    for (const { key, value, expires } of writes) {
      if (value === null) this.#records.delete(key)
      else this.#records.set(key, { version: this.#revision, value: value.slice(), expires })
    }
  }

  /** Every live record with its key. */
  live(now) {
    return [...this.#records].filter(([key]) => this.#live(key, now))
  }

  /** The root key of an engine that was given none. */
  rootKey(make) {
    return (this.#rootKey ??= make())
  }

  #live(key, now) {
    const record = this.#records.get(key)
    return record && (record.expires === null || now < record.expires) ? record : undefined
  }
}

function shown(record) {
  return record ? { version: record.version, value: record.value.slice() } : null
}

/** Keys are ASCII, so code units are octets. */
function byCodeUnits(a, b) {
  return a < b ? -1 : a > b ? 1 : 0
}

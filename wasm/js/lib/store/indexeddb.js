import { demand } from '../check.js'
import { WaxsealError } from '../errors.js'
import { advanced, STEP, UNTOLD } from './purge.js'
import { conditions, live } from './record.js'

const RECORDS = 'records'
const SECRETS = 'secrets'
const EXPIRY = 'expiry'

/** Records in the browser's IndexedDB: one database, shared by every tab and worker of the origin. */
export class IndexedDbStore {
  #name
  #opening

  /** @param {string} [name] the database */
  constructor(name = 'waxseal') {
    demand(typeof name === 'string' && name !== '', 'bad_options', 'the name of a database is a string')
    this.#name = name
  }

  async read(keys, now) {
    const [records] = await this.#transaction('readonly', async records => Promise.all(keys.map(key => asked(records.get(key)))))
    return records.map(record => shown(live(record, now)) ?? null)
  }

  async range({ prefix, after, limit }, now) {
    const lower = after < prefix ? prefix : after
    const span = IDBKeyRange.bound(lower, prefix + '\uffff', after >= prefix)
    const [found] = await this.#transaction('readonly', records => new Promise((resolve, reject) => {
      const list = []
      const cursor = records.openCursor(span)
      cursor.onerror = () => reject(cursor.error)
      cursor.onsuccess = () => {
        const at = cursor.result
        if (!at || list.length === limit) return resolve(list)
        const record = shown(live(at.value, now))
        if (record) list.push({ key: at.key, ...record })
        at.continue()
      }
    }))
    return found
  }

  async commit(commit, now) {
    const [held] = await this.#transaction('readwrite', async (records, transaction) => {
      const expected = conditions(commit)
      const stored = await Promise.all([asked(records.get('')), ...expected.map(({ key }) => asked(records.get(key)))])
      const [last, ...found] = stored
      if (!expected.every(({ version }, i) => (live(found[i], now)?.version ?? 0) === version)) {
        transaction.abort()
        return false
      }
      const version = (last?.version ?? 0) + 1
      const mark = advanced(last?.told ?? UNTOLD, now)
      // The revision and what was told lie under the empty key, which no record has.
      records.put({ version, value: new Uint8Array(), expires: null, told: mark }, '')
      for (const { key, value, expires } of commit.writes) {
        if (value === null) records.delete(key)
        else records.put({ version, value, expires }, key)
      }
      // What does not expire is not in the index.
      for (const key of await asked(records.index(EXPIRY).getAllKeys(IDBKeyRange.upperBound(mark.sure), STEP))) records.delete(key)
      return true
    })
    return held
  }

  /**
   * A root key beside the records, made at the first call. Whoever can run script in this origin can read it: for
   * throw-away keys only.
   */
  async rootKey() {
    const [key] = await this.#transaction('readwrite', async (records, transaction) => {
      const secrets = transaction.objectStore(SECRETS)
      const known = await asked(secrets.get('root'))
      if (known) return known
      const made = crypto.getRandomValues(new Uint8Array(32))
      secrets.put(made, 'root')
      return made
    })
    return key
  }

  /** Closes the database; the next call opens it again. */
  async close() {
    const opening = this.#opening
    this.#opening = undefined
    const database = await opening?.catch(() => undefined)
    database?.close()
  }

  /** Runs `work` in one transaction and waits until it is on disk. Gives a list of one result: a promise would be unwrapped too early. */
  async #transaction(mode, work) {
    const database = await (this.#opening ??= this.#open())
    const transaction = database.transaction([RECORDS, SECRETS], mode, { durability: 'strict' })
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => (transaction.error ? reject(transaction.error) : resolve())
    })
    // A commit that fails halfway must change nothing: without this, what was put before would be kept.
    const worked = work(transaction.objectStore(RECORDS), transaction).catch(error => {
      try {
        transaction.abort()
      } catch {
        // It has ended already.
      }
      throw error
    })
    const [result] = await Promise.all([worked, ended])
    return [result]
  }

  async #open() {
    demand(typeof indexedDB === 'object', 'no_store', 'there is no IndexedDB here')
    const request = indexedDB.open(this.#name, 2)
    request.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) {
        request.result.createObjectStore(RECORDS)
        request.result.createObjectStore(SECRETS)
      }
      request.transaction.objectStore(RECORDS).createIndex(EXPIRY, 'expires')
    }
    try {
      const database = await asked(request)
      // Another tab wants to delete or upgrade it.
      database.onversionchange = () => this.close()
      database.onclose = () => (this.#opening = undefined)
      return database
    } catch (cause) {
      this.#opening = undefined
      throw new WaxsealError('no_store', 'the database cannot be opened', { cause })
    }
  }
}

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function shown(record) {
  return record && { version: record.version, value: record.value }
}

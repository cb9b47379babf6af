// Needs `node:sqlite`: Node 22.13 or later, or Deno 2.2 or later.

import { DatabaseSync } from 'node:sqlite'
import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { demand } from '../check.js'
import { WaxsealError } from '../errors.js'
import { advanced, STEP, UNTOLD } from './purge.js'
import { holds } from './record.js'

/** How long to wait for other processes. */
const BUSY_MILLIS = 5000

/**
 * Makes the file if it is not there. One that is there keeps its mode, as it may be for a group, and is not opened: to close it would end
 * all locks that this process has on it, by which SQLite keeps other processes from ending the write-ahead log under it.
 */
function make(path) {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    // In words that name the file, which SQLite's do not.
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK)
    // A link to a file that is not there.
    else closeSync(openSync(path, 'a', 0o600))
  }
}

/** Records in a SQLite file, which several processes of one machine may share. */
export class SqliteStore {
  #database
  #read
  #range
  #put
  #delete
  #revision
  #mark
  #tell
  #purge

  /** @param {string} path the file, made with mode 0600 if it is not there */
  constructor(path) {
    demand(typeof path === 'string' && path !== '', 'bad_options', 'a path is a text')
    if (path !== ':memory:') make(path)
    this.#database = new DatabaseSync(path)
    try {
      this.#opened(() => this.#prepare())
    } catch (error) {
      this.close()
      throw error
    }
  }

  #prepare() {
    this.#database.exec(`PRAGMA busy_timeout = ${BUSY_MILLIS}`)
    enableWal(this.#database)
    // FULL: a commit is on disk when it returns.
    this.#database.exec(`PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS record (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL, expires INTEGER) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS revision (last INTEGER NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS expiry ON record (expires) WHERE expires IS NOT NULL;
      CREATE TABLE IF NOT EXISTS told (sure INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
      INSERT INTO revision SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM revision);
      INSERT INTO told SELECT ${UNTOLD.sure}, ${UNTOLD.since} WHERE NOT EXISTS (SELECT 1 FROM told);`)
    const prepare = sql => this.#database.prepare(sql)
    this.#read = prepare('SELECT version, value FROM record WHERE key = ? AND (expires IS NULL OR expires > ?)')
    this.#range = prepare(`SELECT key, version, value FROM record WHERE key >= ? AND key > ? AND key < ? AND (expires IS NULL OR expires > ?)
      ORDER BY key LIMIT ?`)
    this.#put = prepare('INSERT OR REPLACE INTO record (key, version, value, expires) VALUES (?, ?, ?, ?)')
    this.#delete = prepare('DELETE FROM record WHERE key = ?')
    this.#revision = prepare('UPDATE revision SET last = last + 1 RETURNING last')
    this.#mark = prepare('SELECT sure, since FROM told')
    this.#tell = prepare('UPDATE told SET sure = ?, since = ?')
    this.#purge = prepare('DELETE FROM record WHERE key IN (SELECT key FROM record WHERE expires <= ? ORDER BY expires LIMIT ?)')
  }

  async read(keys, now) {
    return this.#opened(() => keys.map(key => shown(this.#read.get(key, now)) ?? null))
  }

  async range({ prefix, after, limit }, now) {
    // Keys are printable ASCII, so DEL sorts after all of them.
    return this.#opened(() => this.#range.all(prefix, after, `${prefix}\x7f`, now, limit).map(row => ({ key: row.key, ...shown(row) })))
  }

  async commit(commit, now) {
    return this.#opened(() => this.#commit(commit, now))
  }

  #commit(commit, now) {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const isGood = holds(commit, key => this.#read.get(key, now)?.version ?? 0)
      if (isGood) {
        const { last } = this.#revision.get()
        for (const { key, value, expires } of commit.writes) {
          if (value === null) this.#delete.run(key)
          else this.#put.run(key, last, value, expires)
        }
        this.#drop(now)
      }
      this.#database.exec(isGood ? 'COMMIT' : 'ROLLBACK')
      return isGood
    } catch (error) {
      try {
        this.#database.exec('ROLLBACK')
      } catch {
        // SQLite has rolled it back by itself.
      }
      throw error
    }
  }

  /** Drops a bounded number of records that expired long enough ago. The times told are kept in the file, as processes come and go. */
  #drop(now) {
    const before = this.#mark.get()
    const mark = advanced(before, now)
    if (mark !== before) this.#tell.run(mark.sure, mark.since)
    this.#purge.run(mark.sure, STEP)
  }

  /** Closes the file. */
  close() {
    this.#database?.close()
    this.#database = undefined
  }

  /** What `work` gives while the file is open; damage has the code that it has in the other stores. */
  #opened(work) {
    demand(this.#database, 'no_store', 'the file is closed')
    try {
      return work()
    } catch (cause) {
      // Deno gives the message only.
      if (!/not a database|malformed/.test(cause.message)) throw cause
      throw new WaxsealError('damaged_store', 'the file is damaged, or no database', { cause })
    }
  }
}

/** Has the file keep a log. Several processes may do so first, and for that SQLite does not wait by itself. */
function enableWal(database) {
  for (const end = Date.now() + BUSY_MILLIS; ; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)) {
    try {
      return database.exec('PRAGMA journal_mode = WAL')
    } catch (error) {
      // Deno gives the message only.
      if (!/\blocked\b/.test(error.message) || Date.now() > end) throw error
    }
  }
}

function shown(row) {
  return row && { version: row.version, value: row.value }
}

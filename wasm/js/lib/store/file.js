import { randomUUID } from 'node:crypto'
import {
  closeSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, linkSync, openSync, readFileSync, realpathSync, renameSync, rmSync,
  writeFileSync, writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { demand, onlyOptions } from '../check.js'
import { WaxsealError } from '../errors.js'
import { say } from '../say.js'
import { MemoryStore } from './memory.js'
import { advanced } from './purge.js'

/** How many times the size of what it keeps, and what size in any case, the file may reach before it is written anew. */
const GROWTH = 4
const SMALLEST = 1 << 20
/** How many octets a line has around one record's key and value, roughly. */
const AROUND = 36
/** What every line begins with, as an example. */
const START = '00000000 [["'

/**
 * Records in one file of lines, each a commit with its checksum, and in memory as well: for one process of Node, Deno or Bun. A
 * commit is on disk before it is answered; one that was cut off by a crash is discarded as a whole.
 */
export class FileStore {
  #path
  #file
  #records = new MemoryStore()
  #size = 0
  #clean = SMALLEST
  #failed
  #onError
  #lock
  /** Whether the directory on disk may not know yet which file has this name. */
  #moved = true

  /**
   * @param {string} path the file, made with mode 0600 if it is not there; `PATH.lock` beside it says who has it open
   * @param {{ onError?: (error: unknown) => void }} [options] `onError` is told what has failed although changes hold
   */
  constructor(path, options = {}) {
    demand(typeof path === 'string' && path !== '', 'bad_options', 'a path is a text')
    onlyOptions(options, ['onError'])
    const { onError = say } = options
    demand(typeof onError === 'function', 'bad_options', '`onError` is a function')
    this.#onError = onError
    closeSync(openSync(path, 'a', 0o600))
    // One file has one lock, however its path is written.
    this.#path = realpathSync(path)
    this.#lock = locked(this.#path)
    try {
      this.#file = openSync(this.#path, 'a+', 0o600)
      this.#load()
      this.#settle()
      if (this.#size > this.#clean) this.#rewrite()
    } catch (error) {
      this.close()
      throw error
    }
  }

  async read(keys, now) {
    return this.#opened().read(keys, now)
  }

  async range(range, now) {
    return this.#opened().range(range, now)
  }

  async commit(commit, now) {
    if (this.#failed) throw this.#failed
    const holds = this.#opened().holds(commit, now)
    if (!holds || commit.writes.length === 0) return holds
    const mark = advanced(this.#records.mark, now)
    const news = mark === this.#records.mark ? [] : [times(mark)]
    const line = written([...commit.writes.map(({ key, value, expires }) => entry(key, value, expires)), ...news])
    try {
      append(this.#file, line)
      fdatasyncSync(this.#file)
      this.#settle()
    } catch (error) {
      // What is on disk is unknown, so it is undone, or nothing more is taken: half a line must not be followed by another.
      this.#undo()
      throw error
    }
    this.#size += line.length
    this.#records.apply(commit.writes)
    this.#records.purge(now)
    if (this.#size > this.#clean) this.#rewrite()
    return true
  }

  /** Closes the file. */
  close() {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
    this.#lock?.()
    this.#lock = undefined
  }

  /** The records, while nobody else can change them. */
  #opened() {
    demand(this.#file !== undefined, 'no_store', 'the file is closed')
    return this.#records
  }

  #load() {
    const bytes = readFileSync(this.#path)
    const head = bytes.toString('latin1', 0, START.length)
    demand(/^[0-9a-f]{8} \[\["$/.test(head + START.slice(head.length)), 'damaged_store', `${this.#path} is not the file of a store; it is left as it is`)
    let start = 0
    for (let end; (end = bytes.indexOf(10, start)) !== -1; start = end + 1) {
      const writes = read(bytes.toString('latin1', start, end))
      // Only a line without an end was cut off. Anything else is damage, and users must not be lost silently.
      demand(writes, 'damaged_store', `the file is damaged at octet ${start}`)
      this.#records.apply(writes.map(([key, value, expires]) => ({ key, value: value === null ? null : new Uint8Array(Buffer.from(value, 'base64')), expires })))
      this.#records.mark = writes.find(([key]) => key === '')?.[2] ?? this.#records.mark
    }
    if (start < bytes.length) ftruncateSync(this.#file, start)
    this.#size = start
    // Of what it keeps, not of what it has grown to: else one that is opened often would never be written anew.
    const kept = this.#records.kept().reduce((sum, [key, { value }]) => sum + key.length + value.length * 4 / 3 + AROUND, 0)
    this.#clean = Math.max(SMALLEST, GROWTH * kept)
  }

  #undo() {
    try {
      // What is missing cannot be restored: setting the length would fill it with zeros.
      demand(fstatSync(this.#file).size >= this.#size, 'no_store', 'the file has become shorter')
      ftruncateSync(this.#file, this.#size)
      fdatasyncSync(this.#file)
    } catch (cause) {
      this.#failed = new WaxsealError('no_store', 'the file cannot be written', { cause })
    }
  }

  /** Writes what is kept to a new file and puts it in the place of the old one. If that fails, the old one goes on for a while. */
  #rewrite() {
    const fresh = `${this.#path}.new`
    let file
    let trouble
    try {
      rmSync(fresh, { force: true })
      file = openSync(fresh, 'ax+', 0o600)
      const entries = this.#records.kept().map(([key, { value, expires }]) => entry(key, value, expires))
      const octets = Buffer.concat([times(this.#records.mark), ...entries].map(one => written([one])))
      append(file, octets)
      fdatasyncSync(file)
      renameSync(fresh, this.#path)
      ;[file, this.#file] = [this.#file, file]
      this.#moved = true
      this.#size = octets.length
      this.#clean = Math.max(SMALLEST, GROWTH * this.#size)
      this.#settle()
    } catch (cause) {
      // The commit holds all the same. A directory that could not be synced is synced before the next commit holds.
      if (!this.#moved) this.#clean = 2 * this.#size
      const what = this.#moved
        ? 'the directory could not be synced; no commit holds until it is'
        : 'the file could not be written anew; what was stored is there, and it grows meanwhile'
      trouble = new WaxsealError('no_store', what, { cause })
    }
    try {
      if (file !== undefined) closeSync(file)
      rmSync(fresh, { force: true })
    } catch {
      // Removing it is tried again before the next rewrite.
    }
    if (trouble !== undefined) this.#report(trouble)
  }

  async #report(error) {
    try {
      await this.#onError(error)
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Sees to it that the name leads to this file even after a loss of power. */
  #settle() {
    if (this.#moved && process.platform !== 'win32') {
      const folder = openSync(dirname(this.#path), 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
    }
    this.#moved = false
  }
}

/** Writes all octets, or throws. A disk that is nearly full takes fewer than it is given. */
function append(file, octets) {
  for (let at = 0; at < octets.length;) {
    const count = writeSync(file, octets, at)
    demand(count > 0, 'no_store', 'the file takes no more')
    at += count
  }
}

/** One write. */
const entry = (key, value, expires) => [key, value && Buffer.from(value).toString('base64'), expires]

/** The times told, under the empty key, which no record has: the removal of nothing to whoever does not know them. */
const times = mark => ['', null, mark]

/** One commit as a line: checksum, blank, JSON. */
function written(writes) {
  const json = JSON.stringify(writes)
  return Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}\n`)
}

/** The commit in a line; `undefined` if it is not one. */
function read(line) {
  const json = line.slice(9)
  if (line.length < 11 || line.slice(0, 9) !== `${crc32(json).toString(16).padStart(8, '0')} `) return undefined
  return JSON.parse(json)
}

/**
 * Takes the lock of the file at `path` for this process; returns a function that gives it back.
 *
 * INVARIANT: a lock whose owner may be alive is never removed by another, and one whose owner is dead is replaced by one only: by whoever
 * has the file that is named after the dead owner, and then still finds the dead owner's lock in place. That file is a lock like the first.
 */
function locked(path) {
  const lock = `${path}.lock`
  const host = attempted(hostname)
  const mine = JSON.stringify({ pid: process.pid, start: startOf('self'), host, id: randomUUID() })
  take(lock)
  return () => {
    if (textOf(lock) === mine) rmSync(lock, { force: true })
  }

  /** Makes `file`, or takes over that of a dead owner. */
  function take(file) {
    for (;;) {
      try {
        create(file, mine)
        return
      } catch (error) {
        if (error.code !== 'EEXIST') throw error
      }
      const found = textOf(file)
      // The lock was given back meanwhile.
      if (found === undefined) continue
      const owner = ownerIn(found)
      const inUse = message => new WaxsealError('store_in_use', `${message}; if that is not so, remove ${lock}`)
      if (owner === undefined) throw inUse(`something has ${path} open`)
      if (owner.host !== host) throw inUse(`a process on the host \`${owner.host}\` has ${path} open`)
      if (lives(owner)) throw inUse(`process ${owner.pid} has ${path} open`)
      const heir = `${lock}.${owner.id}`
      take(heir)
      if (textOf(file) === found) {
        renameSync(heir, file)
        return
      }
      rmSync(heir)
    }
  }
}

/** The owner that a lock names; `undefined` if it names none. */
function ownerIn(text) {
  const { pid, start, host, id } = attempted(() => JSON.parse(text)) || {}
  return Number.isInteger(pid) && pid > 0 && /^[\w-]+$/.test(id) ? { pid, start, host, id } : undefined
}

/** What a file holds; `undefined` when it is not there. */
function textOf(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

/** Makes a file that is complete from the moment it exists. Throws with `EEXIST` if there is one. */
function create(path, text) {
  const draft = `${path}.${randomUUID()}`
  const options = { flag: 'wx', mode: 0o600, flush: true }
  writeFileSync(draft, text, options)
  try {
    linkSync(draft, path)
  } catch (error) {
    if (error.code === 'EEXIST') throw error
    // A file system without links. Whoever looks before the text is in it takes the file for a lock of somebody unknown.
    writeFileSync(path, text, options)
  } finally {
    rmSync(draft)
  }
}

/** Whether the owner, a process of this host or a thread of this process, may still run. */
function lives({ pid, start }) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
  }
  // Process ids are reused, as in a container that was started again; together with the start time they are not.
  const now = startOf(pid)
  return start === '' || now === '' || start === now
}

/** When a process started, in the system's own units; empty where it does not say. */
function startOf(pid) {
  return attempted(() => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[19])
}

/** What `work` gives; an empty text where it throws, as what is not known here, or not allowed. */
function attempted(work) {
  try {
    return work()
  } catch {
    return ''
  }
}

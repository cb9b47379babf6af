import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { demand } from '../check.js'
import { WaxsealError } from '../errors.js'
import { MemoryStore } from './memory.js'

/** How much larger than after the last clean-up, and how large at least, the file may grow before it is written anew. */
const GROWTH = 4
const SMALLEST = 1 << 20

/**
 * Records in one file of lines, each a commit with its checksum, in memory besides: for one process of Node, Deno or Bun. A
 * commit is on disk before it is answered; one that was cut off by a crash is forgotten as a whole.
 */
export class FileStore {
  #path
  #file
  #records = new MemoryStore()
  #size = 0
  #clean = SMALLEST
  #failed
  #locked = false

  /** @param {string} path the file, made with mode 0600 if it is not there; `PATH.lock` beside it says who has it open */
  constructor(path) {
    demand(typeof path === 'string' && path !== '', 'bad_options', 'a path is a text')
    this.#path = path
    this.#lock()
    try {
      this.#file = openSync(path, 'a+', 0o600)
      this.#load()
    } catch (error) {
      this.close()
      throw error
    }
  }

  async read(keys, now) {
    return this.#records.read(keys, now)
  }

  async range(range, now) {
    return this.#records.range(range, now)
  }

  async commit(commit, now) {
    if (this.#failed) throw this.#failed
    const holds = this.#records.holds(commit, now)
    if (!holds || commit.writes.length === 0) return holds
    const line = written(commit.writes.map(({ key, value, expires }) => [key, value && Buffer.from(value).toString('base64'), expires]))
    try {
      writeSync(this.#file, line)
      fdatasyncSync(this.#file)
    } catch (error) {
      // What is on disk is unknown, so nothing more is taken: half a line may not be followed by another.
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
    this.#failed ??= new WaxsealError('no_store', 'the file is closed')
    if (!this.#locked) return
    this.#locked = false
    held.delete(this.#path)
    rmSync(`${this.#path}.lock`, { force: true })
  }

  #load() {
    const bytes = readFileSync(this.#path)
    let start = 0
    for (let end; (end = bytes.indexOf(10, start)) !== -1; start = end + 1) {
      const writes = read(bytes.toString('latin1', start, end))
      if (writes === undefined) break
      this.#records.apply(writes.map(([key, value, expires]) => ({ key, value: value === null ? null : new Uint8Array(Buffer.from(value, 'base64')), expires })))
    }
    // Only the last line can have been cut off. Anything else is damage, and users must not be lost silently.
    if (bytes.indexOf(10, start) !== -1 && bytes.indexOf(10, start) !== bytes.length - 1) {
      throw new WaxsealError('damaged_store', `the file is damaged at octet ${start}`)
    }
    if (start < bytes.length) ftruncateSync(this.#file, start)
    this.#size = start
    this.#clean = Math.max(SMALLEST, GROWTH * start)
  }

  #undo() {
    try {
      ftruncateSync(this.#file, this.#size)
      fdatasyncSync(this.#file)
    } catch (cause) {
      this.#failed = new WaxsealError('no_store', 'the file cannot be written', { cause })
    }
  }

  /** Writes what is kept to a new file and puts it in the place of the old one. */
  #rewrite() {
    const fresh = `${this.#path}.new`
    const lines = this.#records.kept().map(([key, { value, expires }]) => written([[key, Buffer.from(value).toString('base64'), expires]]))
    writeFileSync(fresh, Buffer.concat(lines), { mode: 0o600, flush: true })
    renameSync(fresh, this.#path)
    closeSync(this.#file)
    this.#file = openSync(this.#path, 'a+', 0o600)
    const folder = openSync(dirname(this.#path), 'r')
    fsyncSync(folder)
    closeSync(folder)
    this.#size = lines.reduce((sum, line) => sum + line.length, 0)
    this.#clean = Math.max(SMALLEST, GROWTH * this.#size)
  }

  #lock() {
    const lock = `${this.#path}.lock`
    const take = () => writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 })
    try {
      take()
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (held.has(this.#path) || lives(Number(readFileSync(lock, 'utf8')))) throw new WaxsealError('store_in_use', 'another process has the file open')
      rmSync(lock, { force: true })
      take()
    }
    held.add(this.#path)
    this.#locked = true
  }
}

/** What this process has open. */
const held = new Set()

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

/** Whether another process runs under this number. */
function lives(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false
  // A process before us had the same number, as in a container that was started again.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

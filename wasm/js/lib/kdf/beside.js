// Derivations in a worker. Apart from the rest, as a page that has none need not load this.

import { WaxsealError } from '../errors.js'
import { say } from '../say.js'
import { Kdf } from './kdf.js'

/** How long a worker waits for more work before it is ended, with its memory. */
const IDLE_MILLIS = 5000
/** After this many workers in a row were lost without an answer, none is tried any more: they are forbidden here. */
const MOST_LOST = 3

/** Derives in a worker where `spawn` gives one. */
export class WorkerKdf extends Kdf {
  /** @param platform what `Kdf` takes, and `bytes()`: those of the module, for the worker; `spawn()`: a worker, if there are any */
  constructor({ bytes, spawn, ...platform }) {
    super({ ...platform, beside: spawn && new Beside(bytes, spawn) })
  }
}

/** One worker, which is there while there is work, and for a while after. */
class Beside {
  #bytes
  #spawn
  #worker
  #lost = 0
  #closing = false
  #jobs = new Map()
  #last = 0
  #idle

  constructor(bytes, spawn) {
    this.#bytes = bytes
    this.#spawn = spawn
  }

  /** What the worker answers; `undefined` where there is none, as workers may be forbidden, by a content security policy for example. */
  async compute(derivation) {
    if (this.#lost === MOST_LOST) return undefined
    const id = ++this.#last
    this.#jobs.set(id, undefined)
    clearTimeout(this.#idle)
    try {
      const bytes = await this.#bytes()
      const worker = this.#started()
      worker?.ref?.()
      return worker && (await new Promise(resolve => {
        this.#jobs.set(id, resolve)
        worker.postMessage({ id, bytes, derivation })
      }))
    } finally {
      this.#jobs.delete(id)
      if (this.#jobs.size === 0) this.#rest()
    }
  }

  /** Ends the worker, but not before it has done its work. */
  close() {
    this.#closing = this.#jobs.size > 0
    if (!this.#closing) this.#end()
  }

  #end() {
    clearTimeout(this.#idle)
    this.#worker?.terminate()
    this.#worker = undefined
  }

  #started() {
    if (this.#worker || this.#lost === MOST_LOST) return this.#worker
    let worker
    try {
      worker = this.#worker = this.#spawn()
    } catch (cause) {
      this.#lose(cause)
      return undefined
    }
    const lost = cause => {
      if (this.#worker !== worker) return
      this.#lose(cause)
      this.#end()
      for (const answered of this.#jobs.values()) answered?.()
    }
    worker.listen(answer => {
      this.#lost = 0
      this.#jobs.get(answer.id)?.(answer)
    }, lost)
    return worker
  }

  /** Counts a worker that gave no answer. With the last that is tried, whoever runs this is told that logins hold up the thread. */
  #lose(cause) {
    if (++this.#lost < MOST_LOST) return
    say(new WaxsealError('no_worker', 'no worker has answered; passwords are derived in this thread from now on', { cause }))
  }

  #rest() {
    if (this.#closing) this.close()
    this.#worker?.unref?.()
    clearTimeout(this.#idle)
    if (!this.#worker) return
    this.#idle = setTimeout(() => this.close(), IDLE_MILLIS)
    this.#idle?.unref?.()
  }
}

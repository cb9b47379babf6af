// Password derivations: in a worker where there is one, else here.

import { site } from '../address.js'
import { demand, isOctets } from '../check.js'
import { WaxsealError } from '../errors.js'
import { compute } from './compute.js'

/** How many may wait, half of them of one source; beyond it a derivation is refused, so that a flood of logins takes time but no memory. */
const MOST_WAITING = 64
/** How long a worker waits for more work before it is ended, with its memory. */
const IDLE_MILLIS = 5000
/** After this many workers in a row were lost without an answer, none is tried any more: they are forbidden here. */
const MOST_LOST = 3

/** Derives passwords with Argon2id and PBKDF2. */
export class Kdf {
  #platform
  #worker
  #lost = 0
  #closing = false
  #jobs = new Map()
  #last = 0
  #idle
  #instance
  #turn = Promise.resolve()

  /**
   * @param platform `module()`: the compiled module; `bytes()`: its bytes, for the worker; `spawn(source)`: a worker, if there are any;
   * `pause()`: lets others have their turn before a derivation that is computed here
   */
  constructor(platform) {
    this.#platform = platform
  }

  /** The 32 octets for `derivation`, which the client at `address` has asked for, if that is known. */
  async derive(derivation, address) {
    const { scheme, salt, password } = checked(derivation)
    const source = address && site(address)
    const own = [...this.#jobs.values()].filter(job => source && job.source === source).length
    demand(this.#jobs.size < MOST_WAITING && own < MOST_WAITING / 2, 'kdf_busy', 'too many derivations are waiting')
    const id = ++this.#last
    this.#jobs.set(id, { source })
    try {
      const isSpawned = this.#platform.spawn && this.#lost < MOST_LOST
      return await (isSpawned ? this.#inWorker(id, { scheme, salt, password }) : this.#here({ scheme, salt, password }))
    } finally {
      this.#jobs.delete(id)
      if (this.#jobs.size === 0) this.#rest()
    }
  }

  /** Ends the worker, but not before it has done what others wait for. */
  close() {
    this.#closing = this.#jobs.size > 0
    if (!this.#closing) this.#end()
  }

  #end() {
    clearTimeout(this.#idle)
    this.#worker?.terminate()
    this.#worker = undefined
  }

  async #inWorker(id, derivation) {
    try {
      clearTimeout(this.#idle)
      const bytes = await this.#platform.bytes()
      const worker = this.#started()
      worker.ref?.()
      const answer = await new Promise((resolve, reject) => {
        Object.assign(this.#jobs.get(id), { resolve, reject })
        worker.postMessage({ id, bytes, derivation })
      })
      return bits(answer)
    } catch (error) {
      if (!(error instanceof NoWorker)) throw error
      // Workers may be forbidden here, by a content security policy for example.
      return this.#here(derivation)
    }
  }

  #started() {
    if (this.#worker) return this.#worker
    let worker
    try {
      worker = this.#worker = this.#platform.spawn()
    } catch (cause) {
      this.#lost++
      throw new NoWorker(cause)
    }
    const lost = error => {
      if (this.#worker !== worker) return
      this.#lost++
      this.#end()
      for (const job of this.#jobs.values()) job.reject?.(new NoWorker(error))
    }
    worker.listen(answer => {
      this.#lost = 0
      this.#jobs.get(answer.id)?.resolve(answer)
    }, lost)
    return worker
  }

  /** One after another: there is one buffer. */
  #here(derivation) {
    const job = this.#turn.then(async () => {
      await this.#platform.pause?.()
      try {
        const module = await this.#platform.module()
        this.#instance ??= await WebAssembly.instantiate(module, {})
        return bits(compute(this.#instance.exports, derivation))
      } catch (error) {
        this.#instance = undefined
        throw error instanceof WaxsealError ? error : new WaxsealError('kdf_failed', 'the derivation stopped', { cause: error })
      }
    })
    this.#turn = job.catch(() => {})
    return job
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

class NoWorker extends Error {
  constructor(cause) {
    super('there is no worker', { cause })
  }
}

function bits({ code, bits, message }) {
  demand(code !== 1, 'bad_derivation', 'cost, salt or password are out of bounds')
  demand(code !== 2, 'out_of_memory', 'the memory for the derivation cannot be had')
  demand(code === 0, 'kdf_failed', message)
  return bits
}

/** A copy, of what is needed and nothing else. */
function checked(derivation) {
  const { scheme, salt, password } = derivation ?? {}
  const { argon2id, pbkdf2_sha256: pbkdf2 } = scheme ?? {}
  const { memory, passes, lanes } = argon2id ?? {}
  const numbers = pbkdf2 && !argon2id ? { iterations: pbkdf2.iterations } : { memory, passes, lanes }
  const whole = number => Number.isInteger(number) && number >= 0 && number < 2 ** 32
  demand(Object.values(numbers).every(whole), 'bad_derivation', '`scheme` is `{ argon2id: { memory, passes, lanes } }` or `{ pbkdf2_sha256: { iterations } }`')
  demand(isOctets(salt) && isOctets(password), 'bad_derivation', '`salt` and `password` are Uint8Arrays')
  // `length` is 0 for a detached buffer.
  const copy = octets => new Uint8Array(octets.length && octets)
  return { scheme: argon2id ? { argon2id: numbers } : { pbkdf2_sha256: numbers }, salt: copy(salt), password: copy(password) }
}

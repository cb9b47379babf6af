// Password derivations: in a worker where there is one (`beside.js`), else here.

import { site } from '../address.js'
import { demand, isOctets } from '../check.js'
import { WaxsealError } from '../errors.js'
import { compute } from './compute.js'

/** How many may wait, half of them of one source; beyond it a derivation is refused, so that a flood of logins takes time but no memory. */
const MOST_WAITING = 64

/** Derives passwords with Argon2id and PBKDF2. */
export class Kdf {
  #platform
  #jobs = new Set()
  #instance
  #turn = Promise.resolve()

  /**
   * @param platform `module()`: the compiled module; `beside`: computes in a worker, if there are any; `pause()`: lets others have their
   * turn before a derivation that is computed here
   */
  constructor(platform) {
    this.#platform = platform
  }

  /** The 32 octets for `derivation`, which the client at `address` has asked for, if that is known. */
  async derive(derivation, address) {
    const copy = checked(derivation)
    // Who is unknown is nobody else.
    const source = address ? site(address) : {}
    const own = [...this.#jobs].filter(job => job.source === source).length
    demand(this.#jobs.size < MOST_WAITING && own < MOST_WAITING / 2, 'kdf_busy', 'too many derivations are waiting')
    const job = { source }
    this.#jobs.add(job)
    try {
      const answer = await this.#platform.beside?.compute(copy)
      return answer ? bits(answer) : await this.#here(copy)
    } finally {
      this.#jobs.delete(job)
    }
  }

  /** Ends the worker, but not before it has done what others wait for. */
  close() {
    this.#platform.beside?.close()
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

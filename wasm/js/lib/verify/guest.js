// One instance of the module: its keys are in it. After a trap it is made anew.

import { TokenError } from './error.js'
import { statement } from './keys.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The longest token, in octets. */
const MAX_TOKEN = 8192

const KEY_ERRORS = {
  '-2001': ['short_secret', 'a secret is shorter than the hash of its algorithm'],
  '-2002': ['bad_key_kid', 'a kid has 1 to 256 octets'],
  '-2003': ['repeated_kid', 'two keys of the set have the same kid'],
  '-2004': ['nameless_key', 'a key without a kid must be the only one of its set'],
  '-2005': ['mixed_key_set', 'a set holds either symmetric or asymmetric keys, not both'],
  '-2006': ['many_signers', 'only one key of a set signs'],
}

export class Guest {
  #module
  #statement
  #exports
  #memory
  #input

  constructor(module, stated) {
    this.#module = module
    this.#statement = statement(stated)
    this.#start()
  }

  /** The claims of `token` as they were signed, as text. Throws a `TokenError` for a token that does not hold. */
  claims(token, now) {
    const input = this.#ready()
    // Octets are at least as many as code units, and what does not fit is not read.
    if (token.length > MAX_TOKEN) throw this.#refused(0)
    const { read, written } = encoder.encodeInto(token, input)
    if (read !== token.length || written > MAX_TOKEN) throw this.#refused(0)
    const length = this.#call(() => this.#exports.verify(written, now))
    if (length < 0) throw this.#refused(-1 - length)
    return this.#output(length)
  }

  /** A token over `claims`, the text of a JSON object. */
  token(claims) {
    const { read, written } = encoder.encodeInto(claims, this.#ready())
    const length = read === claims.length ? this.#call(() => this.#exports.sign(written)) : -1
    if (length < 0) throw new TokenError('too_long', 'a token of more than 8192 octets would be refused by every verifier')
    return this.#output(length)
  }

  #call(work) {
    try {
      return work()
    } catch (cause) {
      this.#exports = undefined
      throw new TokenError('trap', 'the module stopped in the middle of a call', { cause })
    }
  }

  #output(length) {
    return decoder.decode(this.#ready().subarray(0, length))
  }

  /** The buffer. A memory that has grown has another. */
  #ready() {
    if (this.#exports === undefined) this.#start()
    if (this.#input.length === 0) this.#view()
    return this.#input
  }

  #start() {
    const exports = new WebAssembly.Instance(this.#module, {}).exports
    this.#memory = exports.memory
    this.#exports = exports
    this.#view()
    if (this.#statement.length > this.#input.length) throw new TokenError('too_many_keys', 'the keys do not fit')
    this.#input.set(this.#statement)
    const end = exports.load(this.#statement.length)
    if (end < 0) {
      this.#exports = undefined
      throw new TokenError(...(KEY_ERRORS[end] ?? ['bad_key', 'the keys cannot be loaded']))
    }
  }

  #view() {
    this.#input = new Uint8Array(this.#memory.buffer, this.#exports.buffer(), this.#exports.room())
  }

  #refused(place) {
    const code = (codes[place] ??= this.#output(this.#exports.reason(place)))
    return new TokenError(code, `the token is refused: ${code.replaceAll('_', ' ')}`)
  }
}

/** The code of each refusal, once it has occurred. */
const codes = []

// One instance of a module: its keys are in it. After a trap it is made anew.

import { TokenError } from './error.js'
import { demand } from './options.js'
import { decoder, utf8 } from './statement.js'

/**
 * An instance that has been told the octets that `first` gives; `restore` does the rest for one that follows after a trap. What a function
 * of the module refuses, and a trap, is thrown as a `TokenError`.
 */
export function guest(module, first, restore = () => {}) {
  let exports
  let buffer
  let result
  start()
  return { run, load, call, view }

  /** A text made of a text: by `verify` the claims of a token as they were signed, by `sign` the token of claims. */
  function run(name, text, now) {
    look()
    const { read, written } = utf8.encodeInto(text, buffer)
    // The buffer holds more than any text may have.
    if (read < text.length) throw because('too_long')
    return decoder.decode(view(call(name, written, now)))
  }

  /** The module takes other keys. */
  function load(octets) {
    look()
    demand(octets.length <= buffer.length, 'too_many_keys', 'this does not fit')
    buffer.set(octets)
    call('load', octets.length)
  }

  /** The number that a function of the module gives. */
  function call(name, length, now) {
    look()
    const number = alive(() => exports[name](length, now))
    if (number < 0) throw because(decoder.decode(view(-1 - number)))
    return number
  }

  /** What `work` gives. An instance that has stopped, or could not be had, is given up. */
  function alive(work) {
    try {
      return work()
    } catch (cause) {
      exports = undefined
      throw new TokenError('trap', 'the module does not run', { cause })
    }
  }

  function start() {
    exports = alive(() => new WebAssembly.Instance(module, {}).exports)
    find()
    try {
      load(first())
      restore()
    } catch (error) {
      // This instance knows less than the one before.
      exports = undefined
      throw error
    }
  }

  /** Sees to an instance, and to its buffer: a memory that has grown has another. */
  function look() {
    if (exports === undefined) start()
    if (buffer.length === 0) find()
  }

  function find() {
    result = buffer = new Uint8Array(exports.memory.buffer, exports.buffer(), exports.room())
  }

  /** What a function of the module has put into the buffer. As results are often equally long, the last view is kept: making one takes as long as reading. */
  function view(length) {
    look()
    if (result.length !== length) result = buffer.subarray(0, length)
    return result
  }
}

function because(code) {
  return new TokenError(code, code.replaceAll('_', ' '))
}

// One instance of the module: its keys are in it. After a trap it is made anew.

import { TokenError } from './error.js'
import { demand, statement } from './keys.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The code of each refusal, once it has occurred. */
const codes = []

/**
 * A function of the module that makes a text of a text: `verify` of a token its claims as they were signed, `sign` of claims a token. It
 * throws a `TokenError` for what does not hold.
 */
export function guest(module, name, stated) {
  const octets = statement(stated)
  let exports
  let work
  let buffer
  let result
  start()

  return function run(text, now) {
    if (work === undefined) start()
    // A memory that has grown has another buffer.
    if (buffer.length === 0) look()
    const { read, written } = encoder.encodeInto(text, buffer)
    // It holds four times as much as a token may have.
    if (read < text.length) throw refused(0)
    let length
    try {
      length = work(written, now)
    } catch (cause) {
      work = undefined
      throw new TokenError('trap', 'the module stopped in the middle of a call', { cause })
    }
    if (length < 0) throw refused(-1 - length)
    return output(length)
  }

  function start() {
    exports = new WebAssembly.Instance(module, {}).exports
    look()
    demand(octets.length <= buffer.length, 'too_many_keys', 'the keys do not fit')
    buffer.set(octets)
    const length = exports.load(octets.length)
    if (length > 0) throw because('the keys are refused', output(length))
    work = exports[name]
  }

  function look() {
    buffer = new Uint8Array(exports.memory.buffer, exports.buffer(), exports.room())
    result = buffer
  }

  /** The text at the start of the buffer. As results are often equally long, the last view is kept: making one takes as long as reading. */
  function output(length) {
    if (buffer.length === 0) look()
    if (result.length !== length) result = buffer.subarray(0, length)
    return decoder.decode(result)
  }

  function refused(place) {
    return because('the token is refused', (codes[place] ??= output(exports.reason(place))))
  }
}

function because(what, code) {
  return new TokenError(code, `${what}: ${code.replaceAll('_', ' ')}`)
}

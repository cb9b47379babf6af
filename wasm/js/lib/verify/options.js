// What verifiers and signers check of their options.

import { isTime } from '../check.js'
import { TokenError } from './error.js'

export function demand(holds, code, message) {
  if (!holds) throw new TokenError(code, message)
}

/** A text that has a UTF-8 form. */
export function isText(value) {
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value)
}

/**
 * A copy of the options, checked: there are no others, and those that must be texts are. Inherited ones count, and each is read once:
 * spreading `given` could check one value and go by another.
 */
export function checked(given, names) {
  demand(typeof given === 'object' && given !== null, 'bad_options', 'options are an object')
  // What all objects inherit is not an option.
  for (const name in given) demand(names.includes(name) || name in {}, 'bad_options', `there is no option \`${name}\``)
  const options = {}
  for (const name of names) options[name] = given[name]
  for (const name of ['issuer', 'audience', 'subject', 'typ']) {
    const value = options[name]
    demand(value === undefined ? name !== 'issuer' : isText(value), 'bad_options', `\`${name}\` is not a text`)
  }
  const { leeway = 0 } = options
  demand(Number.isInteger(leeway) && leeway >= 0 && leeway <= 60, 'bad_options', '`leeway` is a whole number of seconds up to 60')
  return options
}

/** The names of algorithms that are wanted: all that there are unless some are stated. */
export function allowed(stated, all) {
  if (stated === undefined) return all
  demand(Array.isArray(stated), 'bad_options', '`algorithms` is a list')
  for (const name of stated) demand(all.includes(name), 'bad_algorithm', `\`${String(name)}\` is not one of ${all}`)
  return stated
}

/**
 * Milliseconds since the epoch by `clock`: a function, something with `now()`, or nothing for the system's clock, which is looked up at each
 * reading, as tests put another in its place. No verdict goes by what is not a time.
 */
export function reader(clock = () => Date.now()) {
  demand(typeof (clock?.now ?? clock) === 'function', 'bad_options', '`clock` is a function or has a method `now`')
  return () => {
    const now = clock.now ? clock.now() : clock()
    demand(isTime(now), 'bad_clock', '`clock` tells no milliseconds since the epoch')
    return now
  }
}

export function text(value) {
  demand(typeof value === 'string', 'not_a_string', 'this is no text')
  return value
}

import { demand, isTime } from './check.js'

/** A clock that runs and can be moved; stands still if it was given a time to start at. */
export class MovableClock {
  #base
  #ahead = 0

  /** @param {number | Date} [start] where the clock stands still; without it the clock runs with the system's */
  constructor(start) {
    const base = typeof start?.getTime === 'function' ? start.getTime() : start
    demand(base === undefined || Number.isFinite(base), 'bad_clock', 'a clock starts at milliseconds since the epoch, or at a Date')
    this.#base = base
  }

  now() {
    return (this.#base ?? Date.now()) + this.#ahead
  }

  advance(seconds) {
    demand(Number.isFinite(seconds), 'bad_clock', 'a clock is moved by a number of seconds')
    this.#ahead += seconds * 1000
  }
}

/**
 * The function that tells the time by `clock`: a function, something with `now()`, or nothing for the system's clock, which is looked up at
 * each reading, as tests put another in its place.
 */
export function reader(clock = () => Date.now()) {
  // `Date` is both, and called as a function it gives a text.
  const read = typeof clock?.now === 'function' ? () => clock.now() : typeof clock === 'function' ? clock : undefined
  demand(read, 'bad_clock', '`clock` is a function or has a method `now`')
  return () => {
    const now = read()
    demand(isTime(now), 'bad_clock', 'the clock did not tell milliseconds since the epoch')
    // The engine counts whole ones. The modules of verifiers drop the fraction themselves.
    return Math.trunc(now)
  }
}

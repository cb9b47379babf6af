// Ratios side by side: every candidate runs in turn, and the ratio is taken within each turn, so that other load hits both.

/** Runs `candidates` in turns; the median time of each per call, in microseconds, and all turns. */
export async function race(candidates, clock, { turns = 25, millis = 25, warmUp = 80, batch = 20 } = {}) {
  const times = Object.fromEntries(Object.keys(candidates).map(name => [name, []]))
  for (let turn = -1; turn < turns; turn++) {
    for (const [name, work] of Object.entries(candidates)) {
      const end = performance.now() + (turn < 0 ? warmUp : millis)
      const begun = clock()
      let calls = 0
      while (performance.now() < end) {
        for (let i = 0; i < batch; i++) {
          const result = work()
          if (result instanceof Promise) await result
        }
        calls += batch
      }
      if (turn >= 0) times[name].push((clock() - begun) / calls)
    }
  }
  return times
}

export const median = list => [...list].sort((a, b) => a - b)[list.length >> 1]

/** How many times faster `first` is than `second`. */
export const ratio = (times, first, second) => median(times[first].map((time, turn) => times[second][turn] / time))

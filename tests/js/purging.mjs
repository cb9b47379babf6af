// That a store gets rid of what has expired, and of nothing else: one list of scenarios, for every store and runtime. What has been
// dropped is not there for a clock that is set back either, and that is how it is seen here.

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR
const START = 1_935_990_489_000
/** More than one step drops. */
const MANY = 200

const scenarios = {
  'what has expired for an hour is dropped, in steps': async ({ write, tell, left }) => {
    await write(START, MANY, START + 1000)
    await write(START, 3, null, 'lasting')
    await write(START, 3, START + 100 * HOUR, 'late')
    equal(await left(), MANY, 'before the end')
    await tell(START + HOUR)
    await tell(START + 2 * HOUR - 1)
    equal(await left(), MANY, 'not an hour after an end that nobody had seen before')
    await tell(START + 2 * HOUR)
    const afterOne = await left()
    if (afterOne === 0) throw new Error(`one commit has dropped ${MANY} records`)
    for (let i = 0; i < 5; i++) await tell(START + 2 * HOUR + i)
    equal(await left(), 0, 'after some commits more')
    equal(await left('lasting'), 3, 'what does not expire')
    equal(await left('late'), 3, 'what expires later')
  },
  'what was written anew with a later end stays': async ({ write, tell, left }) => {
    await write(START, 10, START + 1000)
    await write(START + 500, 5, START + 100 * HOUR)
    await write(START + 500, 2, null)
    for (let i = 1; i < 10; i++) await tell(START + i * HOUR)
    equal(await left(), 5, 'the others')
  },
  'what comes and goes all the time does not pile up': async ({ write, left }) => {
    for (let i = 0; i < 40; i++) await write(START + i * HOUR / 2, 4, START + i * HOUR / 2 + 1000, `round ${i}`)
    let all = 0
    for (let i = 0; i < 40; i++) all += await left(`round ${i}`)
    if (all > 32) throw new Error(`${all} of 160 records are left`)
  },
  'a clock that runs ahead for less than an hour drops nothing': async ({ write, tell, left }) => {
    await write(START, MANY, START + 10 * HOUR)
    await tell(START + HOUR)
    for (let i = 0; i < 10; i++) await tell(START + YEAR + i * HOUR / 10)
    for (let i = 1; i < 10; i++) await tell(START + i * HOUR)
    equal(await left(), MANY, 'once it has been put right')
    for (let i = 10; i < 20; i++) await tell(START + i * HOUR)
    equal(await left(), 0, 'in the end')
  },
  'what is written after a clock was set back stays until its end': async ({ write, tell, left }) => {
    for (let i = 0; i < 5; i++) await tell(START + i * HOUR)
    const back = START - 10 * HOUR
    await write(back, 20, back + 2 * HOUR)
    await tell(back + HOUR)
    await tell(back + 2 * HOUR - 1)
    equal(await left(), 20, 'before its end')
    await tell(back + 3 * HOUR)
    equal(await left(), 20, 'no hour after its end')
    await tell(back + 4 * HOUR)
    equal(await left(), 0, 'an hour after its end')
  },
}

/** `[{ name, failure }]`; `open(name)` gives an empty store. */
export async function purging(open) {
  const results = []
  for (const [name, play] of Object.entries(scenarios)) {
    let failure
    try {
      await play(over(await open()))
    } catch (error) {
      failure = String(error?.stack ?? error)
    }
    results.push({ name, failure })
  }
  return results
}

export const names = Object.keys(scenarios)

function over(store) {
  const keys = (count, group) => Array.from({ length: count }, (_, i) => `${group}/${String(i).padStart(3, '0')}`)
  async function write(now, count, expires, group = 'group') {
    const writes = keys(count, group).map(key => ({ key, expect: null, value: Uint8Array.of(7), expires }))
    equal(await store.commit({ checks: [], writes }, now), true, 'the commit')
  }
  return {
    write,
    /** A commit of something else. */
    tell: now => write(now, 1, null, 'other'),
    /** How many are there still, expired or not. */
    left: async (group = 'group') => (await store.read(keys(MANY, group), 0)).filter(Boolean).length,
  }
}

function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${found} instead of ${expected}`)
}

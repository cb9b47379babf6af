// Values that are longer than a database takes in one entry: one list of scenarios, for every store that cuts them in pieces.

const KIB = 1024
const NOW = 1_935_990_489_000
const HOUR = 3_600_000
const LENGTHS = [0, 1, 60 * KIB - 1, 60 * KIB, 60 * KIB + 1, 64 * KIB, 120 * KIB, 120 * KIB + 1, 128 * KIB, 131_072 + 2000, 240 * KIB, 700_000]

const scenarios = {
  'a value is read as it was written, however long it is': async ({ store, write }) => {
    for (const length of LENGTHS) {
      const value = octets(length)
      await write({ [`key/${length}`]: value })
      same((await store.read(['none', `key/${length}`], NOW))[1].value, value, `${length} octets`)
    }
    const found = await store.read(LENGTHS.map(length => `key/${length}`), NOW)
    LENGTHS.forEach((length, i) => same(found[i].value, octets(length), `${length} octets among others`))
  },
  'a range has the records and nothing else': async ({ store, write }) => {
    await write({ 'a/1': octets(300_000), 'a/2': octets(7), 'b': octets(200_000) })
    const range = async (prefix, after, limit) => store.range({ prefix, after, limit }, NOW)
    const keys = async (...args) => (await range(...args)).map(({ key }) => key).join()
    equal(await keys('', '', 100), 'a/1,a/2,b')
    equal(await keys('a/', '', 100), 'a/1,a/2')
    equal(await keys('a/', 'a/1', 100), 'a/2')
    equal(await keys('a/', '', 1), 'a/1')
    equal(await keys('part', '', 100), '')
    same((await range('a/', '', 1))[0].value, octets(300_000), 'a value of a range')
  },
  'nothing is left of what was longer, or is gone': async ({ store, write, entries }) => {
    await write({ short: octets(1) })
    const one = await entries()
    for (const next of [octets(200_000), octets(1), octets(500_000), octets(130_000), octets(0), octets(400_000), null]) {
      for (const expect of ['seen', 'any']) {
        await write({ short: octets(2), long: octets(400_000) })
        const [seen] = await store.read(['long'], NOW)
        await write({ long: next }, expect === 'seen' ? seen.version : null)
        const [found] = await store.read(['long'], NOW)
        if (next === null) equal(found, null)
        else same(found.value, next, 'the later value')
      }
    }
    await write({ short: null, long: octets(3) })
    equal(await entries(), one)
  },
  'what was written as one entry is read, and written anew': async ({ store, write, old, entries }) => {
    await write({ 'a/2': octets(1) })
    const before = await entries()
    await old('a/1', octets(64_000))
    same((await store.read(['a/1'], NOW))[0].value, octets(64_000), 'the old value')
    same((await store.range({ prefix: 'a/', after: '', limit: 9 }, NOW))[0].value, octets(64_000), 'the old value in a range')
    const [{ version }] = await store.read(['a/1'], NOW)
    await write({ 'a/1': octets(90_000) }, version)
    same((await store.read(['a/1'], NOW))[0].value, octets(90_000), 'the new value')
    await write({ 'a/1': null })
    equal(await entries(), before)
  },
  'versions are compared, and a commit goes in whole or not at all': async ({ store, write, commit }) => {
    await write({ a: octets(300_000), b: octets(300_000) })
    const [a, b] = await store.read(['a', 'b'], NOW)
    equal(await commit({ a: octets(200_000) }, b.version + 1), false)
    equal(await commit({ c: octets(200_000) }, null, [{ key: 'a', version: a.version + 7 }]), false)
    equal(await commit({ a: octets(100_000) }, 0), false)
    same((await store.read(['a'], NOW))[0].value, octets(300_000), 'what nobody has changed')
    equal((await store.read(['c'], NOW))[0], null)
    equal(await commit({ a: octets(200_000) }, a.version, [{ key: 'b', version: b.version }]), true)
    const [again] = await store.read(['a'], NOW)
    if (again.version === a.version) throw new Error('a version comes once')
  },
  'what has expired is not there': async ({ store, write }) => {
    await write({ long: octets(200_000) }, null, NOW + 1000)
    same((await store.read(['long'], NOW + 999))[0].value, octets(200_000), 'before its end')
    equal((await store.read(['long'], NOW + 1000))[0], null)
    equal((await store.range({ prefix: '', after: '', limit: 9 }, NOW + 1000)).length, 0)
  },
  'what has expired for an hour is dropped with its parts': async ({ store, write, entries, purges }) => {
    if (!purges) return
    await write({ other: octets(1) })
    const one = await entries()
    await write(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`long/${i}`, octets(500_000)])), null, NOW + 1000)
    for (let i = 1; i < 5; i++) await store.commit({ checks: [], writes: [{ key: 'other', expect: null, value: octets(1), expires: null }] }, NOW + i * HOUR)
    equal(await entries(), one)
  },
  'who reads what is written all the time gets one value or another': async ({ store, commit }) => {
    const lengths = [5, 70_000, 130_000, 300_000, 500_000]
    const value = i => new Uint8Array(lengths[i % lengths.length]).fill(i)
    await commit({ 'a/1': value(1) })
    let busy = true
    const writer = async () => {
      for (let i = 2; i < 60; i++) await commit({ 'a/1': value(i) })
      busy = false
    }
    const reader = async read => {
      for (let times = 0; busy; times++) {
        const found = await read()
        const [i] = found.value
        same(found.value, value(i), `value ${i}, reading ${times}`)
        await new Promise(resolve => setTimeout(resolve))
      }
    }
    const byRange = async () => (await store.range({ prefix: 'a/', after: '', limit: 9 }, NOW))[0]
    await Promise.all([writer(), reader(async () => (await store.read(['a/1'], NOW))[0]), reader(byRange)])
  },
  'two who write without a look leave nothing behind': async ({ commit, write, entries }) => {
    await write({ long: octets(1) })
    const one = await entries()
    for (let i = 0; i < 10; i++) await Promise.all([commit({ long: octets(500_000) }), commit({ long: octets(70_000) }), commit({ long: octets(300_000) })])
    await write({ long: octets(1) })
    equal(await entries(), one)
  },
  'more than one commit can take is refused in words, and changes nothing': async ({ store, write, entries, most }) => {
    if (most === undefined) return
    await write({ a: octets(70_000) })
    const before = await entries()
    const refused = async (...args) => {
      const error = await write(...args).then(() => undefined, thrown => thrown)
      if (error?.name !== 'WaxsealError' || error.code !== 'too_large') throw new Error(`not refused as too large, but ${error}`)
    }
    await refused({ a: octets(most + 1) })
    await refused(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`b/${i}`, octets(1)])))
    same((await store.read(['a'], NOW))[0].value, octets(70_000), 'what was there')
    equal(await entries(), before)
  },
}

export const names = Object.keys(scenarios)

/**
 * `[{ name, failure }]`; `open()` gives `{ store, entries, old, purges, most }`: an empty store, how many entries its database has,
 * what writes as it was done before there were parts, whether the store drops what has expired, and how much one commit can take.
 */
export async function long(open) {
  const results = []
  for (const [name, play] of Object.entries(scenarios)) {
    let failure
    try {
      const world = await open()
      const commit = (values, expect = null, checks = [], expires = null) =>
        world.store.commit({ checks, writes: Object.entries(values).map(([key, value]) => ({ key, expect, value, expires })) }, NOW)
      const write = async (values, expect, expires) => equal(await commit(values, expect, [], expires), true)
      await play({ ...world, commit, write })
    } catch (error) {
      failure = String(error?.stack ?? error)
    }
    results.push({ name, failure })
  }
  return results
}

/** Deno KV, or what stands in for it. */
export const overKv = (Store, kv, space) => ({
  store: new Store(kv, space),
  async entries() {
    let count = 0
    for await (const _ of kv.list({ start: [space], end: [space, true] })) count++
    return count
  },
  old: (key, value) => kv.set([space, key], { value, expires: null }),
  most: 800 * KIB,
})

/** A Durable Object's storage, or what stands in for it. */
export const overStorage = (Store, storage) => ({
  store: new Store(storage),
  entries: async () => [...(await storage.list()).keys()].filter(key => key.includes('/')).length,
  old: (key, value) => storage.put(`record/${key}`, { version: 1, value, expires: null }),
  purges: true,
})

/** Which differ wherever they are cut. */
function octets(length) {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13 + (i >> 16)) & 0xff)
}

function same(found, expected, what) {
  if (found.length !== expected.length) throw new Error(`${what}: ${found.length} octets instead of ${expected.length}`)
  const at = found.findIndex((octet, i) => octet !== expected[i])
  if (at >= 0) throw new Error(`${what}: octet ${at} is ${found[at]} instead of ${expected[at]}`)
}

function equal(found, expected) {
  if (found !== expected) throw new Error(`${found} instead of ${expected}`)
}

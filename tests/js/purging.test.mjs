// That every store of the package gets rid of expired records, where it runs.

import { strict as assert } from 'node:assert'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { DenoKvStore } from 'waxseal/store/deno-kv'
import { FileStore } from 'waxseal/store/file'
import { inChromium, inProcess, inWorkerd, nodeWithSqlite } from './places.mjs'
import { bin, deno, folder } from './programs.mjs'
import { names } from './purging.mjs'

const HOUR = 3_600_000
const OLD = 'a database from before is opened'

const places = {
  'node, memory': () => inProcess(process.execPath, ['run.mjs', 'purging', 'memory']),
  'node, file': () => inProcess(process.execPath, ['run.mjs', 'purging', 'file', folder()]),
  ...(nodeWithSqlite ? { 'node, sqlite': () => inProcess(nodeWithSqlite, ['run.mjs', 'purging', 'sqlite', folder()]) } : {}),
  'deno, sqlite': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'purging', 'sqlite', folder()]),
  'workerd, durable object': playInWorkerd,
  'chromium, indexeddb': playInChromium,
}

for (const [place, run] of Object.entries(places)) {
  const results = await run().catch(error => [{ name: 'it runs', failure: error.stack }])
  describe(place, () => {
    for (const { name, failure } of results) test(name, () => assert.ok(!failure, failure))
    test('every scenario was played', () => assert.deepEqual(results.map(({ name }) => name).filter(name => name !== OLD), names))
  })
}

describe('deno kv', () => {
  test('the database is told to drop a record an hour after its end', async () => {
    const told = []
    const atomic = { check: () => atomic, delete: () => atomic, set: (...args) => (told.push(args), atomic), commit: async () => ({ ok: true }) }
    const store = new DenoKvStore({ atomic: () => atomic, getMany: async keys => keys.map(key => ({ key, value: null, versionstamp: null })) })
    const write = (key, expires) => ({ key, expect: null, value: Uint8Array.of(1), expires })
    await store.commit({ checks: [], writes: [write('a', 5000), write('b', null), write('c', 900)] }, 1000)
    assert.deepEqual(told.map(([, , options]) => options), [{ expireIn: HOUR + 4000 }, {}, { expireIn: HOUR }])
  })
})

describe('the file', () => {
  test('does not grow with what comes and goes, and keeps what is just over for a clock that is set back', async () => {
    const path = join(folder(), 'records')
    const store = new FileStore(path)
    const value = new Uint8Array(20_000)
    for (let i = 0; i < 400; i++) {
      const now = (i + 1) * HOUR
      assert.equal(await store.commit({ checks: [], writes: [{ key: `key/${i}`, expect: 0, value, expires: now + 1000 }] }, now), true)
    }
    assert.ok(statSync(path).size < 2_000_000)
    const now = 400 * HOUR
    assert.ok((await store.read(['key/399'], now))[0])
    assert.equal((await store.read(['key/399'], now + 1000))[0], null)
    for (let i = 0; i < 100; i++) await store.commit({ checks: [], writes: [{ key: 'other', expect: null, value, expires: null }] }, now + 2000)
    store.close()
    const again = new FileStore(path)
    assert.ok((await again.read(['key/399'], now))[0])
    assert.equal((await again.read(['key/100'], 0))[0], null)
    again.close()
  })
  test('does not grow with restarts', async () => {
    const path = join(folder(), 'records')
    for (let run = 0; run < 8; run++) {
      const store = new FileStore(path)
      const write = { key: 'key', expect: null, value: new Uint8Array(60_000).fill(run), expires: null }
      for (let i = 0; i < 12; i++) await store.commit({ checks: [], writes: [write] }, HOUR)
      store.close()
    }
    assert.ok(statSync(path).size < 1_100_000)
    const store = new FileStore(path)
    assert.deepEqual((await store.read(['key'], HOUR))[0].value, new Uint8Array(60_000).fill(7))
    store.close()
  })
  test('drops what has expired even if no process lives for an hour', async () => {
    const path = join(folder(), 'records')
    const value = new Uint8Array(20_000)
    for (let run = 0; run < 100; run++) {
      const store = new FileStore(path)
      const now = (run + 1) * HOUR / 2
      const writes = [{ key: `key/${run}`, expect: 0, value, expires: now + 1000 }]
      assert.equal(await store.commit({ checks: [], writes }, now), true)
      store.close()
    }
    assert.ok(statSync(path).size < 1_100_000)
    const store = new FileStore(path)
    assert.ok((await store.read(['key/99'], 50 * HOUR))[0])
    assert.equal((await store.read(['key/0'], 0))[0], null)
    store.close()
  })
  test('opens files of versions that kept the times in the process', async () => {
    const path = join(folder(), 'records')
    const json = '[["key","Bw==",3600000],["gone",null,null]]'
    writeFileSync(path, `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`.repeat(30_000))
    new FileStore(path).close()
    assert.ok(statSync(path).size < 1000, 'what has grown is written anew')
    for (const hour of [1, 2]) {
      const store = new FileStore(path)
      assert.ok((await store.read(['key'], 0))[0])
      await store.commit({ checks: [], writes: [{ key: 'other', expect: null, value: Uint8Array.of(1), expires: null }] }, hour * HOUR)
      assert.equal((await store.read(['key'], 0))[0] === null, hour === 2)
      store.close()
    }
  })
})

async function playInWorkerd() {
  return inWorkerd(async miniflare => (await miniflare.dispatchFetch('http://localhost/purging')).json())
}

async function playInChromium() {
  return inChromium(async browser => {
    const results = await browser.evaluate('return playPurging("indexeddb")')
    const [found, left] = await browser.evaluate('return openOld()')
    const failure = found === 1 && left === null ? undefined : `found ${found}, left ${left}`
    return [...results, { name: OLD, failure }]
  })
}

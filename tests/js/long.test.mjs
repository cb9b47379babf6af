// Records that are longer than what Deno KV and Durable Objects take in one entry.

import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { generateRootKey, MovableClock, Waxseal } from 'waxseal'
import { DenoKvStore } from 'waxseal/store/deno-kv'
import { DurableObjectStore } from 'waxseal/store/durable-object'
import { denoKv, objectStorage } from './databases.mjs'
import { long, names, overKv, overStorage } from './long.mjs'
import { inProcess, inWorkerd } from './places.mjs'
import { bin, deno, folder } from './programs.mjs'

const PASSWORD = 'Grey-Heron 27 lantern'

const places = {
  'what stands in for deno kv': () => long(() => overKv(DenoKvStore, denoKv(), 'world')),
  'what stands in for a durable object without sqlite': () => long(() => overStorage(DurableObjectStore, objectStorage())),
  'deno, deno kv': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'long', 'deno-kv', folder()]),
  'workerd, durable object': () => playInWorkerd(true),
  'workerd, durable object without sqlite': () => playInWorkerd(false),
}

for (const [place, run] of Object.entries(places)) {
  const results = await run().catch(error => [{ name: 'it runs', failure: error.stack }])
  describe(place, () => {
    for (const { name, failure } of results) test(name, () => assert.ok(!failure, failure))
    test('every scenario was played', () => assert.deepEqual(results.map(({ name }) => name), names))
  })
}

describe('nine users who have each revoked a thousand tokens', () => {
  const stores = { 'deno kv': () => new DenoKvStore(denoKv()), 'a durable object without sqlite': () => new DurableObjectStore(objectStorage()) }
  for (const [name, open] of Object.entries(stores)) {
    test(`do not end the revocation snapshots in ${name}`, async () => {
      const store = open()
      const failures = []
      const clock = new MovableClock(1_935_990_489_000)
      const settings = { issuer: 'https://auth.example', signing_algorithm: 'EdDSA', passwords: { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } } } }
      const waxseal = new Waxseal({ store, settings, clock, rootKey: generateRootKey(), onError: error => failures.push(error) })
      await waxseal.bootstrap({ password: PASSWORD })
      await revoke(waxseal)
      const [{ key, value }] = await store.range({ prefix: 'revoked/', after: '', limit: 1 }, clock.now())
      for (let turn = 0; turn < 18; turn++) {
        const writes = Array.from({ length: 500 }, (_, i) => ({ key: `${key}-${turn}-${i}`, expect: null, value, expires: null }))
        assert.equal(await store.commit({ checks: [], writes }, clock.now()), true)
      }
      clock.advance(60)
      const published = () => waxseal.fetch(new Request('https://auth.example/auth/revocations'))
      const one = await published()
      assert.deepEqual([one.status, failures], [200, []])
      const text = await one.text()
      assert.ok(text.length > 128 * 1024, `${text.length} octets`)
      // The one that was stored.
      assert.equal(await (await published()).text(), text)
      waxseal.close()
    })
  }
})

test('more than a commit can take is answered with 503, and its cause is told', async () => {
  const failures = []
  const store = new DenoKvStore(denoKv())
  const clock = new MovableClock(1_935_990_489_000)
  const waxseal = new Waxseal({ store, clock, rootKey: generateRootKey(), onError: error => failures.push(error) })
  await waxseal.bootstrap({ password: PASSWORD })
  // An engine whose every record is huge.
  store.commit = (commit, now) => DenoKvStore.prototype.commit.call(store, { ...commit, writes: commit.writes.map(write => ({ ...write, value: new Uint8Array(900_000) })) }, now)
  assert.equal((await waxseal.fetch(login())).status, 503)
  assert.deepEqual(failures.map(({ code }) => code), ['too_large'])
  waxseal.close()
})

function login() {
  const headers = { authorization: `Basic ${btoa(`admin:${PASSWORD}`)}`, 'content-type': 'application/json' }
  return new Request('https://auth.example/v1/users/authorize', { method: 'POST', headers, body: '{"ttl":3600}' })
}

/** Has one token made and revoked. */
async function revoke(waxseal) {
  const { access_token: token } = await (await waxseal.fetch(login())).json()
  const headers = { authorization: `Bearer ${token}` }
  const { status } = await waxseal.fetch(new Request('https://auth.example/auth/revoke', { method: 'POST', headers, body: new URLSearchParams({ token }) }))
  assert.equal(status, 200)
}

function playInWorkerd(useSQLite) {
  return inWorkerd(async miniflare => (await miniflare.dispatchFetch('http://localhost/long')).json(), useSQLite)
}

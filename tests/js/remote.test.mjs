// A verifier that reads keys and revocation snapshots itself: when it asks, when it does not, and what it makes of answers.

import { strict as assert } from 'node:assert'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MovableClock } from 'waxseal'
import { createRemoteVerifier, TokenError } from 'waxseal/verify/public'
import { keyPair, NOW } from './issuer.mjs'
import { output, served, server } from './programs.mjs'

const ORIGIN = 'https://auth.example'
const KEYS = `${ORIGIN}/.well-known/jwks.json`
const REVOCATIONS = `${ORIGIN}/auth/revocations`

const code = expected => error => {
  assert.ok(error instanceof TokenError, error.stack)
  assert.equal(error.code, expected, error.stack)
  return true
}

/** An issuer whose answers a test may replace, what it was asked, and a verifier that asks it. */
function world(options = {}) {
  const clock = new MovableClock(NOW * 1000)
  const issuer = { key: keyPair('a'), num: 1, snapshot: {}, asked: [], problems: [] }
  issuer.answer = {
    [KEYS]: () => Response.json({ keys: [issuer.key.jwk] }),
    [REVOCATIONS]: () => new Response(issuer.key.snapshot({ num: issuer.num, iat: Math.trunc(clock.now() / 1000), ...issuer.snapshot })),
  }
  const fetch = async (url, init) => {
    issuer.asked.push(url)
    return issuer.answer[url](init)
  }
  const verifier = createRemoteVerifier({ origin: ORIGIN, issuer: 'me', clock, fetch, onError: error => issuer.problems.push(error.code), ...options })
  return { clock, issuer, verifier, taken: () => issuer.asked.splice(0) }
}

describe('what is read when', () => {
  test('nothing before the first token, then both, and again when they are due', async () => {
    const { clock, issuer, verifier, taken } = world()
    assert.deepEqual([taken(), verifier.held], [[], undefined])
    const token = issuer.key.token()
    assert.equal((await verifier.verify(token)).sub, '7')
    assert.deepEqual(taken(), [KEYS, REVOCATIONS])
    await verifier.verify(token)
    clock.advance(29)
    await verifier.verify(token)
    assert.deepEqual(taken(), [])
    issuer.num = 2
    issuer.snapshot.tokens = ['one']
    clock.advance(1)
    await assert.rejects(verifier.verify(token), code('revoked'))
    assert.deepEqual(taken(), [REVOCATIONS])
    assert.equal(verifier.held.number, 2)
    issuer.num = 3
    clock.advance(270)
    await verifier.verify(issuer.key.token({ jti: 'other' }))
    assert.deepEqual(taken(), [KEYS, REVOCATIONS])
    assert.deepEqual(issuer.problems, [])
  })
  test('one reading serves all who wait', async () => {
    const { issuer, verifier, taken } = world()
    const all = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(issuer.key.token())))
    assert.equal(all.length, 50)
    await Promise.all([verifier.refresh(), verifier.refresh(), verifier.refresh()])
    assert.deepEqual(taken(), [KEYS, REVOCATIONS, KEYS, REVOCATIONS])
  })
  test('while one reads, others go by what is at hand', async () => {
    const { clock, issuer, verifier } = world()
    await verifier.refresh()
    clock.advance(30)
    issuer.num = 2
    issuer.snapshot.tokens = ['one']
    const open = deferred()
    const give = issuer.answer[REVOCATIONS]
    issuer.answer[REVOCATIONS] = async () => (await open.promise, give())
    const reading = verifier.verify(issuer.key.token())
    await verifier.verify(issuer.key.token())
    open.resolve()
    await assert.rejects(reading, code('revoked'))
  })
  test('who asks anew is not told what was answered before', async () => {
    const { clock, issuer, verifier, taken } = world()
    await verifier.refresh()
    for (const also of [[], [KEYS]]) {
      // The keys as well, or the snapshot alone.
      clock.advance(also.length > 0 ? 300 : 30)
      const token = issuer.key.token({ jti: `${issuer.num}` })
      issuer.num++
      issuer.snapshot.tokens = []
      const give = issuer.answer[REVOCATIONS]
      const open = deferred()
      const early = give()
      issuer.answer[REVOCATIONS] = async () => (await open.promise, early)
      taken()
      const reading = verifier.verify(token)
      await sleep(1)
      issuer.answer[REVOCATIONS] = give
      issuer.num++
      issuer.snapshot.tokens = [`${issuer.num - 2}`]
      const anew = [verifier.refresh(), verifier.refresh()]
      const later = sleep(1).then(() => verifier.refresh())
      await sleep(5)
      assert.deepEqual(taken(), [...also, REVOCATIONS], 'one reading at a time')
      open.resolve()
      await Promise.all([...anew, later])
      assert.equal(verifier.held.number, issuer.num)
      assert.deepEqual(taken(), [KEYS, REVOCATIONS], 'those who ask meanwhile share one')
      await assert.rejects(verifier.verify(token), code('revoked'))
      await reading.catch(code('revoked'))
    }
  })
  test('who asks anew while somebody does is told what is answered later still', async () => {
    const { issuer, verifier, taken } = world()
    const give = issuer.answer[REVOCATIONS]
    const open = deferred()
    const early = give()
    issuer.answer[REVOCATIONS] = async () => (await open.promise, early)
    const one = verifier.refresh()
    await sleep(1)
    issuer.answer[REVOCATIONS] = give
    issuer.num = 2
    const other = verifier.refresh()
    open.resolve()
    await one
    assert.equal(verifier.held.number, 1)
    await other
    assert.deepEqual([verifier.held.number, taken()], [2, [KEYS, REVOCATIONS, KEYS, REVOCATIONS]])
  })
  test('who asks anew beside a reading that ends in nothing is told', async () => {
    const { issuer, verifier } = world({ timeout: 0.1 })
    issuer.answer[REVOCATIONS] = () => new Promise(() => {})
    const stale = assert.rejects(verifier.verify(issuer.key.token()), code('revocations_stale'))
    await sleep(1)
    await assert.rejects(verifier.refresh(), code('unreachable'))
    await stale
  })
  test('an unknown key is looked for at most once in ten seconds', async () => {
    const { clock, issuer, verifier, taken } = world()
    await verifier.refresh()
    taken()
    const others = Array.from({ length: 40 }, (_, i) => keyPair(`other ${i}`).token())
    for (const token of others) await assert.rejects(verifier.verify(token), code('unknown_kid'))
    assert.deepEqual(taken(), [], 'the keys have just been read')
    clock.advance(10)
    for (const { reason } of await Promise.allSettled(others.map(token => verifier.verify(token)))) code('unknown_kid')(reason)
    for (const token of others) await assert.rejects(verifier.verify(token), code('unknown_kid'))
    assert.deepEqual(taken(), [KEYS, REVOCATIONS])
  })
  test('a new key is found, by its token or by its snapshot', async () => {
    const { clock, issuer, verifier, taken } = world()
    await verifier.refresh()
    clock.advance(10)
    issuer.num = 2
    issuer.key = keyPair('b')
    taken()
    await verifier.verify(issuer.key.token())
    assert.deepEqual(taken(), [KEYS, REVOCATIONS])
    clock.advance(30)
    const old = issuer.key.token()
    issuer.num = 3
    issuer.key = keyPair('c')
    await assert.rejects(verifier.verify(old), code('unknown_kid'))
    // The snapshot could not be taken before.
    assert.deepEqual(taken(), [REVOCATIONS, KEYS, REVOCATIONS])
    await verifier.verify(issuer.key.token())
    assert.deepEqual(taken(), [])
  })
  test('a tag is shown, and an unchanged snapshot not sent again', async () => {
    const { clock, issuer, verifier, taken } = world()
    const seen = []
    const text = issuer.key.snapshot()
    issuer.answer[REVOCATIONS] = ({ headers }) => {
      seen.push(headers['if-none-match'])
      return headers['if-none-match'] === '"1"' ? new Response(null, { status: 304 }) : new Response(text, { headers: { etag: '"1"' } })
    }
    await verifier.refresh()
    clock.advance(30)
    await verifier.verify(issuer.key.token())
    clock.advance(30)
    await verifier.verify(issuer.key.token())
    assert.deepEqual([seen, taken().length, issuer.problems], [[undefined, '"1"', '"1"'], 4, []])
    // Unchanged until it is too old: then it is none.
    clock.advance(540)
    await assert.rejects(verifier.verify(issuer.key.token()), code('revocations_stale'))
    assert.deepEqual(issuer.problems, ['revocations_stale'])
  })
  test('a clock that is set back lets nothing rest', async () => {
    const { clock, issuer, verifier, taken } = world()
    await verifier.refresh()
    taken()
    clock.advance(-3600)
    issuer.num = 2
    await verifier.verify(issuer.key.token({ iat: NOW - 4000, exp: NOW }))
    assert.deepEqual(taken(), [KEYS, REVOCATIONS])
  })
})

describe('failures', () => {
  test('without keys nothing is decided', async () => {
    const { issuer, verifier } = world()
    issuer.answer[KEYS] = () => { throw new Error('no route') }
    await assert.rejects(verifier.verify(issuer.key.token()), error => code('no_keys')(error) && code('unreachable')(error.cause) && error.cause.cause.message === 'no route')
    await assert.rejects(verifier.refresh(), code('unreachable'))
  })
  test('the snapshot at hand serves until its end, and not beyond', async () => {
    const { clock, issuer, verifier } = world()
    await verifier.refresh()
    issuer.answer[KEYS] = issuer.answer[REVOCATIONS] = () => new Response('busy', { status: 503 })
    for (let i = 0; i < 19; i++) {
      clock.advance(30)
      await verifier.verify(issuer.key.token())
    }
    clock.advance(30)
    await assert.rejects(verifier.verify(issuer.key.token()), error => code('revocations_stale')(error) && code('bad_answer')(error.cause))
    assert.ok(issuer.problems.every(problem => problem === 'bad_answer'))
  })
  test('are tried again after a pause that grows', async () => {
    const { clock, issuer, verifier, taken } = world()
    await verifier.refresh()
    issuer.answer[REVOCATIONS] = () => { throw new Error('gone') }
    taken()
    const times = []
    for (let second = 0; second < 400; second++) {
      clock.advance(1)
      await verifier.verify(issuer.key.token())
      if (taken().includes(REVOCATIONS)) times.push(second)
    }
    const pauses = times.slice(1).map((time, i) => time - times[i])
    assert.ok(pauses[0] <= 2 && pauses[1] <= 4 && pauses[2] <= 8, `${pauses}`)
    assert.ok(pauses.slice(6).every(pause => pause >= 30 && pause <= 60), `${pauses}`)
    issuer.num = 2
    delete issuer.answer[REVOCATIONS]
    issuer.answer[REVOCATIONS] = () => new Response(issuer.key.snapshot({ num: 2, iat: Math.trunc(clock.now() / 1000) }))
    clock.advance(60)
    await verifier.verify(issuer.key.token())
    assert.equal(verifier.held.number, 2)
  })
  const large = 'x'.repeat((1 << 20) + 1)
  const endless = () => new Response(new ReadableStream({ pull: to => to.enqueue(new Uint8Array(100_000)) }))
  for (const [what, answer, expected] of [
    ['an error', () => { throw new TypeError('failed') }, 'unreachable'],
    ['a rejection without a reason', () => Promise.reject(), 'unreachable'],
    ['nothing', () => undefined, 'bad_answer'],
    ['a number', () => 5, 'bad_answer'],
    ['half a response', () => ({ status: 200 }), 'unreachable'],
    ['a status of another kind', () => ({ status: '200' }), 'bad_answer'],
    ['a redirect', () => Response.redirect('https://elsewhere.example/', 302), 'bad_answer'],
    ['not found', () => new Response('no', { status: 404 }), 'bad_answer'],
    ['unchanged, though nothing was taken', () => new Response(null, { status: 304 }), 'bad_answer'],
    ['no body', () => new Response(null), undefined],
    ['too much', () => new Response(large), 'bad_answer'],
    ['no end', endless, 'bad_answer'],
    ['a body that breaks off', () => new Response(new ReadableStream({ pull: to => to.error(new Error('gone')) })), 'unreachable'],
    ['a body of no octets', () => new Response(new ReadableStream({ pull: to => to.enqueue('text') })), 'unreachable'],
    ['a body that was read', async () => { const response = new Response('{}'); await response.text(); return response }, 'unreachable'],
    ['what is no UTF-8', () => new Response(Uint8Array.of(0xff)), 'bad_answer'],
    ['a page', () => new Response('<!doctype html>'), undefined],
    ['a silence', () => new Promise(() => {}), 'unreachable'],
    ['a body that never comes', () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })), 'unreachable'],
  ]) {
    test(`${what} as an answer is none`, async () => {
      const { issuer, verifier } = world({ timeout: 0.2 })
      const good = issuer.answer[KEYS]
      issuer.answer[KEYS] = answer
      await assert.rejects(verifier.refresh(), code(expected ?? 'bad_jwk'))
      issuer.answer[KEYS] = good
      issuer.answer[REVOCATIONS] = answer
      await assert.rejects(verifier.refresh(), code(expected ?? 'malformed'))
      assert.deepEqual(new Set(issuer.problems).has(expected ?? 'malformed'), true)
      await assert.rejects(verifier.verify(issuer.key.token()), code('revocations_stale'))
    })
  }
  test('a key set may have as many octets as are quickly read, a snapshot more', async () => {
    const { issuer, verifier } = world()
    const keys = JSON.stringify({ keys: [issuer.key.jwk] })
    issuer.snapshot.tokens = Array.from({ length: 8000 }, (_, id) => `${id}`)
    issuer.answer[KEYS] = () => new Response(keys.padEnd(1 << 16))
    await verifier.refresh()
    await verifier.verify(issuer.key.token())
    issuer.answer[KEYS] = () => new Response(keys.padEnd((1 << 16) + 1))
    await assert.rejects(verifier.refresh(), code('bad_answer'))
  })
  for (const [what, snapshot, expected] of [
    ['of another issuer', { iss: 'you' }, 'wrong_issuer'], ['of another kind', { typ: 'JWT' }, 'wrong_typ'], ['too old', { iat: NOW - 600 }, 'expired'],
  ]) {
    test(`a snapshot that is ${what} is not taken`, async () => {
      const { issuer, verifier } = world()
      Object.assign(issuer.snapshot, snapshot)
      await assert.rejects(verifier.refresh(), code(expected))
      await assert.rejects(verifier.verify(issuer.key.token()), error => code('revocations_stale')(error) && code(expected)(error.cause))
      issuer.snapshot = {}
      await verifier.refresh()
      await verifier.verify(issuer.key.token())
    })
  }
  test('an older snapshot changes nothing', async () => {
    const { clock, issuer, verifier } = world()
    issuer.num = 5
    issuer.snapshot.tokens = ['one']
    await verifier.refresh()
    issuer.num = 4
    issuer.snapshot.tokens = []
    clock.advance(30)
    await assert.rejects(verifier.verify(issuer.key.token()), code('revoked'))
    assert.deepEqual([verifier.held.number, issuer.problems], [5, []])
  })
  test('keys that are no good leave those at hand', async () => {
    const { clock, issuer, verifier } = world()
    await verifier.refresh()
    issuer.answer[KEYS] = () => Response.json({ keys: [{ kty: 'oct', kid: 'a', alg: 'HS256', k: 'A'.repeat(43) }] })
    clock.advance(300)
    issuer.num = 2
    await verifier.verify(issuer.key.token())
    assert.deepEqual(issuer.problems, ['mixed_key_set'])
  })
  test('who is told of them cannot do harm', async () => {
    const { issuer, verifier } = world({ onError: () => { throw new Error('no') } })
    issuer.answer[REVOCATIONS] = () => { throw new Error('gone') }
    await assert.rejects(verifier.verify(issuer.key.token()), code('revocations_stale'))
  })
  test('who waited for somebody that is gone asks himself', async () => {
    const { issuer, verifier } = world({ timeout: 0.2 })
    const { setTimeout } = globalThis
    const give = issuer.answer[KEYS]
    // As when the request is broken off that has begun: neither its answer nor its timer comes.
    issuer.answer[KEYS] = () => new Promise(() => {})
    globalThis.setTimeout = () => undefined
    const lost = verifier.verify(issuer.key.token())
    lost.catch(() => {})
    await Promise.resolve()
    globalThis.setTimeout = setTimeout
    issuer.answer[KEYS] = give
    const begun = performance.now()
    await verifier.verify(issuer.key.token())
    assert.ok(performance.now() - begun < 3000)
  })
})

describe('options', () => {
  const good = { origin: ORIGIN, issuer: 'me' }
  for (const [what, options, expected] of [
    ['no options', undefined, 'bad_options'],
    ['no origin', { issuer: 'me' }, 'bad_options'],
    ['no issuer', { origin: ORIGIN }, 'bad_options'],
    ['an origin that is none', { ...good, origin: 'auth.example' }, 'bad_options'],
    ['an origin that others can change on the way', { ...good, origin: 'http://auth.example' }, 'bad_options'],
    ['an origin of another kind', { ...good, origin: 'file:///keys', fetch }, 'bad_options'],
    ['an origin with a query', { ...good, origin: `${ORIGIN}/?x` }, 'bad_options'],
    ['an origin with an empty query', { ...good, origin: `${ORIGIN}?` }, 'bad_options'],
    ['an origin with an empty fragment', { ...good, origin: `${ORIGIN}#` }, 'bad_options'],
    ['an origin with a password', { ...good, origin: 'https://a:b@auth.example' }, 'bad_options'],
    ['keys', { ...good, keys: [] }, 'bad_options'],
    ['a fetch that is none', { ...good, fetch: 5 }, 'bad_options'],
    ['a fetch that is nothing', { ...good, fetch: null }, 'bad_options'],
    ['no time', { ...good, timeout: 0 }, 'bad_options'],
    ['endless time', { ...good, timeout: Infinity }, 'bad_options'],
    ['no number', { ...good, keysEvery: NaN }, 'bad_options'],
    ['a text as number', { ...good, revocationsEvery: '30' }, 'bad_options'],
    ['a listener that is none', { ...good, onError: 'log' }, 'bad_options'],
    ['too much leeway', { ...good, leeway: 61 }, 'bad_options'],
    ['algorithm none', { ...good, algorithms: ['none'] }, 'bad_algorithm'],
  ]) {
    test(`${what} is a mistake`, () => assert.throws(() => createRemoteVerifier(options), code(expected)))
  }
  test('an origin may have a path, and be this machine', async () => {
    const asked = []
    const fetch = async url => (asked.push(url), new Response(null, { status: 404 }))
    for (const origin of ['https://auth.example/below/', 'http://service']) {
      await assert.rejects(createRemoteVerifier({ origin, issuer: 'me', fetch }).refresh(), code('bad_answer'))
    }
    assert.deepEqual(asked, ['https://auth.example/below/.well-known/jwks.json', 'https://auth.example/below/auth/revocations', 'http://service/.well-known/jwks.json', 'http://service/auth/revocations'])
    for (const origin of ['http://localhost:1', 'http://127.0.0.1:1/', 'http://[::1]:1']) createRemoteVerifier({ origin, issuer: 'me' })
  })
})

describe('the server', () => {
  let origin
  let running

  before(async () => {
    running = await served(['--set=signing_algorithm=ES256', '--set=gateway.revocations_every=1'], { WAXSEAL_ADMIN_PASSWORD: 'Grey-Heron 27 lantern' })
    origin = running.url
  })
  after(() => running?.stop())

  const login = async () => {
    const headers = { authorization: `Basic ${btoa('admin:Grey-Heron 27 lantern')}`, 'content-type': 'application/json' }
    return (await (await fetch(`${origin}/v1/users/authorize`, { method: 'POST', headers, body: '{}' })).json()).access_token
  }
  const verdict = async (verifier, token) => verifier.verify(token).then(() => 'accept', error => error.code)

  test('the server and a verifier elsewhere say the same, also after a revocation and a change of keys', async () => {
    const problems = []
    const verifier = createRemoteVerifier({ origin, issuer: 'waxseal', revocationsEvery: 1, onError: error => problems.push(error) })
    const [token, other] = [await login(), await login()]
    assert.deepEqual([await verdict(verifier, token), await verdict(verifier, other)], ['accept', 'accept'])
    const { number } = verifier.held

    const headers = { authorization: `Bearer ${other}` }
    assert.equal((await fetch(`${origin}/auth/revoke`, { method: 'POST', headers, body: new URLSearchParams({ token }) })).status, 200)
    await sleep(2100)
    assert.deepEqual([await verdict(verifier, token), await verdict(verifier, other)], ['revoked', 'accept'])
    assert.ok(verifier.held.number > number)

    await output(server(), ['key', 'rotate', '--end-tokens'], { env: { ...process.env, ...running.env } })
    await sleep(1100)
    const fresh = await login()
    await verifier.refresh()
    assert.deepEqual([await verdict(verifier, other), await verdict(verifier, fresh)], ['unknown_kid', 'accept'])
    assert.deepEqual(problems.map(({ code }) => code), [])
  })
})

function deferred() {
  let resolve
  const promise = new Promise(settle => { resolve = settle })
  return { promise, resolve }
}

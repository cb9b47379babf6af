// Verifying elsewhere: with public keys, and with revocation snapshots that are handed in.

import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { MovableClock } from 'waxseal'
import { createVerifier, TokenError as CommonError } from 'waxseal/verify'
import { createEdgeVerifier, TokenError } from 'waxseal/verify/public'
import { withModule } from 'waxseal/verify/public/slim'
import { GONE, keyPair, NOW } from './issuer.mjs'
import { withMemories } from './memories.mjs'
import { forged } from './packed/smoke.mjs'

const [one, two] = [keyPair('a'), keyPair('b', 'ES256')]
const KEYS = { keys: [one.jwk, two.jwk] }
const issuer = 'me'

/** A verifier, and the clock that it goes by. */
function edge(options = {}) {
  const clock = new MovableClock(NOW * 1000)
  return { clock, verifier: createEdgeVerifier({ keys: KEYS, issuer, clock, ...options }) }
}

const code = expected => error => {
  assert.ok(error instanceof TokenError, error.stack)
  assert.equal(error.code, expected, error.stack)
  return true
}

describe('public keys', () => {
  for (const key of [one, two, keyPair('c', 'Ed25519')]) {
    test(`${key.jwk.alg} holds, and its claims are given`, () => {
      const { verifier } = edge({ keys: [key.jwk], stale: 'accept' })
      assert.deepEqual(verifier.verify(key.token({ scope: ['é', 1.5] })), JSON.parse(Buffer.from(key.token({ scope: ['é', 1.5] }).split('.')[1], 'base64url')))
      assert.throws(() => verifier.verify(forged(key.token())), code('bad_signature'))
      assert.throws(() => verifier.verify(keyPair(key.kid, key.jwk.alg).token()), code('bad_signature'))
    })
  }
  test('keys come as a set, a list, one key, or text', () => {
    for (const keys of [KEYS, [one.jwk], one.jwk, JSON.stringify(KEYS), JSON.stringify(one.jwk)]) {
      assert.equal(edge({ keys, stale: 'accept' }).verifier.verify(one.token()).sub, '7')
    }
  })
  test('algorithms can be narrowed', () => {
    const { verifier } = edge({ algorithms: ['ES256'], stale: 'accept' })
    assert.equal(verifier.verify(two.token()).sub, '7')
    assert.throws(() => verifier.verify(one.token()), code('key_not_for_verify'))
    verifier.setKeys([one.jwk])
    assert.throws(() => verifier.verify(one.token()), code('key_not_for_verify'))
  })
  test('issuer, audience, kind and leeway count as in the small verifier', () => {
    const { clock, verifier } = edge({ audience: 'you', typ: 'at+jwt', leeway: 5, stale: 'accept' })
    const token = (claims, typ = 'at+jwt') => one.sign({ typ }, { iss: 'me', aud: 'you', sub: '7', exp: NOW + 60, ...claims })
    verifier.verify(token())
    assert.throws(() => verifier.verify(token({ aud: 'others' })), code('wrong_audience'))
    assert.throws(() => verifier.verify(token({ iss: 'you' })), code('wrong_issuer'))
    assert.throws(() => verifier.verify(token({}, 'JWT')), code('wrong_typ'))
    clock.advance(64)
    verifier.verify(token())
    clock.advance(1)
    assert.throws(() => verifier.verify(token()), code('expired'))
  })
  test('a secret is no public key, and a public key is no secret', () => {
    const secret = { kty: 'oct', kid: 'a', alg: 'HS256', k: 'A'.repeat(43) }
    for (const keys of [secret, [secret, one.jwk]]) assert.throws(() => edge({ keys }), code('mixed_key_set'))
    const { verifier } = edge({ stale: 'accept' })
    assert.throws(() => verifier.verify(one.sign({ alg: 'HS256', typ: 'JWT' }, {})), code('wrong_algorithm'))
    assert.throws(() => createVerifier({ keys: KEYS, issuer })(one.token()), code('key_not_for_verify'))
  })
  test('many verifiers live side by side', () => {
    const keys = Array.from({ length: 30 }, () => keyPair('a'))
    const all = keys.map(({ jwk }) => edge({ keys: jwk, stale: 'accept' }).verifier)
    const token = keys[17].token()
    assert.deepEqual(all.map(({ verify }, i) => { try { verify(token); return i } catch { return -1 } }).filter(i => i >= 0), [17])
  })
  test('errors are those of the small verifier', () => assert.equal(TokenError, CommonError))
})

describe('revocation snapshots', () => {
  test('a snapshot says what is refused, for the reasons of the issuer', () => {
    const { verifier } = edge()
    verifier.take(one.snapshot({ tokens: ['gone', 'away'], users: [[8, 3], [9, GONE]], pairs: [[7, NOW - 10]], keys: ['a', 'b'] }))
    verifier.verify(one.token())
    for (const [claims, expected] of [
      [{ jti: 'gone' }, 'revoked'], [{ jti: 'away' }, 'revoked'], [{ uid: '8', gen: 2 }, 'ended'], [{ uid: '9', gen: 9 }, 'user_gone'], [{ jti: undefined }, 'foreign'],
      [{ uid: undefined }, 'user_gone'], [{ gen: undefined }, 'ended'], [{ dialect: 'elasticsearch', iat: NOW - 10 }, 'revoked'],
    ]) {
      for (const key of [one, two]) assert.throws(() => verifier.verify(key.token(claims)), code(expected))
    }
    verifier.verify(one.token({ uid: '8', gen: 3 }))
    verifier.verify(one.token({ dialect: 'elasticsearch', iat: NOW - 9 }))
    verifier.verify(one.token({ iat: NOW - 10 }))
    verifier.take(one.snapshot({ num: 2, pairs: [[0, NOW]] }))
    assert.throws(() => verifier.verify(one.token({ dialect: 'elasticsearch' })), code('revoked'))
    verifier.verify(one.token({ jti: 'gone' }))
  })
  test('a snapshot is told by number and end', () => {
    const { verifier } = edge()
    assert.equal(verifier.held, undefined)
    const taken = verifier.take(one.snapshot({ num: 2 ** 53, exp: NOW + 600.5 }))
    assert.deepEqual(taken, { number: 2 ** 53, expires: (NOW + 600.5) * 1000 })
    assert.equal(verifier.held, taken)
    assert.throws(() => { 'use strict'; taken.expires = Infinity }, TypeError)
  })
  test('a snapshot of a lower or the same number is not taken', () => {
    const { verifier } = edge()
    verifier.take(one.snapshot({ num: 5, tokens: ['one'] }))
    for (const num of [5, 4, 0]) assert.throws(() => verifier.take(one.snapshot({ num })), code('not_newer'))
    assert.throws(() => verifier.verify(one.token()), code('revoked'))
    verifier.take(one.snapshot({ num: 6 }))
    verifier.verify(one.token())
  })
  test('a snapshot gets too old to go by', () => {
    const { clock, verifier } = edge()
    assert.throws(() => verifier.verify(one.token()), code('revocations_stale'))
    verifier.take(one.snapshot())
    clock.advance(599)
    verifier.verify(one.token())
    clock.advance(1)
    assert.throws(() => verifier.verify(one.token()), code('revocations_stale'))
    assert.throws(() => verifier.take(one.snapshot({ num: 2 })), code('expired'))
    assert.throws(() => verifier.take(one.snapshot({ num: 2, iat: NOW + 700 })), code('issued_in_future'))
    verifier.take(one.snapshot({ num: 2, iat: NOW + 600 }))
    verifier.verify(one.token())
  })
  test('a snapshot that is too old still counts where that was asked for', () => {
    const { clock, verifier } = edge({ stale: 'accept' })
    verifier.verify(one.token())
    verifier.take(one.snapshot({ tokens: ['one'] }))
    clock.advance(3000)
    assert.throws(() => verifier.verify(one.token()), code('revoked'))
    verifier.verify(one.token({ jti: 'other' }))
  })
  test('snapshots are no tokens, and tokens are no snapshots', () => {
    const { verifier } = edge({ stale: 'accept' })
    assert.throws(() => verifier.take(one.token()), code('wrong_typ'))
    for (const typ of ['JWT', 'revocations', undefined]) assert.throws(() => verifier.take(one.snapshot({ typ: typ ?? null })), code('wrong_typ'))
    assert.throws(() => verifier.verify(one.snapshot()), code('wrong_typ'))
    const both = { iss: 'me', sub: '7', jti: 'x', uid: '7', gen: 3, iat: NOW, exp: NOW + 60, num: 1, keys: ['a'], tokens: '', users: '', pairs: '' }
    verifier.take(one.sign({ typ: 'revocations+jwt' }, both))
    assert.throws(() => verifier.verify(one.sign({ typ: 'revocations+jwt' }, both)), code('wrong_typ'))
    assert.equal(verifier.verify(one.sign({ typ: 'JWT' }, both)).num, 1)
  })
  for (const [what, text, expected] of [
    ['another issuer', one.snapshot({ iss: 'you' }), 'wrong_issuer'],
    ['an unknown key', keyPair('c').snapshot(), 'unknown_kid'],
    ['a foreign key of a known name', keyPair('a').snapshot(), 'bad_signature'],
    ['no signature', `${one.snapshot().split('.').slice(0, 2).join('.')}.`, 'bad_signature'],
    ['no number', one.snapshot({ num: null }), 'bad_lists'],
    ['keys that are no names', one.snapshot({ keys: [1] }), 'bad_lists'],
    ['no text', undefined, 'not_a_string'],
    ['octets', new Uint8Array(3), 'not_a_string'],
    ['nothing', '', 'malformed'],
    ['a lone surrogate', `\ud800${one.snapshot()}`, 'bad_base64'],
    ['what is huge', 'a'.repeat(20_000_000), 'too_long'],
    ['what is too long in octets', 'é'.repeat(524_289), 'too_long'],
    ['what is as long as may be', 'a'.repeat(1 << 20), 'malformed'],
  ]) {
    test(`with ${what} none is taken`, () => {
      const { verifier } = edge()
      const { number } = verifier.take(one.snapshot({ num: 0 }))
      assert.throws(() => verifier.take(text), code(expected))
      assert.equal(verifier.held.number, number)
      verifier.verify(one.token())
    })
  }
  test('a snapshot ends keys for good', () => {
    const { verifier } = edge()
    verifier.take(one.snapshot({ keys: ['a'] }))
    assert.throws(() => verifier.verify(two.token()), code('unknown_kid'))
    verifier.take(one.snapshot({ num: 2, keys: ['b', 'a'] }))
    verifier.verify(two.token())
    verifier.take(two.snapshot({ num: 3 }))
    assert.throws(() => verifier.verify(one.token()), code('unknown_kid'))
    assert.throws(() => verifier.take(one.snapshot({ num: 4 })), code('unknown_kid'))
    verifier.setKeys([keyPair('c').jwk, two.jwk])
    assert.throws(() => verifier.take(two.snapshot({ num: 3 })), code('not_newer'))
    verifier.take(two.snapshot({ num: 4 }))
  })
  test('a snapshot as large as they get is taken, and found in', () => {
    const { verifier } = edge()
    const tokens = Array.from({ length: 16_384 }, (_, i) => `token ${i}`)
    const users = Array.from({ length: 16_384 }, (_, i) => [i + 100, 2])
    const text = one.snapshot({ tokens, users, pairs: users })
    assert.ok(text.length > 900_000)
    verifier.take(text)
    for (const jti of ['token 0', 'token 777', 'token 16383']) assert.throws(() => verifier.verify(one.token({ jti })), code('revoked'))
    assert.throws(() => verifier.verify(one.token({ uid: '16483', gen: 1 })), code('ended'))
    verifier.verify(one.token({ uid: '16484', gen: 1, jti: 'token 16384' }))
  })
})

describe('bad input', () => {
  const cycle = {}
  cycle.self = cycle
  for (const [what, options, expected] of [
    ['no options', undefined, 'bad_options'],
    ['no keys', { issuer }, 'bad_key'],
    ['a number as keys', { issuer, keys: 5 }, 'bad_key'],
    ['null as keys', { issuer, keys: null }, 'bad_key'],
    ['keys that are no JSON', { issuer, keys: '{' }, 'bad_jwk'],
    ['keys that are no JWK', { issuer, keys: {} }, 'bad_jwk'],
    ...['[]', 'null', '1', '1.5', 'true', '"x"', '{"keys":null}', '{"keys":{}}', '{"keys":"x"}', '{"keys":[1]}', '{"keys":[null]}', '{"keys":[[]]}']
      .map(keys => [`keys of another shape: ${keys}`, { issuer, keys }, 'bad_jwk']),
    ['null as one of the keys', { issuer, keys: [null] }, 'bad_jwk'],
    ['keys with a repeated name', { issuer, keys: '{"keys":[],"keys":[]}' }, 'bad_jwk'],
    ['a cycle', { issuer, keys: cycle }, 'bad_jwk'],
    ['a bigint', { issuer, keys: [{ ...one.jwk, n: 1n }] }, 'bad_jwk'],
    ['what turns into nothing', { issuer, keys: { toJSON() {} } }, 'bad_jwk'],
    ['a lone surrogate', { issuer, keys: [{ ...one.jwk, kid: '\ud800' }] }, 'bad_jwk'],
    ['a lone surrogate in text', { issuer, keys: `{"keys":[],"x":"\ud800"}` }, 'bad_jwk'],
    ['octets', { issuer, keys: new Uint8Array(32) }, 'bad_jwk'],
    ['a point that is none', { issuer, keys: [{ ...two.jwk, y: two.jwk.x }] }, 'bad_key'],
    ['a kid twice', { issuer, keys: [one.jwk, one.jwk] }, 'repeated_kid'],
    ['keys without names', { issuer, keys: [one.jwk, two.jwk].map(jwk => ({ ...jwk, kid: undefined })) }, 'nameless_key'],
    ['far too many keys', { issuer, keys: Array.from({ length: 20_000 }, (_, i) => ({ ...one.jwk, kid: `${i}` })) }, 'too_many_keys'],
    ['no issuer', { keys: KEYS }, 'bad_options'],
    ['an unknown option', { keys: KEYS, issuer, ignoreExpiration: true }, 'bad_options'],
    ['another choice', { keys: KEYS, issuer, stale: true }, 'bad_options'],
    ['algorithm none', { keys: KEYS, issuer, algorithms: ['none'] }, 'bad_algorithm'],
    ['an algorithm of secrets', { keys: KEYS, issuer, algorithms: ['HS256'] }, 'bad_algorithm'],
    ['no list of algorithms', { keys: KEYS, issuer, algorithms: 'EdDSA' }, 'bad_options'],
    ['too much leeway', { keys: KEYS, issuer, leeway: 61 }, 'bad_options'],
    ['a clock that is none', { keys: KEYS, issuer, clock: 5 }, 'bad_options'],
  ]) {
    test(`${what} is a mistake`, () => assert.throws(() => createEdgeVerifier(options), code(expected)))
  }
  test('keys that are not taken leave those at hand', () => {
    const { verifier } = edge({ stale: 'accept' })
    for (const keys of [undefined, 'x', { ...two.jwk, y: two.jwk.x }, { kty: 'oct', alg: 'HS256', k: 'A'.repeat(43) }]) assert.throws(() => verifier.setKeys(keys), TokenError)
    verifier.verify(one.token())
    verifier.setKeys([])
    assert.throws(() => verifier.verify(one.token()), code('unknown_kid'))
  })
  for (const [what, token, expected] of [
    ['nothing', undefined, 'not_a_string'], ['an object', {}, 'not_a_string'], ['empty', '', 'malformed'], ['huge', 'a'.repeat(10_000_000), 'too_long'],
    ['long by octets', 'é'.repeat(4097), 'too_long'], ['a lone surrogate', '\ud800.\udfff.a', 'bad_base64'],
  ]) {
    test(`${what} is no token`, () => assert.throws(() => edge().verifier.verify(token), code(expected)))
  }
  test('a module that is none', () => assert.throws(() => withModule({}), code('no_module')))
  test('what is inherited counts like what is an option of its own', () => {
    const options = { keys: [one.jwk], issuer, audience: 'you', stale: 'accept', algorithms: ['EdDSA'], clock: () => NOW * 1000 }
    const { verify } = createEdgeVerifier(Object.create(options))
    assert.equal(verify(one.token({ aud: 'you' })).sub, '7')
    assert.throws(() => verify(one.token()), code('wrong_audience'))
    assert.throws(() => createEdgeVerifier(Object.create({ ...options, audiance: 'you' })), code('bad_options'))
  })
})

test('a real trap ends one call, and neither keys nor snapshot are forgotten', () => {
  withMemories(memories => {
    const third = keyPair('c')
    const { verifier } = edge({ keys: [one.jwk, two.jwk] })
    const trapping = work => {
      const before = memories.length
      // What guards the buffer is now taken for a borrow that has not ended.
      new Uint8Array(memories.at(-1).buffer).fill(0xff)
      assert.throws(work, error => code('trap')(error) && error.cause instanceof WebAssembly.RuntimeError)
      assert.equal(memories.length, before)
    }
    trapping(() => verifier.take(one.snapshot()))
    assert.equal(verifier.held, undefined)
    verifier.take(one.snapshot({ keys: ['a', 'b'] }))
    verifier.take(two.snapshot({ num: 2, tokens: ['one'] }))
    for (let round = 0; round < 3; round++) {
      trapping(() => verifier.verify(two.token()))
      assert.throws(() => verifier.verify(two.token()), code('revoked'), 'it goes by its snapshot')
      assert.equal(memories.length, 3 + round, 'another instance')
      assert.throws(() => verifier.take(one.snapshot({ num: 3 })), code('unknown_kid'), 'a key that is gone stays gone')
      assert.throws(() => verifier.take(two.snapshot({ num: 2 })), code('not_newer'))
    }
    // Another instance has never seen a snapshot that names it, and the keys come from a cache.
    verifier.setKeys([one.jwk, two.jwk])
    assert.throws(() => verifier.take(one.snapshot({ num: 3 })), code('unknown_kid'), 'not even by a set of keys of before')
    trapping(() => verifier.setKeys([third.jwk]))
    verifier.verify(two.token({ jti: 'other' }))
    // The key that signed the snapshot is no longer there, and still it counts.
    verifier.setKeys([third.jwk])
    trapping(() => verifier.take(third.snapshot({ num: 3 })))
    assert.equal(verifier.held.number, 2)
    assert.throws(() => verifier.take(third.snapshot({ num: 2 })), code('not_newer'))
    verifier.take(third.snapshot({ num: 3 }))
    verifier.verify(third.token())
  })
})

test('what keys and snapshots took is given back when others come', () => {
  withMemories(memories => {
    const { verifier } = edge()
    const tokens = Array.from({ length: 16_384 }, (_, i) => `token ${i}`)
    const turn = num => {
      verifier.take(one.snapshot({ num, tokens }))
      verifier.setKeys(KEYS)
      verifier.verify(one.token())
    }
    for (let num = 1; num <= 5; num++) turn(num)
    const [memory] = memories
    const size = memory.buffer.byteLength
    for (let num = 6; num <= 40; num++) turn(num)
    assert.deepEqual([memories.length, memory.buffer.byteLength], [1, size])
  })
})

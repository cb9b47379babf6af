// Same inputs, same verdict and code: natively, in the component, in Node, Chromium and workerd (security E5).

import { Miniflare } from 'miniflare'
import { strict as assert } from 'node:assert'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { forBrowser, forWorkerd } from './bundle.mjs'
import { generated, generatedInPairs, JWKS, PUBLIC_JWKS, SETTINGS } from './generated.mjs'
import { GONE, keyPair } from './issuer.mjs'
import { cli, same } from './natively.mjs'
import { bin, deno, folder, output } from './programs.mjs'
import { site } from './site.mjs'
import { verdicts } from './verdicts.mjs'
import { chromium } from './webdriver.mjs'

const COUNT = 120_000
/** Of those with public keys, as each costs as much as some hundred others. */
const IN_PAIRS = 12_000
const scratch = folder()

/** The verdicts on a list of jobs, each of them options and pairs, wherever the package runs. */
const places = {
  node: async jobs => jobs.map(({ options, pairs }) => verdicts(options, pairs)),
  deno: jobs => elsewhere(bin('deno'), deno, jobs),
  bun: jobs => elsewhere(bin('bun'), [], jobs),
  workerd: inWorkerd,
  chromium: inChromium,
}

/** The codes that a generated token meets. */
const CODES = ['too_long', 'malformed', 'bad_base64', 'bad_header_json', 'crit_present', 'algorithm_not_allowed', 'bad_kid', 'missing_kid', 'unknown_kid',
  'key_not_for_verify', 'wrong_algorithm', 'bad_signature', 'bad_claims_json', 'wrong_typ', 'missing_exp', 'bad_exp', 'expired', 'bad_nbf', 'not_yet_valid',
  'bad_iat', 'issued_in_future', 'wrong_issuer', 'bad_audience', 'wrong_audience', 'bad_subject', 'bad_jti', 'bad_private_claim']

describe('generated tokens', () => {
  everywhere([...generated(COUNT)], { keys: JWKS, ...SETTINGS })
})

describe('generated tokens of public keys', () => {
  everywhere([...generatedInPairs(IN_PAIRS)], { keys: PUBLIC_JWKS, ...SETTINGS, edge: { stale: 'accept' } })
})

function everywhere(pairs, options) {
  let native

  before(async () => {
    native = await cli('native', options, pairs)
  })

  test('there are many, and they meet every rule', () => {
    assert.equal(native.length, pairs.length)
    const counts = new Map()
    for (const verdict of native) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
    const least = pairs.length === COUNT ? 20 : 3
    for (const code of CODES) assert.ok(counts.get(`reject ${code}`) >= least, `${code} occurs ${counts.get(`reject ${code}`)} times`)
    assert.deepEqual([...counts.keys()].filter(verdict => verdict !== 'accept' && !CODES.includes(verdict.slice(7))), [])
    assert.ok(counts.get('accept') > pairs.length / 5)
  })
  test('the component', async () => same(await cli('module', options, pairs), native, pairs))
  for (const [place, decide] of Object.entries(places)) {
    test(place, async () => {
      const [got] = await decide([{ options, pairs }])
      same(got, native, pairs)
    })
  }
}

describe('tokens and a revocation snapshot', () => {
  const now = Math.trunc(Date.now() / 1000)
  const [signer, other] = [keyPair('a'), keyPair('b', 'ES256')]
  const snapshot = signer.snapshot({ iat: now, keys: ['a', 'b'], tokens: ['gone', 'away'], users: [[8, 3], [9, GONE]], pairs: [[0, now - 60], [7, now - 10]] })
  const claims = [{}, { jti: 'gone' }, { jti: 'away', uid: '8' }, { jti: undefined }, { uid: undefined }, { uid: '07' }, { gen: undefined }]
  for (const uid of ['7', '8', '9', '10']) {
    for (const gen of [0, 2, 3, GONE]) claims.push({ uid, gen })
    for (const iat of [now - 61, now - 60, now - 59, now - 10, now - 9, now]) claims.push({ uid, iat, dialect: 'elasticsearch' }, { uid, iat })
  }
  const tokens = [...claims.flatMap(one => [signer, other].map(key => key.token({ iat: now, exp: now + 7200, ...one }))), snapshot, keyPair('c').token()]
  const pairs = [now, now + 599.5, now + 600, now + 604.5, now + 605, now + 5000].flatMap(at => tokens.map(token => ({ token, now: at })))
  const keys = { keys: [signer.jwk, other.jwk] }

  for (const stale of ['refuse', 'accept']) {
    const options = { keys, issuer: 'me', leeway: 5, edge: { stale, snapshot, now } }
    for (const [place, decide] of Object.entries(places)) {
      test(`${stale} when it is too old, ${place}`, async () => {
        const native = await cli('native', options, pairs)
        const missing = ['accept', 'revoked', 'ended', 'user_gone', 'foreign', 'wrong_typ', 'unknown_kid', ...(stale === 'refuse' ? ['revocations_stale'] : [])]
          .filter(code => !native.some(verdict => verdict.endsWith(code)))
        assert.deepEqual(missing, [])
        const [got] = await decide([{ options, pairs }])
        same(got, native, pairs)
      })
    }
  }
})

async function elsewhere(program, args, jobs) {
  const file = join(scratch, 'jobs.json')
  writeFileSync(file, JSON.stringify(jobs))
  return JSON.parse(await output(program, [...args, 'run-verdicts.mjs', file]))
}

async function inWorkerd(jobs) {
  const miniflare = new Miniflare({ modules: await forWorkerd('workers/verdicts.mjs'), compatibilityDate: '2026-04-01', cf: false })
  try {
    const got = []
    for (const { options, pairs } of jobs) {
      const one = []
      for (let i = 0; i < pairs.length; i += 20_000) {
        const body = JSON.stringify({ options, pairs: pairs.slice(i, i + 20_000) })
        const response = await miniflare.dispatchFetch('http://localhost/', { method: 'POST', body })
        one.push(...(await response.json()))
      }
      got.push(one)
    }
    return got
  } finally {
    await miniflare.dispose()
  }
}

async function inChromium(jobs) {
  const files = { '/': '<!doctype html><meta charset="utf-8"><script type="module" src="page.js"></script>', '/page.js': await forBrowser('pages/verdicts.mjs'), '/jobs.json': JSON.stringify(jobs) }
  const { url, stop } = await site(files)
  const browser = await chromium()
  try {
    await browser.visit(url)
    return await browser.evaluate('return (await (await fetch("jobs.json")).json()).map(({ options, pairs }) => verdicts(options, pairs))')
  } finally {
    await browser.stop()
    await stop()
  }
}

describe('published vectors', () => {
  /** Those with public keys, and what is said of them natively. */
  const jobs = []

  for (const name of ['json_web_signature', 'json_web_key', 'json_web_crypto', 'json_web_encryption']) {
    test(name, async () => {
      const { testGroups } = JSON.parse(readFileSync(new URL(`../vectors/token/${name}_test.json`, import.meta.url), 'utf8'))
      let executed = 0
      for (const group of testGroups) {
        const options = { keys: group.private ?? group.public, issuer: 'joe' }
        const token = test => test.jws ?? test.jwe
        const pairs = group.tests.map(test => ({ token: typeof token(test) === 'string' ? token(test) : JSON.stringify(token(test)), now: 1_300_000_000 }))
        const got = verdicts(options, pairs)
        executed += pairs.length
        if (got[0].startsWith('keys ')) {
          await assert.rejects(cli('native', options, pairs), `${got[0]}, which the server takes`)
          continue
        }
        const { keys = [options.keys] } = options.keys
        if (keys.some(key => key.kty !== 'oct')) {
          // The small verifier knows shared secrets only: it takes nothing of what public keys decide.
          assert.ok(got.every(verdict => verdict.startsWith('reject ')), name)
          const edge = { ...options, edge: { stale: 'accept' } }
          const [first] = verdicts(edge, pairs)
          if (first.startsWith('keys ')) await assert.rejects(cli('native', options, pairs), `${first}, which the server takes`)
          else jobs.push({ options: edge, pairs, native: await cli('native', options, pairs) })
          continue
        }
        same(got, await cli('native', options, pairs), pairs)
      }
      assert.ok(executed > 20)
    })
  }

  for (const [place, decide] of Object.entries(places)) {
    test(`those with public keys, ${place}`, async () => {
      const natives = jobs.flatMap(({ native }) => native)
      // Their payloads are no claims, which shows only once the signature holds.
      assert.equal(natives.filter(verdict => verdict === 'reject bad_claims_json').length, HOLDING)
      const got = await decide(jobs.map(({ options, pairs }) => ({ options, pairs })))
      for (const [at, { native, pairs }] of jobs.entries()) same(got[at], native, pairs)
    })
  }
})

/** How many of the vectors with public keys have a signature that holds. */
const HOLDING = 3

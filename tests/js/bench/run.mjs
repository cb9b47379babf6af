// `cargo xtask bench js`: the table of docs/javascript.md.

import { createSigner as fastSigner, createVerifier as fastVerifier } from 'fast-jwt'
import { argon2id } from 'hash-wasm'
import { importJWK, jwtVerify } from 'jose'
import { Miniflare } from 'miniflare'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createEdgeVerifier } from 'waxseal/verify/public'
import { forWorkerd } from '../bundle.mjs'
import { keyPair } from '../issuer.mjs'
import { AUDIENCE, CLAIMS, ISSUER, joseKey, SECRET, sign, verify } from './candidates.mjs'
import { median, race, ratio } from './table.mjs'

const cpu = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}
const token = sign(CLAIMS)
const rows = []

const fastVerify = fastVerifier({ key: SECRET, algorithms: ['HS256'], allowedIss: ISSUER, allowedAud: AUDIENCE, cache: false })
const key = await joseKey()
const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['HS256'] }
const verified = await race({ ours: () => verify(token), fast: () => fastVerify(token), jose: () => jwtVerify(token, key, options) }, cpu)
rows.push(['verify, Node', 'fast-jwt without its cache', median(verified.ours), median(verified.fast), ratio(verified, 'ours', 'fast'), 2])
rows.push(['verify, Node', 'jose with a CryptoKey', median(verified.ours), median(verified.jose), ratio(verified, 'ours', 'jose'), 10])

// No goal was set for these: the platform's own arithmetic is hard to beat.
for (const alg of ['EdDSA', 'ES256']) {
  const pair = keyPair('a', alg)
  const iat = Math.trunc(Date.now() / 1000)
  const signed = pair.token({ iss: ISSUER, aud: AUDIENCE, iat, exp: iat + 3600, ...CLAIMS })
  const { verify } = createEdgeVerifier({ keys: pair.jwk, issuer: ISSUER, audience: AUDIENCE, stale: 'accept' })
  const key = await importJWK(pair.jwk, alg)
  const expected = { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg] }
  const times = await race({ ours: () => verify(signed), jose: () => jwtVerify(signed, key, expected) }, cpu)
  rows.push([`verify ${alg}, Node`, 'jose with a CryptoKey', median(times.ours), median(times.jose), ratio(times, 'ours', 'jose')])
}

const fastSign = fastSigner({ key: SECRET, algorithm: 'HS256', iss: ISSUER, aud: AUDIENCE, expiresIn: 600_000 })
const signed = await race({ ours: () => sign(CLAIMS), fast: () => fastSign({ ...CLAIMS, jti: crypto.randomUUID() }) }, cpu)
rows.push(['sign with a fresh jti, Node', 'fast-jwt and randomUUID', median(signed.ours), median(signed.fast), ratio(signed, 'ours', 'fast'), 1.5])

// Workers have no clock that runs while they do, so the process's own CPU time is taken around a request.
const miniflare = new Miniflare({ modules: await forWorkerd('workers/bench.mjs'), compatibilityDate: '2026-04-01', cf: false })
const url = await miniflare.ready
const pid = childNamed('workerd')
const inWorker = { ours: [], jose: [] }
for (let turn = -1; turn < 15; turn++) {
  for (const which of ['ours', 'jose']) {
    // The system counts CPU time in steps of 10 ms, so that fewer calls would be counted in steps of a fifth.
    const count = 30_000
    const begun = cpuOf(pid)
    await (await fetch(url, { method: 'POST', body: JSON.stringify({ which, count }) })).text()
    if (turn >= 0) inWorker[which].push((cpuOf(pid) - begun) / count)
  }
}
await miniflare.dispose()
rows.push(['verify, workerd', 'jose with a CryptoKey', median(inWorker.ours), median(inWorker.jose), ratio(inWorker, 'ours', 'jose'), 4])

const { instance } = await WebAssembly.instantiate(readFileSync(fileURLToPath(import.meta.resolve('waxseal/kdf.wasm'))), {})
const kdf = instance.exports
const salt = new Uint8Array(16).fill(7)
const password = new TextEncoder().encode('a quite long passphrase')
const ours = () => {
  const buffer = new Uint8Array(kdf.memory.buffer, kdf.buffer(), kdf.room())
  buffer.set(salt)
  buffer.set(password, salt.length)
  if (kdf.argon2id(19456, 2, 1, salt.length, password.length) !== 0) throw new Error('no tag')
}
const theirs = () => argon2id({ password, salt, memorySize: 19456, iterations: 2, parallelism: 1, hashLength: 32, outputType: 'binary' })
const derived = await race({ ours, theirs }, cpu, { turns: 15, millis: 1, warmUp: 1, batch: 1 })
rows.push(['Argon2id, 19 MiB, t=2, Node', 'hash-wasm', median(derived.ours), median(derived.theirs), ratio(derived, 'ours', 'theirs'), 1.8])

const shown = micros => (micros < 1000 ? `${micros.toFixed(1)} µs` : `${(micros / 1000).toFixed(1)} ms`)
console.log(`HS256, a token of ${token.length} octets, claims parsed; CPU time of the process, median of turns. Node ${process.versions.node}.\n`)
console.log('| what | against | ours | theirs | ratio | at least |\n|---|---|---|---|---|---|')
for (const [what, peer, first, second, times, least] of rows) {
  console.log(`| ${what} | ${peer} | ${shown(first)} | ${shown(second)} | **${times.toFixed(2)}×** | ${least === undefined ? '–' : `${least.toFixed(1)}×${times < least ? ' (missed)' : ''}`} |`)
}

/** Microseconds of CPU that a process has used (Linux). */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

function childNamed(name) {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ')
  const all = children.flatMap(pid => [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')]).filter(Boolean)
  return all.find(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name))
}

// The verdicts of the command line, natively and in the component.

import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, server } from './programs.mjs'

const scratch = folder()

/** What `waxseal token verify` says with this engine (`native` or `module`), one line for each pair. */
export function cli(engine, { keys, issuer, audience, leeway, edge }, pairs) {
  const file = join(scratch, `${engine}.jwks`)
  writeFileSync(file, JSON.stringify(keys), { mode: 0o600 })
  const env = { ...process.env, WAXSEAL__ISSUER: issuer, WAXSEAL__LEEWAY: String(leeway ?? 0), ...(audience ? { WAXSEAL__AUDIENCE: audience } : {}) }
  const args = ['token', 'verify', '--batch', '--engine', engine, '--jwks', file]
  if (edge?.snapshot !== undefined) {
    const snapshot = join(scratch, 'snapshot.jwt')
    writeFileSync(snapshot, edge.snapshot)
    args.push('--revocations', snapshot, '--stale', edge.stale)
  }
  return new Promise((resolve, reject) => {
    const child = execFile(server(), args, { env, maxBuffer: 1 << 28, cwd: scratch }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(stdout.split('\n').slice(0, -1))
    })
    // It may end at once, when the keys are no good.
    child.stdin.on('error', () => {})
    child.stdin.end(pairs.map(pair => `${JSON.stringify(pair)}\n`).join(''))
  })
}

/** Holds verdicts to the native ones on the same pairs. */
export function same(got, expected, pairs) {
  assert.equal(got.length, expected.length)
  const at = got.findIndex((verdict, i) => verdict !== expected[i])
  if (at !== -1) assert.fail(`token ${at}: ${got[at]}, natively ${expected[at]}; now ${pairs[at].now}, ${JSON.stringify(pairs[at].token)}`)
}

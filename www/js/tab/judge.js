// What each policy says about a password: the engine itself is asked to take it, in an engine of its own where it changes nothing.

import { MemoryStore, Waxseal } from '../../engine/entry/slim.js'

const POLICIES = ['open', 'redis', 'nist']
/** Reaching the derivation means that no rule was broken. Nothing is derived for a verdict. */
const PASSED = new Uint8Array(32).fill(1)

let judges

/** `{ open, redis, nist }`, each `{ good, code, sentence }`. */
export async function judge({ password, name, email }) {
  judges ??= Promise.all(POLICIES.map(instate))
  const verdicts = await Promise.all((await judges).map(engine => verdict(engine, { password, name, email })))
  return Object.fromEntries(POLICIES.map((policy, at) => [policy, verdicts[at]]))
}

async function instate(policy) {
  const store = new MemoryStore()
  const engine = new Waxseal({ store, settings: { passwords: { policy } }, kdf: { derive: async () => PASSED } })
  await engine.bootstrap({ name: 'judge-of-passwords', password: 'Hardly-Ever-Guessed-4711' })
  const { commit } = store
  // From here on nothing is kept.
  store.commit = async () => true
  return Object.assign(engine, { commit })
}

async function verdict(engine, { password, name = '', email = '' }) {
  const body = JSON.stringify({ name: name || 'somebody', ...(email && { email }), password })
  const headers = { 'content-type': 'application/json' }
  const answer = await engine.admin(new Request('http://localhost/admin/users', { method: 'POST', headers, body }))
  if (answer.status === 201) return { good: true }
  const { error, message } = await answer.json()
  return { good: false, code: error, sentence: message }
}

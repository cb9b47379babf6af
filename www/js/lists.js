// What this tab knows of each user's list of passwords: it is never told by an engine, so it is what was typed or made here.

import { base64 } from './base64.js'
import { engine, signals } from './engines/current.js'
import { send } from './exchange.js'
import { stays } from './fillings.js'

/** After so many refusals in a row one more might lock the user out. */
const MISSES = 4
const lists = new Map()
signals.addEventListener('gone', ({ detail }) => { for (const key of lists.keys()) if (key.startsWith(detail)) lists.delete(key) })

/** Whoever has the same name at the other engine is somebody else. */
const keyOf = ({ name }) => `${engine.kind}:${name}`

/** The known passwords of a person: `[{ password, state }]`, oldest first; `state` is `works`, `refused` or `unknown`. Where the one
 * that stands for the person is not among them, they are another's, or of another time. */
export function listOf(person) {
  const { password } = person
  const key = keyOf(person)
  if (!lists.get(key)?.some(known => known.password === password)) lists.set(key, [{ password, state: 'unknown' }])
  return lists.get(key)
}

/** Whether this password signs in, by trying it. Where it does, its list says so. */
export async function trial({ name }, password, why = 'does it sign in?') {
  const answer = await send({ method: 'POST', path: '/v1/users/authorize', as: 'raw', raw: `Basic ${base64(`${name}:${password}`)}`, type: 'json', body: '{"ttl": 60}' }, why)
  if (answer.ok) for (const entry of lists.get(`${answer.engine}:${name}`) ?? []) if (entry.password === password) entry.state = 'works'
  return answer
}

/** Whether an answer says that the password is wrong, as far as anybody is told: not that it is too old, or that the server is gone. */
export const isRefused = ({ status, json }) => status === 401 && json?.error_code !== 'password_expired'

/** Tries those that have not been refused yet. Ends with the first answer that says nothing about its password, and returns it; else
 * `undefined`. */
export async function tryAll(person) {
  const { kind } = engine
  let misses = 0
  for (const entry of listOf(person)) {
    if (entry.state === 'refused' || misses === MISSES) continue
    stays(kind)
    const answer = await trial(person, entry.password)
    if (!answer.ok && !isRefused(answer)) return answer
    entry.state = answer.ok ? 'works' : 'refused'
    misses = answer.ok ? 0 : misses + 1
  }
  return undefined
}

/** Adds a password, replaces all, or removes one; the exchange that did it. */
export async function alter(person, method, { fresh, old }) {
  const body = JSON.stringify({ username: person.name, ...(old && { old_password: old }), ...(fresh && { new_password: fresh }) }, null, 2)
  const why = { POST: 'adding a password', PUT: 'replacing the list', DELETE: 'removing a password' }[method]
  const key = keyOf(person)
  const list = listOf(person)
  const answer = await send({ method, path: '/v1/users/password', as: 'none', type: 'json', body }, why)
  if (!answer.ok) return answer
  if (method === 'PUT') for (const entry of list) entry.state = 'refused'
  if (method === 'DELETE') for (const entry of list) if (entry.password === old) entry.state = 'refused'
  if (fresh) {
    const known = list.find(({ password }) => password === fresh)
    if (known) known.state = 'works'
    else list.push({ password: fresh, state: 'works' })
  }
  const present = list.filter(({ state }) => state !== 'refused')
  lists.set(key, list)
  // From now on another one stands for the person.
  if (present.length > 0 && !present.some(({ password }) => password === person.password)) await engine.remember({ name: person.name, password: present.at(-1).password }, answer.engine)
  return answer
}

/** Forgets the passwords that do not work any more. Where none does, its owner may be locked out. */
export function tidy(person) {
  if (listOf(person).some(({ state }) => state === 'works')) lists.set(keyOf(person), listOf(person).filter(({ state, password }) => state !== 'refused' || password === person.password))
}

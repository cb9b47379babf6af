// What this tab knows of each user's list of passwords: it is never told by an engine, so it is what was typed or made here.

import { base64 } from './base64.js'
import { engine, signals } from './engines/current.js'
import { send } from './exchange.js'

const lists = new Map()
signals.addEventListener('change', () => lists.clear())
signals.addEventListener('ready', () => lists.clear())

/** The known passwords of a person: `[{ password, state }]`, oldest first; `state` is `works`, `refused` or `unknown`. */
export function listOf(person) {
  if (!lists.has(person.name)) lists.set(person.name, [{ password: person.password, state: 'unknown' }])
  return lists.get(person.name)
}

/** Whether this password signs in, by trying it. */
export async function trial({ name }, password, why = 'does it sign in?') {
  return send({ method: 'POST', path: '/v1/users/authorize', as: 'raw', raw: `Basic ${base64(`${name}:${password}`)}`, type: 'json', body: '{"ttl": 60}' }, why)
}

/** Tries all of them. The refused ones come first, so that the last try, which works, clears the count of failures. */
export async function tryAll(person) {
  const list = listOf(person)
  const refusedFirst = [...list].sort((a, b) => (a.state === 'works') - (b.state === 'works'))
  for (const entry of refusedFirst) entry.state = (await trial(person, entry.password)).ok ? 'works' : 'refused'
  return list
}

/** Adds a password, replaces all, or removes one; the exchange that did it. */
export async function alter(person, method, { fresh, old }) {
  const body = JSON.stringify({ username: person.name, ...(old && { old_password: old }), ...(fresh && { new_password: fresh }) }, null, 2)
  const why = { POST: 'adding a password', PUT: 'replacing the list', DELETE: 'removing a password' }[method]
  const answer = await send({ method, path: '/v1/users/password', as: 'none', type: 'json', body }, why)
  if (!answer.ok) return answer
  const list = listOf(person)
  if (method === 'PUT') for (const entry of list) entry.state = 'refused'
  if (method === 'DELETE') for (const entry of list) if (entry.password === old) entry.state = 'refused'
  if (fresh) {
    const known = list.find(({ password }) => password === fresh)
    if (known) known.state = 'works'
    else list.push({ password: fresh, state: 'works' })
  }
  const present = list.filter(({ state }) => state !== 'refused')
  if (!present.some(({ password }) => password === person.password) && present.length > 0) await settle(person, present.at(-1).password)
  return answer
}

/** Forgets the passwords that do not work any more. */
export function tidy(person) {
  lists.set(person.name, listOf(person).filter(({ state }) => state !== 'refused'))
}

/** From now on this password is the one that stands for the person. */
async function settle(person, password) {
  person.password = password
  if (engine.isTab) await engine.own('PUT', '/tab/people', { people: engine.people.map(known => (known.name === person.name ? { ...known, password } : known)) })
  else engine.remember({ name: person.name, password })
}

/** Something to sign in with that every policy takes. */
export function freshPassword() {
  const words = ['Lantern', 'Orchard', 'Compass', 'Harvest', 'Pebble', 'Marigold', 'Saddle', 'Thimble', 'Cobble', 'Rafter', 'Willow', 'Ginger']
  const [a, b, number] = crypto.getRandomValues(new Uint16Array(3))
  return `${words[a % words.length]}-${words[b % words.length]}-Road-${10 + (number % 90)}`
}

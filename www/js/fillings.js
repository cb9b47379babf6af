// What stands for `{{name}}` in a draft, and who a draft is sent as. Whatever a request needs first (a token, a user to delete) is
// asked of the engine, and stands in the history like everything else.

import { base64 } from './base64.js'
import { engine, signals } from './engines/current.js'
import { forged } from './token/forge.js'
import { jwtClaims } from './token/read.js'

/** How a request is sent; `exchange.js` says so, which needs what is here for everything it sends. */
let send
export function sendBy(way) {
  send = way
}

/** Thrown when something cannot be filled in; the message is for people. */
export class Missing extends Error {}

/** What was begun with one engine ends when the other one answers: neither is told what is meant for the other. */
export function stays(kind) {
  if (kind !== engine.kind) throw new Missing('The engine was switched, so this was not sent.')
}

/** The text with every `{{name}}` filled in, each value escaped for where it stands. */
export async function filled(text, draft = {}, escape = String) {
  const pieces = []
  let end = 0
  for (const { 0: placeholder, 1: name, index } of text.matchAll(/\{\{([\w.]+)\}\}/g)) {
    if (!Object.hasOwn(fillings, name)) throw new Missing(`There is nothing called ${name} to fill in.`)
    pieces.push(text.slice(end, index), escape(await fillings[name](draft)))
    end = index + placeholder.length
  }
  return pieces.join('') + text.slice(end)
}

/** How a value stands inside the body of this type. */
export const escapes = { json: value => JSON.stringify(String(value)).slice(1, -1), form: encodeURIComponent }

/** The value of the `Authorization` header of a draft, or `undefined`. */
export async function authorization({ as = 'none', raw = '' }) {
  const [way, ...rest] = as.split(':')
  const name = rest.join(':')
  switch (way) {
    case 'none': return undefined
    case 'raw': return raw ? filled(raw, { as: 'none' }) : undefined
    case 'unknown': return `Basic ${base64('nobody-here:not the password')}`
    case 'wrong': return `Basic ${base64(`${person(name).name}:not the password`)}`
    case 'token': return `Bearer ${await token(person(name))}`
    default: return `Basic ${base64(`${person(name).name}:${person(name).password}`)}`
  }
}

/** Whom a name stands for: `@admin` is an administrator, `@user` somebody who is none, as far as there are both. */
export function person(name) {
  const { people } = engine
  const found = {
    '@admin': () => people.find(({ role }) => role === 'admin') ?? people[0],
    '@user': () => people.find(({ role }) => role !== 'admin') ?? people[0],
  }[name]?.() ?? people.find(known => known.name === name)
  if (!found) throw new Missing('Sign in first: this request needs a user.')
  return found
}

/** Short-lived things are asked for once and used again while they are good. */
const tokens = new Map()
signals.addEventListener('change', () => tokens.clear())
signals.addEventListener('people', () => tokens.clear())
signals.addEventListener('clock', () => tokens.clear())

async function token({ name, password }) {
  const known = tokens.get(name)
  if (known && known.exp > engine.now() + 20_000) return known.token
  const answer = await asked({ method: 'POST', path: '/v1/users/authorize', as: `password:${name}`, type: 'json', body: '{"ttl": 900}' }, `a token for ${name}`)
  const { access_token: fresh } = answer.json
  tokens.set(name, { token: fresh, exp: (jwtClaims(fresh)?.exp ?? 0) * 1000, password })
  return fresh
}

const who = draft => {
  const [way, ...rest] = (draft.as ?? '').split(':')
  return ['password', 'token'].includes(way) ? person(rest.join(':')) : person('@user')
}
const random = () => Math.random().toString(36).slice(2, 8)

const fillings = {
  name: draft => who(draft).name,
  password: draft => who(draft).password,
  'user.name': () => person('@user').name,
  'user.password': () => person('@user').password,
  random,

  /** A signed token of whom the draft is sent as. */
  token: draft => token(who(draft)),

  /** The number of that user. */
  async uid(draft) {
    return jwtClaims(await token(who(draft)))?.uid ?? '1'
  },

  /** The id, or the token, of an OpenShift authorization made just for this. */
  authorization: async draft => (await anAuthorization(draft)).id,
  'authorization.token': async draft => (await anAuthorization(draft)).token,
  'read.token': async draft => (await anAuthorization(draft, 'read')).token,

  /** The name of an SSH key made just for this. */
  async key(draft) {
    const name = `made-${random()}`
    await asked({ method: 'POST', path: '/broker/rest/user/keys', as: `password:${who(draft).name}`, type: 'json', body: JSON.stringify({ name, type: 'ssh-ed25519', content: 'AAAA' }) }, 'a key for this')
    return name
  },

  /** The halves of an Elasticsearch pair made just for this. */
  access: async draft => (await aPair(draft)).access_token,
  refresh: async draft => (await aPair(draft)).refresh_token,

  /** A user made just for this, so that nothing of worth is changed. */
  'scratch.uid': async draft => (await scratch(draft)).uid,
  'scratch.name': async draft => (await scratch(draft)).name,
  'scratch.password': async draft => (await scratch(draft)).password,
  async 'scratch.basic'(draft) {
    const { name, password } = await scratch(draft)
    return base64(`${name}:${password}`)
  },

  /** A token that ended a moment ago. */
  async expired(draft) {
    const { name } = who(draft)
    const answer = await asked({ method: 'POST', path: '/v1/users/authorize', as: `password:${name}`, type: 'json', body: '{"ttl": 1}' }, 'a token of one second')
    await new Promise(resolve => { setTimeout(resolve, 1200) })
    return answer.json.access_token
  },

  /** A token that names another user under the old signature. */
  forged: async draft => forged(await token(who(draft))),

  /** A token that was revoked by its owner. */
  async revoked(draft) {
    const { name } = who(draft)
    const { json } = await asked({ method: 'POST', path: '/v1/users/authorize', as: `password:${name}`, type: 'json', body: '{"ttl": 600}' }, 'a token to revoke')
    await asked({ method: 'POST', path: '/auth/revoke', as: `password:${name}`, type: 'form', body: `token=${json.access_token}` }, 'revoking it')
    return json.access_token
  },

  /** A user who has just been locked out by wrong passwords. */
  async locked() {
    const user = await aUser()
    await repeat(5, () => send({ method: 'POST', path: '/v1/users/authorize', as: 'raw', raw: `Basic ${base64(`${user.name}:wrong`)}` }, 'a wrong password'))
    return base64(`${user.name}:${user.password}`)
  },
}

async function anAuthorization(draft, scope = 'session') {
  const { name } = who(draft)
  const path = '/broker/rest/user/authorizations'
  const body = JSON.stringify({ scope, note: 'made by the page' })
  const answer = await asked({ method: 'POST', path, as: `password:${name}`, type: 'json', body }, 'an authorization')
  return answer.json.data
}

async function aPair(draft) {
  const { name, password } = who(draft)
  const body = JSON.stringify({ grant_type: 'password', username: name, password })
  const path = '/_security/oauth2/token'
  return (await asked({ method: 'POST', path, as: `password:${name}`, type: 'json', body }, 'a pair of tokens')).json
}

/** One user for all the `{{scratch.…}}` of a draft. */
const scratchOf = new WeakMap()

function scratch(draft) {
  if (!scratchOf.has(draft)) scratchOf.set(draft, aUser())
  return scratchOf.get(draft)
}

async function aUser() {
  const [name, password] = [`scratch-${random()}`, `Paper-Boat-${random()}-7`]
  const body = JSON.stringify({ name, email: `${name}@example.com`, password, role: 'db_viewer' })
  const answer = await asked({ method: 'POST', path: '/v1/users', as: 'password:@admin', type: 'json', body }, 'a user for this')
  return { name, password, uid: answer.json.uid }
}

async function repeat(times, work) {
  for (let i = 0; i < times; i += 1) await work()
}

async function asked(draft, why) {
  const answer = await send(draft, why)
  stays(answer.engine)
  if (answer.ok) return answer
  const code = answer.json?.error_code ?? answer.json?.error?.type ?? answer.json?.error ?? ''
  throw new Missing(`What this request needs could not be had: ${draft.method} ${draft.path} was answered ${answer.status || 'not at all'}${code ? ` (${code})` : ''}.`)
}

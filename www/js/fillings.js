// What stands for `{{name}}` in a draft, and who a draft is sent as. Whatever a request needs first (a token, a user to delete) is
// asked of the engine, and stands in the history like everything else.

import { base64 } from './base64.js'
import { Missing } from './dom.js'
import { engine, signals } from './engines/current.js'
import { forged, jwtClaims } from './token/read.js'

/** How a request is sent; set by `exchange.js`, which itself needs what is here for everything it sends. */
let send
export function sendBy(way) {
  send = way
}

/** What was begun with one engine ends when the other one answers: neither is told what is meant for the other. It ends with
 * “Sign out”, too. */
export function stays(kind, era = engine.era) {
  if (kind !== engine.kind) throw new Missing('The engine was switched, so this was not sent.')
  if (era !== engine.era) throw new Missing('You have signed out meanwhile.')
}

/** The text with every `{{name}}` filled in, if the draft fills, each value escaped for where it stands. */
export async function filled(text, draft, escape = String) {
  if (!draft.fills) return text
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
export async function authorization({ as = 'none', raw = '', fills }) {
  const [way, name] = as.split(/:(.*)/s)
  switch (way) {
    case 'none': return undefined
    case 'raw': return raw ? filled(raw, { fills }) : undefined
    case 'unknown': return `Basic ${base64('nobody-here:not the password')}`
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
export const tokens = new Map()
for (const signal of ['change', 'people', 'clock']) signals.addEventListener(signal, () => tokens.clear())

async function token({ name }) {
  const known = tokens.get(name)
  if (known && known.exp > engine.now() + 20_000) return known.token
  const fresh = await aToken(name, 900, `a token for ${name}`)
  tokens.set(name, { token: fresh, exp: (jwtClaims(fresh)?.exp ?? 0) * 1000 })
  return fresh
}

const who = draft => {
  const [way, name] = (draft.as ?? '').split(/:(.*)/s)
  return person(['password', 'token'].includes(way) ? name : '@user')
}

/** What nobody guesses: 60 bits. */
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), octet => (octet % 32).toString(32)).join('').replace(/\B(?=(...)+$)/g, '-')

/** Something to sign in with that every policy takes. */
export const fresh = () => `Wax7-${random()}`

const fillings = {
  name: draft => who(draft).name,
  password: draft => who(draft).password,
  'user.name': () => person('@user').name,
  'user.password': () => person('@user').password,
  random,

  /** A new password that every policy takes. */
  fresh,

  /** A signed token of the user that the draft is sent as. */
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
    await posted('/broker/rest/user/keys', who(draft).name, { name, type: 'ssh-ed25519', content: 'AAAA' }, 'a key for this')
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
    const ended = await aToken(who(draft).name, 1, 'a token of one second')
    await new Promise(resolve => { setTimeout(resolve, 1200) })
    return ended
  },

  /** A token that names another user under the old signature. */
  forged: async draft => forged(await token(who(draft))),

  /** A token that was revoked by its owner. */
  async revoked(draft) {
    const { name } = who(draft)
    const revoked = await aToken(name, 600, 'a token to revoke')
    await asked({ method: 'POST', path: '/auth/revoke', as: `password:${name}`, type: 'form', body: `token=${revoked}` }, 'revoking it')
    return revoked
  },

  /** A user with a wrong password. Five of them lock somebody out, so that on a live server the user is made just for this. */
  async wrong() {
    const { name } = engine.isTab ? person('@user') : await aUser()
    return base64(`${name}:not the password`)
  },

  /** A user who has just been locked out by wrong passwords. */
  async locked() {
    const user = await aUser()
    const raw = `Basic ${base64(`${user.name}:wrong`)}`
    for (let tries = 0; tries < 5; tries += 1) await send({ method: 'POST', path: '/v1/users/authorize', as: 'raw', raw }, 'a wrong password')
    return base64(`${user.name}:${user.password}`)
  },
}

const aToken = async (name, ttl, why) => (await posted('/v1/users/authorize', name, { ttl }, why)).access_token

const anAuthorization = async (draft, scope = 'session') => (await posted('/broker/rest/user/authorizations', who(draft).name, { scope, note: 'made by the page' }, 'an authorization')).data

function aPair(draft) {
  const { name: username, password } = who(draft)
  return posted('/_security/oauth2/token', username, { grant_type: 'password', username, password }, 'a pair of tokens')
}

/** One user for all the `{{scratch.…}}` of a draft. */
const scratchOf = new WeakMap()

function scratch(draft) {
  if (!scratchOf.has(draft)) scratchOf.set(draft, aUser())
  return scratchOf.get(draft)
}

/** A user with whom anything may be done. */
export async function aUser() {
  const [name, password] = [`scratch-${random()}`, fresh()]
  const { uid } = await posted('/v1/users', '@admin', { name, email: `${name}@example.com`, password, role: 'db_viewer' }, 'a user for this')
  return { name, password, uid }
}

/** What is answered to this person. */
const posted = async (path, name, body, why) => (await asked({ method: 'POST', path, as: `password:${name}`, type: 'json', body: JSON.stringify(body) }, why)).json

async function asked(draft, why) {
  const answer = await send(draft, why)
  stays(answer.engine)
  if (answer.ok) return answer
  const code = answer.json?.error_code ?? answer.json?.error?.type ?? answer.json?.error ?? ''
  throw new Missing(`What this request needs could not be had: ${draft.method} ${draft.path} was answered ${answer.status || 'not at all'}${code ? ` (${code})` : ''}.`)
}

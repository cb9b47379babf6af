// All users and whether they may sign in. Asked by the page for itself, so it does not stand in the history.

import { base64 } from '../../base64.js'
import { engine } from '../../engines/current.js'
import { isRefused } from '../../lists.js'

/** One more than are shown. */
const MOST = 51
const DAY = 86_400_000

/** `[{ name, status, until }]`; where nobody here may know, a sentence that says so. */
export const everybody = () => (engine.isTab ? fromTheTab().catch(({ message }) => `Who may sign in is not known: ${message}.`) : fromTheServer())

/** Whose password was refused. It is not sent again, as that would lock its owner out. */
let refused

async function fromTheServer() {
  const admin = engine.people.find(({ role }) => role === 'admin' || role === 'user_manager')
  if (!admin) return 'Only administrators are told who may sign in.'
  if (admin !== refused) {
    const { status, json } = await asked('/v1/users', `Basic ${base64(`${admin.name}:${admin.password}`)}`)
    if (status === 200) return json.slice(0, MOST).map(({ name, status: state }) => ({ name, status: state }))
    if (!isRefused({ status, json })) return 'The server does not tell who may sign in.'
    refused = admin
  }
  return `The password known here for ${admin.name} no longer signs in.`
}

/** The owner of an engine sees locks and ages; whether an age is too much, the rules say. */
async function fromTheTab() {
  const { json } = await engine.own('GET', `/admin/users?limit=${MOST}`)
  const limit = await oldest(json.users)
  return json.users.map(({ name, locked, locked_until: end, disabled, password_issued: set }) => {
    const status = disabled ? 'disabled' : locked ? 'locked' : Date.parse(set) <= limit ? 'password_expired' : 'active'
    return { name, status, until: locked && end ? new Date(end).toLocaleString() : undefined }
  })
}

let days = 0
let minted = { exp: 0 }

/** Passwords set at this time or before have expired. */
async function oldest(users) {
  const { status, json: rules } = await asked('/v1/cluster', `Bearer ${await ownToken()}`)
  days = rules?.password_expiration_duration ?? days
  // If user 1 may no longer read the rules, his own password has expired.
  const admin = status !== 200 ? Date.parse(users.find(({ uid }) => uid === 1)?.password_issued) : -Infinity
  return Math.max(days > 0 ? engine.now() - days * DAY : -Infinity, Number.isFinite(admin) ? admin : -Infinity)
}

/** The tab's engine gives its owner a token without a password. */
async function ownToken() {
  const epoch = engine.people[0]?.password
  const now = engine.now()
  // The clock may have been moved back.
  if (minted.exp <= now || minted.exp > now + DAY || minted.epoch !== epoch) {
    const { json } = await engine.own('POST', '/admin/tokens', { user: '1', ttl: 86_400 })
    minted = { token: json.access_token, exp: now + DAY - 60_000, epoch }
  }
  return minted.token
}

async function asked(path, authorization) {
  try {
    const { status, text } = await engine.transport({ method: 'GET', path, headers: [['authorization', authorization]] })
    return { status, json: JSON.parse(text) }
  } catch {
    return {}
  }
}

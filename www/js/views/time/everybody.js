// All users and whether they may sign in. Asked by the page for itself, so it does not stand in the history.

import { base64 } from '../../base64.js'
import { engine } from '../../engines/current.js'
import { isRefused } from '../../lists.js'
import { preference } from '../../preference.js'

/** One more than are shown. */
const MOST = 51
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** `[{ name, status, until }]`; where nobody here may know, a sentence that says so. */
export const everybody = () => (engine.isTab ? fromTheTab().catch(({ message }) => `Who may sign in is not known: ${message}.`) : fromTheServer())

/** Whose password was refused. It is not sent again, as that would lock its owner out. */
let refused

async function fromTheServer() {
  const admin = engine.people.find(({ role }) => role === 'admin' || role === 'user_manager')
  if (!admin) return 'Only administrators are told who may sign in.'
  if (admin !== refused) {
    const { status, json } = await asked('/v1/users', `Basic ${base64(`${admin.name}:${admin.password}`)}`)
    if (status === 200) return json
    if (!isRefused({ status, json })) return 'The server does not tell who may sign in.'
    refused = admin
  }
  return `The password known here for ${admin.name} no longer signs in.`
}

/** The owner of an engine sees locks and ages; whether an age is too much, the rules say. */
async function fromTheTab() {
  const { json } = await engine.own('GET', `/admin/users?limit=${MOST}`)
  const hasExpired = await rule(json.users)
  return json.users.map(({ name, locked, locked_until: end, disabled, password_issued: set }) => {
    const status = disabled ? 'disabled' : locked ? 'locked' : hasExpired(Date.parse(set)) ? 'password_expired' : 'active'
    return { name, status, until: locked && end ? Date.parse(end) : undefined }
  })
}

/** Kept, as the engine tells it to no administrator whose own password has expired. */
const days = preference('days')
let minted = { exp: 0 }

/** Whether passwords set at a time have expired. Of what was set while the clock was ahead nobody knows the age: it has. */
async function rule(users) {
  const admin = users.find(({ role, disabled }) => role === 'admin' && !disabled)
  const { status, json: rules } = admin ? await asked('/v1/cluster', `Bearer ${await tokenOf(admin)}`) : {}
  // It may have been ended, or the clock moved back.
  if (status !== 200) minted.exp = 0
  else days.value = rules.password_expiration_duration
  const ahead = engine.now() + HOUR
  const known = rules?.error_code === 'password_expired' && Date.parse(admin.password_issued)
  const limit = Math.max(days.value > 0 && engine.now() - days.value * DAY, known < ahead && known)
  return set => (set > ahead ? known || days.value > 0 : set <= limit)
}

/** The tab's engine gives its owner a token without a password. */
async function tokenOf({ uid }) {
  const now = engine.now()
  if (minted.exp <= now || minted.uid !== uid) {
    const { json } = await engine.own('POST', '/admin/tokens', { user: `uid:${uid}`, ttl: 86_400 })
    minted = { token: json.access_token, exp: now + DAY - 60_000, uid }
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

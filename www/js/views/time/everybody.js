// All users and whether they may sign in. Asked by the page for itself, so it does not stand in the history.

import { base64 } from '../../base64.js'
import { engine } from '../../engines/current.js'
import { isRefused } from '../../lists.js'

/** `[{ name, status, until }]`; where nobody here may know, a sentence that says so. */
export const everybody = () => (engine.isTab ? engine.own('GET', '/tab/users').then(({ json }) => json).catch(({ message }) => `Who may sign in is not known: ${message}.`) : fromTheServer())

/** Whose password was refused. It is not sent again, as that would lock its owner out. */
let refused

async function fromTheServer() {
  const admin = engine.people.find(({ role }) => role === 'admin' || role === 'user_manager')
  if (!admin) return 'Only administrators are told who may sign in.'
  if (admin !== refused) {
    const { status, json } = await asked(admin)
    if (status === 200) return json
    if (!isRefused({ status, json })) return 'The server does not tell who may sign in.'
    refused = admin
  }
  return `The password known here for ${admin.name} no longer signs in.`
}

async function asked({ name, password }) {
  try {
    const { status, text } = await engine.transport({ method: 'GET', path: '/v1/users', headers: [['authorization', `Basic ${base64(`${name}:${password}`)}`]] })
    return { status, json: JSON.parse(text) }
  } catch {
    return {}
  }
}

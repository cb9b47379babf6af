// Signing in to the live server. Name and password stay in the memory of this tab.

import { announce, asTyped, h, once } from './dom.js'
import { engine } from './engines/current.js'
import { send } from './exchange.js'
import { noticePlace, say } from './parts/notice.js'
import { jwtClaims } from './token/read.js'
import { base64 } from './base64.js'
import { excuse } from './views/try/excuse.js'

/** A form; open, or behind a summary when somebody has signed in already. */
export function signIn(open) {
  const name = h('input', { id: 'sign-in-name', ...asTyped, autocomplete: 'username', required: true })
  const password = h('input', { id: 'sign-in-password', type: 'password', autocomplete: 'current-password', required: true })
  const button = h('button.primary', { type: 'submit' }, 'Sign in')
  const notice = noticePlace()
  const form = h(
    'form.sign-in', { onsubmit: submitted, 'aria-label': 'Sign in' },
    h('div', h('label', { for: 'sign-in-name' }, 'Name or e-mail'), name),
    h('div', h('label', { for: 'sign-in-password' }, 'Password'), password),
    button,
    notice,
  )

  function submitted(event) {
    event.preventDefault()
    once(button, attempt)
  }

  async function attempt() {
    const raw = `Basic ${base64(`${name.value}:${password.value}`)}`
    const answer = await send({ method: 'POST', path: '/v1/users/authorize', as: 'raw', raw, type: 'json', body: '{"ttl": 900}' }, 'signing in')
    if (!answer.ok || !answer.json?.access_token) return say(notice, excuse(answer) ?? 'This server does not answer as expected.', 'bad', answer.status === 404 && 'Signing in here takes the Redis dialect.')
    const token = answer.json.access_token
    const { uid, iat } = jwtClaims(token) ?? {}
    if (Number.isFinite(iat)) engine.setOffset(iat * 1000 - Date.now())
    const own = await send({ method: 'GET', path: `/v1/users/${encodeURIComponent(uid)}`, as: 'raw', raw: `Bearer ${token}` }, 'who that is')
    // Whoever has switched meanwhile is not to have the password kept by the other engine.
    if (engine.isTab) return
    engine.remember({ uid, name: own.json?.name ?? name.value, password: password.value, role: own.json?.role, email: own.json?.email })
    announce('Signed in')
    form.reset()
    element.open = false
  }

  const element = open ? form : h('details', h('summary', 'Sign in as somebody else too'), form)
  return element
}

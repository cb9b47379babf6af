// Tokens seen so far, and ways to have one made.

import { fill, h, once } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { send } from '../../exchange.js'
import { standingNotice, say } from '../../parts/notice.js'
import { pocket } from '../../pocket.js'

const WAYS = [
  ['A token of 5 minutes', { method: 'POST', path: '/v1/users/authorize', as: 'password:@user', type: 'json', body: '{"ttl": 300}' }, json => json.access_token],
  ['of 10 seconds', { method: 'POST', path: '/v1/users/authorize', as: 'password:@user', type: 'json', body: '{"ttl": 10}' }, json => json.access_token],
  ['An OpenShift authorization', { method: 'POST', path: '/broker/rest/user/authorizations', as: 'password:@user', type: 'json', headers: [['accept', 'application/json']], body: '{"scope": "session", "expires_in": 3600}' }, json => json.data.token],
  ['An Elasticsearch pair', { fills: true, method: 'POST', path: '/_security/oauth2/token', as: 'password:@user', type: 'json', body: '{"grant_type": "password", "username": "{{name}}", "password": "{{password}}"}' }, json => json.access_token],
]

/** `{ element, draw }`; `onpick` is given the token's text. */
export function picks({ onpick }) {
  const list = h('ul.picks')
  /** When the next of them ends. */
  let ends
  const notice = standingNotice()
  const make = h('div.row', { role: 'group', 'aria-label': 'Have one made' }, WAYS.map(([name, draft, token]) => h('button.small', { onclick: ({ currentTarget }) => once(currentTarget, () => made(draft, token), missed) }, name)))
  const element = h('div.pick', h('h3', 'Have one made'), make, notice, h('h3', 'Seen so far'), list)

  async function made(draft, token) {
    say(notice)
    const answer = await send(draft, 'a token to open')
    if (answer.ok) onpick(token(answer.json))
    else missed(`The engine refused: ${answer.status || 'no answer'}.`)
  }

  function missed(message) {
    say(notice, message, 'bad')
  }

  function draw() {
    const tokens = pocket.present.slice(0, 12)
    ends = Math.min(...tokens.map(({ exp }) => (exp > engine.now() ? exp : Infinity)))
    fill(list, tokens.length === 0 ? h('li.quiet', 'None yet.') : tokens.map(({ token, kind, from, exp }) => {
      const over = exp !== undefined && exp <= engine.now()
      return h('li', h('button.pick-one', { id: token, onclick: () => onpick(token) }, h('strong', kind), h('code', `${token.slice(0, 14)}…${token.slice(-6)}`), h('small', `${from}${over ? ' · expired' : ''}`)))
    }))
  }

  pocket.addEventListener('change', draw)
  signals.addEventListener('clock', draw)
  setInterval(() => { if (ends <= engine.now()) draw() }, 1000)
  draw()
  return { element, draw }
}

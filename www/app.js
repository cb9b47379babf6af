// Wires the page to the server it came from. What is typed and issued here lives in this tab and goes nowhere else.

import { basic, bearer, curl, exchanges, excuse, nobody, send } from './server.js'
import { duration, forged, inWords, open } from './token.js'

const $ = id => document.getElementById(id)

/** The token shown, opened, or `undefined`; and by how many seconds the server's clock is ahead of ours. */
let token
let ahead = 0

$('origin').textContent = location.origin

// Signing in

onSubmit('sign-in', async () => {
  const ttl = $('ttl').valueAsNumber
  const answer = await send({ method: 'POST', path: '/v1/users/authorize', as: typed(), body: JSON.stringify({ ttl }) })
  if (!answer.ok) return refused(answer)
  show(answer.json?.access_token)
  $('token').scrollIntoView({ block: 'nearest' })
  return { good: true, says: 'Signed in. The token is shown opened.' }
})

// The token

$('copy').addEventListener('click', () => copy(token.compact, $('copy')))
$('forget').addEventListener('click', () => show(undefined))

onClick('verify', () => verdict(token.compact))
onClick('forge', () => verdict(forged(token)))

onClick('refresh', async () => {
  const body = JSON.stringify({ ttl: $('ttl').valueAsNumber || 300 })
  const answer = await send({ method: 'POST', path: '/v1/users/refresh_jwt', as: bearer(token.compact), body })
  if (!answer.ok) return refused(answer)
  show(answer.json?.access_token)
  return { good: true, says: 'A new token; the one before stays good until its own end.' }
})

async function verdict(compact) {
  const answer = await send({ method: 'GET', path: '/auth/verify', as: bearer(compact) })
  if (answer.status === 401) {
    const copied = compact === token.compact
    return { good: false, says: copied ? 'The server refuses this token.' : 'The server refuses the forged copy, as it should.', detail: '401' }
  }
  if (!answer.ok) return refused(answer)
  const [user, uid, role] = ['x-auth-user', 'x-auth-uid', 'x-auth-role'].map(answer.header)
  const who = [user && `user ${user}`, uid && `number ${uid}`, role && `role ${role}`].filter(Boolean).join(', ')
  return { good: true, says: `The server accepts it${who ? `: ${who}` : ''}.`, detail: String(answer.status) }
}

function show(compact) {
  token = compact ? open(compact) : undefined
  $('opened').hidden = !token
  say($('verdict'))
  if (token) {
    ahead = Number.isFinite(token.claims.iat) ? token.claims.iat - Date.now() / 1000 : 0
    const names = ['header', 'claims', 'signature']
    $('compact').replaceChildren(...token.parts.flatMap((part, i) => [...(i ? ['.'] : []), element('span', names[i], part)]))
    $('header').replaceChildren(...inWords(token.header).map(row))
    $('claims').replaceChildren(...inWords(token.claims).map(row))
  }
  tick()
  preview()
}

function row({ name, label, text }) {
  const term = document.createElement('dt')
  term.append(label || name, ...(label ? [element('code', '', name)] : []))
  const group = document.createElement('div')
  group.append(term, element('dd', '', text))
  return group
}

/** How much life is left, by the server's clock. */
function tick() {
  const { iat, exp } = token?.claims ?? {}
  const left = Math.max(0, Math.ceil(exp - Date.now() / 1000 - ahead))
  const fresh = token !== undefined && left > 0
  $('token').dataset.state = token === undefined ? 'none' : fresh ? 'live' : 'dead'
  $('token').querySelector('.left').style.strokeDashoffset = fresh ? String(100 - Math.min(100, (100 * left) / (exp - iat))) : '100'
  $('life').textContent = token === undefined
    ? 'None yet. Sign in and it is shown here, opened.'
    : fresh ? `Good for another ${duration(left)} of ${duration(exp - iat)}.` : 'Its time is over; the server refuses it now.'
}
setInterval(tick, 1000)

// The list of passwords

const change = () => new FormData($('passwords')).get('change')

$('passwords').addEventListener('change', () => {
  const method = change()
  for (const part of $('passwords').querySelectorAll('[data-for]')) part.hidden = !part.dataset.for.split(' ').includes(method)
  $('new-password').required = method !== 'DELETE'
  $('old-password').required = method === 'DELETE'
  $('passwords').querySelector('button').textContent = { POST: 'Add the password', PUT: 'Replace all passwords', DELETE: 'Remove the password' }[method]
})
$('passwords').dispatchEvent(new Event('change'))

onSubmit('passwords', async () => {
  if (!token) return { good: false, says: 'Sign in first: the list changed is your own.' }
  const method = change()
  const [fresh, old] = [$('new-password').value, $('old-password').value]
  const body = JSON.stringify({ ...(old && { old_password: old }), ...(method !== 'DELETE' && { new_password: fresh }) })
  const secrets = { NEW_PASSWORD: fresh, OLD_PASSWORD: old }
  const answer = await send({ method, path: '/v1/users/password', as: bearer(token.compact), body, secrets })
  if (!answer.ok) return refused(answer)
  $('new-password').value = ''
  $('old-password').value = ''
  if (method === 'PUT') {
    $('password').value = ''
    show(undefined)
  }
  return {
    good: true,
    says: {
      POST: 'Added. Every password in your list signs in.',
      PUT: 'Replaced. The new password is the only one, and tokens issued before have ended: sign in again.',
      DELETE: 'Removed. It no longer signs in.',
    }[method],
  }
})

// Any request

const draft = () => ({
  method: $('method').value,
  path: $('path').value,
  as: { bearer: token ? bearer(token.compact) : bearer('TOKEN'), basic: typed(), none: nobody }[$('credentials').value],
  body: $('method').value === 'GET' ? '' : $('body').value.trim(),
})

function preview() {
  $('curl').textContent = curl(draft())
}
for (const id of ['console', 'sign-in']) $(id).addEventListener('input', preview)
$('copy-curl').addEventListener('click', () => copy($('curl').textContent, $('copy-curl')))

onSubmit('console', async () => {
  if ($('credentials').value === 'bearer' && !token) return { good: false, says: 'There is no token yet: sign in, or send the request as nobody.' }
  const answer = await send(draft())
  $('log').querySelector('details').open = true
  return answer.status === 0 ? refused(answer) : undefined
})

exchanges.addEventListener('exchange', ({ detail: exchange }) => {
  const item = $('exchange').content.cloneNode(true)
  const part = name => item.querySelector(`.${name}`)
  part('status').textContent = exchange.status || 'no answer'
  part('status').classList.add(exchange.ok ? 'good' : 'bad')
  part('what').textContent = `${exchange.method} ${exchange.path}`
  part('took').textContent = `${exchange.took.toFixed(exchange.took < 10 ? 1 : 0)} ms`
  part('sent').textContent = exchange.curl
  const head = exchange.headers.map(([name, value]) => `${name}: ${value}`).join('\n')
  const body = exchange.json === undefined ? exchange.text : JSON.stringify(exchange.json, null, 2)
  part('got').textContent = [head, body].filter(Boolean).join('\n\n') || 'nothing'
  $('log-empty').hidden = true
  $('log').prepend(item)
  while ($('log').children.length > 30) $('log').lastElementChild.remove()
})

preview()

// What the parts above share

function typed() {
  return basic($('name').value, $('password').value)
}

function refused(answer) {
  return { good: false, ...excuse(answer) }
}

/** Runs `work` when the form is sent, one at a time, and says how it went below the form. */
function onSubmit(id, work) {
  const form = $(id)
  form.addEventListener('submit', event => {
    event.preventDefault()
    attempt(form.querySelector('button:not([type])'), form.querySelector('.notice'), work)
  })
}

/** The same for a button of the token. */
function onClick(id, work) {
  $(id).addEventListener('click', () => attempt($(id), $('verdict'), work))
}

async function attempt(button, notice, work) {
  button.disabled = true
  try {
    say(notice, await work())
  } finally {
    button.disabled = false
  }
}

function say(notice, outcome) {
  notice.hidden = !outcome
  if (!outcome) return
  notice.classList.toggle('good', outcome.good)
  notice.classList.toggle('bad', !outcome.good)
  notice.replaceChildren(outcome.says, ...(outcome.detail ? [element('small', '', outcome.detail)] : []))
}

async function copy(text, button) {
  const label = button.dataset.label ??= button.textContent
  try {
    await navigator.clipboard.writeText(text)
    button.textContent = 'Copied'
  } catch {
    button.textContent = 'Not allowed here'
  }
  setTimeout(() => { button.textContent = label }, 1500)
}

function element(name, className, text) {
  const made = document.createElement(name)
  if (className) made.className = className
  made.textContent = text
  return made
}

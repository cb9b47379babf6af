// The request, every part of it to change.

import { draftOf } from '../../catalogue/index.js'
import { announce, asTyped, card, fill, h, once } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { bodyOf, send } from '../../exchange.js'
import { person } from '../../fillings.js'
import { ELSEWHERE, shellLine } from '../../parts/copy.js'
import { standingNotice, say } from '../../parts/notice.js'
import { previewed } from './preview.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const TYPES = [['json', 'JSON'], ['form', 'form'], ['', 'none']]

/** `{ element, load, sendCase }`; `onsend` is called before each exchange, `onsent` is given it, or nothing when it did not come about. */
export function editor({ onsend, onsent }) {
  const method = h('select', { id: 'method' }, METHODS.map(name => h('option', name)))
  const path = h('input', { id: 'path', ...asTyped, required: true, pattern: '/.*' })
  const as = h('select', { id: 'as' })
  const raw = h('input', { id: 'raw', ...asTyped, placeholder: 'Bearer …' })
  const rawRow = h('div', { hidden: true }, h('label', { for: 'raw' }, 'Authorization'), raw)
  const type = h('select', { id: 'type' }, TYPES.map(([value, text]) => h('option', { value }, text)))
  const body = h('textarea', { id: 'body', rows: 5, ...asTyped })
  const headers = h('textarea', { id: 'headers', rows: 2, ...asTyped, placeholder: 'accept: application/json' })
  const headersRow = h('details', h('summary', 'Other headers'), h('label.unseen', { for: 'headers' }, 'Other headers, one in a line'), headers)
  const curlLine = h('pre.curl', { tabindex: 0, role: 'group', 'aria-label': 'The same as a line for a shell' })
  const shellHint = h('p.quiet')
  const button = h('button.primary', { type: 'submit' }, 'Send')
  const back = h('button.small', { hidden: true, onclick: () => { button.focus(); load(route) } }, 'As it was')
  const notice = standingNotice()
  let route
  /** Who it is to be sent as; `password:@user` is whoever is no administrator, once somebody is known. */
  let wanted = 'none'

  const form = h(
    'form.editor', { onsubmit: submitted, oninput: changed, onkeydown: shortcut, 'aria-label': 'Request' },
    h('div.line', h('div.narrow', h('label', { for: 'method' }, 'Method'), method), h('div.grow', h('label', { for: 'path' }, 'Path'), path)),
    h('div.line', h('div.grow', h('label', { for: 'as' }, 'Sent as'), as), h('div.narrow', h('label', { for: 'type' }, 'Body is'), type)),
    rawRow,
    h('div', h('label', { for: 'body' }, 'Body'), body),
    headersRow,
    shellLine('The same in a shell', curlLine, 'the shell line', shellHint),
    h('p.quiet.hint', { id: 'hint', hidden: true }, 'What stands in {{…}} is filled in when the request is sent: a token, or a user made just for it. On a live server such users stay: “scratch-…”.'),
    h('div.row', button, back, h('small', h('kbd', 'Ctrl'), ' + ', h('kbd', 'Enter'), ' sends')),
    notice,
  )
  const element = card('request', 'Request', form)
  signals.addEventListener('people', people)
  // What was typed may hold a password.
  signals.addEventListener('forget', () => load(route))
  people()

  /** The choices of who a request is sent as. */
  function people() {
    const someone = engine.people.flatMap(({ name }) => [[`password:${name}`, `${name}, by password`], [`token:${name}`, `${name}, by token`]])
    fill(as, [['none', 'nobody'], ...someone, ['unknown', 'an unknown user'], ['raw', 'as written here']].map(([value, text]) => h('option', { value }, text)))
    choose(wanted)
    preview()
  }

  function choose(who) {
    wanted = who
    const [way, name] = wanted.split(/:(.*)/s)
    try {
      as.value = name ? `${way}:${person(name).name}` : way
    } catch {
      // There is nobody of that name here.
      as.value = 'none'
    }
    rawRow.hidden = as.value !== 'raw'
  }

  function put(draft) {
    method.value = draft.method
    path.value = draft.path
    choose(draft.as)
    raw.value = draft.raw
    type.value = draft.type
    body.value = draft.body
    body.rows = Math.min(14, Math.max(3, draft.body.split('\n').length + 1))
    headers.value = draft.headers.map(pair => pair.join(': ')).join('\n')
    headersRow.open = draft.headers.length > 0
    say(notice)
    changed()
    back.hidden = true
  }

  function draft() {
    const lines = headers.value.split('\n').map(line => line.split(/:(.*)/s)).filter(([name]) => name.trim())
    return { fills: true, method: method.value, path: path.value.trim(), as: as.value, raw: raw.value, type: type.value, body: body.value.trim(), headers: lines.map(([name, value = '']) => [name.trim(), value.trim()]) }
  }

  function changed(event) {
    if (event?.target === as) wanted = as.value
    rawRow.hidden = as.value !== 'raw'
    const now = draft()
    form.querySelector('#hint').hidden = !/\{\{/.test(now.path + now.raw + headers.value + bodyOf(now))
    body.disabled = !bodyOf({ ...now, body: 1 })
    preview()
    back.hidden = false
  }

  function preview() {
    curlLine.textContent = previewed(draft())
    shellHint.textContent = `${/"\$/.test(curlLine.textContent) ? 'Set the $VARIABLES first, or send it and copy “What was sent”. ' : ''}${engine.isTab ? ELSEWHERE : ''}`
  }

  function load(next) {
    route = next
    put(draftOf(route))
  }

  const run = () => once(button, async () => {
    say(notice)
    onsend()
    const exchange = await send(draft())
    announce(exchange.status ? `Answered ${exchange.status}` : 'No answer')
    onsent(exchange)
  }, message => {
    say(notice, message, 'bad')
    onsent()
  })

  function submitted(event) {
    event.preventDefault()
    run()
  }

  function shortcut(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  }

  return {
    element,
    load,
    sendCase(from, failure) {
      if (button.ariaDisabled) return
      put(draftOf(from, failure))
      back.hidden = false
      run()
    },
  }
}

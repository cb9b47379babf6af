// What came back.

import { card, fill, h } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { giveUp } from '../../engines/live.js'
import { copyButton, ELSEWHERE, shellLine } from '../../parts/copy.js'
import { shown } from '../../parts/json.js'
import { methodBadge, statusBadge } from '../../parts/status.js'
import { pocket } from '../../pocket.js'
import { to } from '../../route.js'
import { milliseconds } from '../../words.js'
import { excuse } from './excuse.js'

/** `{ element, show, clear, wait }` */
export function answerCard() {
  const body = h('div.answer-body')
  const element = card('answer', 'Answer', body)

  function clear() {
    fill(body, h('p.quiet', 'Nothing sent yet. The request can be sent as it stands.'))
  }

  function wait() {
    fill(body, h('p.quiet', { 'aria-busy': 'true' }, 'On its way …'), !engine.isTab && h('p', h('button.small', { onclick: giveUp }, 'Cancel')))
  }

  function show(exchange) {
    if (!exchange) return clear()
    const token = pocket.tokens.find(known => exchange.text.includes(known.token))
    const says = excuse(exchange)
    fill(
      body,
      h('p.answer-head', statusBadge(exchange), h('small', milliseconds(exchange.took)), methodBadge(exchange.method), h('code', exchange.path)),
      says && h('p', says),
      exchange.text && h('div.with-button', h('pre.body', { tabindex: 0, role: 'group', 'aria-label': 'Body of the answer' }, shown(exchange.text)), copyButton(() => exchange.text, 'Copy', 'the answer')),
      !exchange.text && exchange.status > 0 && h('p.quiet', 'The body is empty.'),
      token && h('p', h('a.action', { href: to('token'), onclick: () => { pocket.chosen = token.token } }, 'Open the token')),
      h('details', h('summary', `Headers of the answer (${exchange.headers.length})`), h('dl.headers', exchange.headers.map(([name, value]) => h('div', h('dt', name), h('dd', value))))),
      shellLine('What was sent, for a shell', h('pre.curl', { tabindex: 0 }, exchange.curl), 'the line that was sent', exchange.engine === 'tab' && h('p.quiet', ELSEWHERE)),
    )
  }

  signals.addEventListener('forget', clear)
  clear()
  return { element, show, clear, wait }
}

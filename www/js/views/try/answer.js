// What came back.

import { fill, h } from '../../dom.js'
import { engine } from '../../engines/current.js'
import { giveUp } from '../../engines/live.js'
import { copyButton } from '../../parts/copy.js'
import { shown } from '../../parts/json.js'
import { methodBadge, statusBadge } from '../../parts/status.js'
import { pocket } from '../../pocket.js'
import { to } from '../../route.js'
import { milliseconds } from '../../words.js'
import { excuse } from './excuse.js'

/** `{ element, show, clear, wait }` */
export function answerCard() {
  const body = h('div.answer-body')
  const element = h('section.card.answer', { 'aria-labelledby': 'answer-title', tabindex: -1 }, h('h2', { id: 'answer-title' }, 'Answer'), body)

  function clear() {
    fill(body, h('p.quiet', 'Nothing sent yet. The request above can be sent as it stands.'))
  }

  function wait() {
    fill(body, h('p.quiet', { 'aria-busy': 'true' }, 'On its way …'), !engine.isTab && h('p', h('button.small', { type: 'button', onclick: giveUp }, 'Cancel')))
  }

  function show(exchange) {
    // The button to cancel goes.
    if (body.contains(document.activeElement)) element.focus()
    if (!exchange) return clear()
    const token = pocket.tokens.find(known => exchange.text.includes(known.token))
    const says = excuse(exchange)
    fill(
      body,
      h('p.answer-head', statusBadge(exchange), h('small', milliseconds(exchange.took)), methodBadge(exchange.method), h('code', exchange.path)),
      says && h('p', says),
      exchange.text && h('div.with-button', h('pre.body', { tabindex: 0, 'aria-label': 'Body of the answer' }, shown(exchange.text)), copyButton(() => exchange.text, 'Copy', 'the answer')),
      !exchange.text && exchange.status > 0 && h('p.quiet', 'The body is empty.'),
      token && h('p', h('a.action', { href: to('token'), onclick: () => { pocket.chosen = token.token } }, 'Open the token')),
      h('details', h('summary', `Headers of the answer (${exchange.headers.length})`), h('dl.headers', exchange.headers.map(([name, value]) => h('div', h('dt', name), h('dd', value))))),
      h('details', h('summary', 'What was sent, for a shell'), h('div.with-button', h('pre.curl', { tabindex: 0 }, exchange.curl), copyButton(() => exchange.curl, 'Copy', 'the line that was sent'))),
    )
  }

  clear()
  return { element, show, clear, wait }
}

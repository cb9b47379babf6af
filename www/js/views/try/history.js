// What has been said, newest first. Only what can be seen is built, so that ten thousand entries cost no more than fifty.

import { card, fill, h, soon } from '../../dom.js'
import { exchanges } from '../../exchanges.js'
import { methodBadge, statusBadge } from '../../parts/status.js'
import { milliseconds, plural, timeOfDay } from '../../words.js'

const PAGE = 50

/** `{ element }`; `onpick` is given the entry that was chosen. */
export function historyCard({ onpick }) {
  const list = h('ol.history', { 'aria-label': 'Requests so far, newest first' })
  const count = h('small')
  const older = h('button.small', { hidden: true, onclick: more }, 'Older')
  const clear = h('button.small', { hidden: true, onclick: () => { element.focus(); exchanges.clear() } }, 'Clear')
  const empty = h('p.quiet', 'Every request will stand here with its answer, until the tab ends.')
  const element = card('past', ['History', count, clear], empty, list, older)
  let shown = PAGE

  function draw() {
    const { entries } = exchanges
    fill(list, entries.slice(-shown).reverse().map(row))
    count.textContent = entries.length ? plural(entries.length, 'request') : ''
    empty.hidden = entries.length > 0
    clear.hidden = entries.length === 0
    older.hidden = entries.length <= shown
  }

  function more() {
    const first = shown
    shown += PAGE
    draw()
    if (older.hidden) list.children[first].firstChild.focus()
  }

  function row(exchange) {
    return h(
      'li',
      h(
        'button.entry', { onclick: () => onpick(exchange) },
        statusBadge(exchange, false), methodBadge(exchange.method), h('code', exchange.path),
        h('small', exchange.engine === 'live' && 'live · ', exchange.why && `${exchange.why} · `, `${milliseconds(exchange.took)} · ${timeOfDay(exchange.at)}`),
      ),
    )
  }

  exchanges.addEventListener('add', soon(draw))
  exchanges.addEventListener('clear', () => { shown = PAGE; draw() })
  return { element }
}

// Audit events as they come: a count of each kind, and one line for each event.

import { audit } from '../../audit.js'
import { fill, h } from '../../dom.js'
import { bars } from '../../parts/chart.js'
import { plural } from '../../words.js'

const SHOWN = 60

/** `{ element }` */
export function eventsCard() {
  const count = h('small')
  const clear = h('button.small', { type: 'button', hidden: true, onclick: () => audit.clear() }, 'Clear')
  const kinds = h('div')
  const empty = h('p.quiet', 'Nothing has happened since this page was opened. Send something in “Try”: every login, token, refusal and change stands here, as the server would write it to its audit trail.')
  const body = h('tbody')
  const table = h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': 'Audit events, newest first' }, h('table', h('thead', h('tr', ['When', 'What', 'Who', 'To whom or what', 'How it ended', 'Dialect'].map(name => h('th', { scope: 'col' }, name)))), body))
  const element = h('section.card', { 'aria-labelledby': 'events-title' }, h('div.card-head', h('h2', { id: 'events-title' }, 'Audit events'), count, clear), kinds, empty, table)
  let due = false

  function draw() {
    due = false
    const { events } = audit
    empty.hidden = events.length > 0
    table.hidden = clear.hidden = events.length === 0
    count.textContent = events.length ? plural(events.length, 'event') : ''
    const refused = new Map()
    const done = new Map()
    for (const { action, outcome } of events) {
      const map = outcome === 'refused' ? refused : done
      map.set(action, (map.get(action) ?? 0) + 1)
    }
    const rows = [...done].map(([label, value]) => ({ label, value, tone: 'good' })).concat([...refused].map(([label, value]) => ({ label: `${label}, refused`, value, tone: 'warn' })))
    fill(kinds, rows.length > 0 && bars(rows.sort((a, b) => b.value - a.value).slice(0, 10), { label: 'Events of each kind' }))
    fill(body, events.slice(-SHOWN).reverse().map(({ time, action, actor, subject, detail, outcome, reason, dialect }) => h(
      'tr',
      h('td', new Date(time).toLocaleTimeString()), h('td', h('code', action)), h('td', actor), h('td.subject', detail ? `${subject}: ${detail}` : subject),
      h('td', h(`span.status.${outcome === 'refused' ? 'refused' : 'good'}`, outcome === 'refused' ? reason || 'refused' : 'done')), h('td', dialect),
    )))
  }

  audit.addEventListener('change', () => {
    if (due) return
    due = true
    requestAnimationFrame(draw)
  })
  draw()
  return { element }
}

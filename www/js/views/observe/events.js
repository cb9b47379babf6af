// Audit events as they come: a count of each kind, and one line for each event.

import { audit, KEEP } from '../../audit.js'
import { card, fill, h, soon } from '../../dom.js'
import { bars } from '../../parts/chart.js'
import { plural } from '../../words.js'

const SHOWN = 60

/** `{ element }` */
export function eventsCard() {
  const count = h('small')
  const clear = h('button.small', { hidden: true, onclick: () => { element.focus(); audit.clear() } }, 'Clear')
  const kinds = h('div')
  const empty = h('p.quiet', 'Nothing has happened yet. Every login, token, refusal and change will stand here, as a server writes it to its audit trail.')
  const body = h('tbody')
  const table = h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': 'Audit events, newest first' }, h('table', h('thead', h('tr', ['When', 'What', 'Who', 'To whom or what', 'How it ended', 'Dialect'].map(name => h('th', { scope: 'col' }, name)))), body))
  const element = card('events', ['Audit events', count, clear], kinds, empty, table)

  function draw() {
    const { events } = audit
    empty.hidden = events.length > 0
    table.hidden = clear.hidden = events.length === 0
    count.textContent = events.length ? `${events.length === KEEP ? 'the latest ' : ''}${plural(events.length, 'event')}${events.length > SHOWN ? `, the latest ${SHOWN} below` : ''}` : ''
    const rows = [...Map.groupBy(events, ({ action, outcome }) => (outcome === 'refused' ? `${action}, refused` : action))]
      .map(([label, all]) => ({ label, value: all.length, tone: all[0].outcome === 'refused' ? 'refused' : 'good' }))
    fill(kinds, rows.length > 0 && bars(rows.sort((a, b) => b.value - a.value), 'Events of each kind'))
    fill(body, events.slice(-SHOWN).reverse().map(({ time, action, actor, subject, detail, outcome, reason, dialect }) => h(
      'tr',
      h('td', when(new Date(time))), h('td', h('code', action)), h('td', actor), h('td.subject', detail ? `${subject}: ${detail}` : subject),
      h('td', h(`span.status.${outcome === 'refused' ? 'refused' : 'good'}`, outcome === 'refused' ? reason || 'refused' : 'done')), h('td', dialect),
    )))
  }

  audit.addEventListener('change', soon(draw))
  draw()
  return { element }
}

/** The time of day; with the day where that is not today. */
const when = at => at[at.toDateString() === new Date().toDateString() ? 'toLocaleTimeString' : 'toLocaleString']()

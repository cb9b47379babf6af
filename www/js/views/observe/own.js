// What this page has sent: how it ended, how long it took, how much there was.

import { card, fill, h, soon } from '../../dom.js'
import { engine } from '../../engines/current.js'
import { exchanges } from '../../exchanges.js'
import { bars, spark } from '../../parts/chart.js'
import { tone } from '../../parts/status.js'
import { plural, reasons } from '../../words.js'

const BOUNDS = [5, 20, 50, 100, 500, Infinity]
const WINDOW = 60

/** `{ element, draw, isDue }` */
export function ownTraffic() {
  const count = h('small')
  const rate = h('div')
  const statuses = h('div')
  const times = h('div')
  let paused
  const pause = h('button.small', { onclick: () => { pause.textContent = (paused = !paused) ? 'Go on' : 'Pause' } }, 'Pause')
  const element = card('own', ['Requests of this page', count, pause], h('h3', 'In the last minute'), rate, h('h3', 'How they ended'), statuses, h('h3', 'How long they took'), times)

  function draw() {
    const entries = exchanges.entries.filter(entry => entry.engine === engine.kind)
    count.textContent = plural(entries.length, 'request')
    const now = Date.now()
    const perSecond = Array(WINDOW).fill(0)
    for (let at = entries.length - 1; at >= 0 && now - entries[at].at < WINDOW * 1000; at -= 1) perSecond[WINDOW - 1 - Math.max(0, Math.floor((now - entries[at].at) / 1000))] += 1
    fill(rate, spark(perSecond, 'Requests each second over the last minute'))
    const byStatus = [...Map.groupBy(entries, ({ status }) => status)].sort(([a], [b]) => a - b)
    const drawn = (rows, label) => (entries.length > 0 ? bars(rows, label) : h('p.quiet', 'Nothing sent yet.'))
    fill(statuses, drawn(byStatus.map(([status, all]) => ({ label: status ? `${status} ${reasons[status] ?? ''}` : 'No answer', value: all.length, tone: tone({ status }) })), 'Requests by status'))
    const byTime = BOUNDS.map(bound => ({ label: bound === Infinity ? 'longer' : `up to ${bound} ms`, value: 0 }))
    for (const { took } of entries) byTime[BOUNDS.findIndex(bound => took <= bound)].value += 1
    fill(times, drawn(byTime, 'Requests by time'))
  }

  /** Whether what is drawn anew by itself is looked at, and not paused. */
  const isDue = () => !paused && element.isConnected && !document.hidden

  exchanges.addEventListener('add', soon(() => { if (element.isConnected) draw() }))
  setInterval(() => { if (isDue()) draw() }, 2000)
  return { element, draw, isDue }
}

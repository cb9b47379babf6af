// A clock that can be moved, and what ends when it is.

import { announce, card, fill, h } from '../dom.js'
import { engine, signals } from '../engines/current.js'
import { standingNotice, say } from '../parts/notice.js'
import { duration } from '../words.js'
import { setTime, readTime } from './time/clock.js'
import { scenes } from './time/scenes.js'
import { watchList } from './time/watch.js'

export const title = 'Time'

const JUMPS = [['1 min', 60], ['10 min', 600], ['1 hour', 3600], ['1 day', 86400], ['30 days', 2_592_000]]

/** Builds the view once. */
export function build() {
  const day = h('p.clock-day')
  const time = h('p.clock-time', { role: 'timer', 'aria-live': 'off' })
  const ahead = h('p.quiet', { 'aria-live': 'polite' })
  const back = h('button', { onclick: () => move({ to: Date.now() }) }, 'Back to the present')
  const jumps = h('div.row', { role: 'group', 'aria-label': 'Move the clock on by' }, JUMPS.map(([name, seconds]) => h('button.primary.jump', { onclick: () => move({ by: seconds }) }, `+ ${name}`)), back)
  const date = h('input', { id: 'clock-date', type: 'datetime-local', required: true, step: 1, max: '9999-12-31T23:59' })
  const set = h('form.inline', { onsubmit: event => { event.preventDefault(); move({ to: new Date(date.value).getTime() }) } }, h('label', { for: 'clock-date' }, 'Or to'), date, h('button', { type: 'submit' }, 'Set'))
  const fixed = h('div.notice', { hidden: true })
  const notice = standingNotice()
  const watch = watchList()
  const element = h(
    'div.two',
    h('div.bench', card('clock', 'The engine’s clock', h('div', day, time), ahead, jumps, set, notice, fixed), scenes({ ondone: () => watch.refresh() }).element),
    h('div.beside', watch.element),
  )
  setInterval(() => { if (element.isConnected && !document.hidden) tick() }, 1000)
  signals.addEventListener('clock', () => { if (element.isConnected) { tick(); watch.refresh() } })
  signals.addEventListener('change', () => { if (element.isConnected) show() })
  signals.addEventListener('people', () => { if (element.isConnected) watch.refresh() })

  function tick() {
    const now = engine.now()
    day.textContent = new Date(now).toLocaleDateString(undefined, { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' })
    time.textContent = new Date(now).toLocaleTimeString()
    const off = Math.round((now - Date.now()) / 1000)
    const told = Math.abs(off) < 2 ? 'As on this device.' : `${duration(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} this device.`
    // What is said already is not read out again.
    if (ahead.textContent !== told) ahead.textContent = told
    watch.tick(now)
  }

  async function move(how) {
    say(notice)
    const answer = await setTime(how)
    if (!answer) return
    const { status, text } = answer
    if (status === 200) return announce(`The clock was moved; it is ${new Date(engine.now()).toLocaleString()}`)
    say(notice, `The clock was not moved: ${text || status || 'no answer'}`, 'bad')
    show()
  }

  async function show() {
    const answer = await readTime()
    if (!answer) return
    const { status } = answer
    const movable = status === 200
    for (const control of [...jumps.children, date, set.lastElementChild]) control.disabled = !movable
    fixed.hidden = movable
    fill(fixed, ...(status ? ['The clock of this server cannot be moved. That of one started with ', h('code', 'waxseal serve --testing'), ' can be moved by whoever is on its machine; the engine in this tab always can.'] : ['The server does not tell its clock: no answer.']))
    tick()
    watch.refresh()
  }

  return { element, show }
}

// What the clock ends: tokens, locks, passwords.

import { card, fill, h } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { bar } from '../../parts/chart.js'
import { pocket } from '../../pocket.js'
import { duration } from '../../words.js'
import { everybody } from './everybody.js'

const STATUS = { active: 'may sign in', locked: 'locked out', password_expired: 'password has expired', disabled: 'disabled' }
const MOST = 8
const USERS = 50

/** `{ element, refresh, tick }` */
export function watchList() {
  const tokens = h('ul.watched')
  const users = h('ul.watched')
  const note = h('p.quiet')
  const element = card('watch', 'What it ends', h('h3', 'Latest tokens'), tokens, h('h3', 'Users'), users, note)
  let rows = []
  let round = 0
  /** When the next lock ends. */
  let ends

  function drawTokens() {
    rows = pocket.present.filter(({ exp }) => exp !== undefined).slice(0, MOST).map(({ token, kind, exp, life }) => {
      const left = h('small')
      const line = h('div.watch-bar')
      const item = h('li', h('span', h('strong', kind), ' ', h('code', `…${token.slice(-8)}`)), left, line)
      return { item, left, line, exp, life }
    })
    fill(tokens, rows.length === 0 ? h('li.quiet', 'None yet. A scene on this page makes some.') : rows.map(({ item }) => item))
    tick(engine.now())
  }

  function tick(now) {
    if (ends <= now) {
      ends = undefined
      refresh()
    }
    for (const { item, left, line, exp, life } of rows) {
      const rest = (exp - now) / 1000
      item.className = rest > 0 ? 'is-live' : 'is-over'
      left.textContent = rest > 0 ? `another ${duration(rest)}` : `over for ${duration(-rest)}`
      fill(line, bar(rest / life, rest > 0 ? 'good' : ''))
    }
  }

  async function refresh() {
    drawTokens()
    round += 1
    const mine = round
    const all = await everybody()
    if (mine === round) drawUsers(all)
  }

  function drawUsers(all) {
    const isTold = Array.isArray(all)
    const some = isTold ? all.slice(0, USERS) : []
    note.textContent = !isTold ? all : all.length > USERS ? `The first ${USERS} of them.` : ''
    ends = Math.min(...some.map(({ until }) => (until > engine.now() ? until : Infinity)))
    fill(users, some.map(({ name, status, until }) => h(`li.is-${status === 'active' ? 'live' : 'over'}`, h('strong', name), h('small', `${STATUS[status] ?? status}${until ? ` until ${new Date(until).toLocaleString()}` : ''}`))))
  }

  /** What an engine has told, or has yet to answer, goes when the other one answers, and with “Sign out”; also where nobody looks at it. */
  function forget() {
    round += 1
    drawUsers([])
    drawTokens()
  }

  for (const signal of ['change', 'forget']) signals.addEventListener(signal, forget)
  pocket.addEventListener('change', () => { if (element.isConnected) drawTokens() })
  return { element, refresh, tick }
}

// The list of one user, as a row of sealed keys.

import { asTyped, card, fill, h, once, twice } from '../../dom.js'
import { engine } from '../../engines/current.js'
import { fresh as freshPassword } from '../../fillings.js'
import { alter, listOf, tidy, tryAll } from '../../lists.js'
import { standingNotice, say } from '../../parts/notice.js'
import { plural } from '../../words.js'
import { excuse } from '../try/excuse.js'

const STATES = { works: 'signs in', refused: 'refused', unknown: 'not tried' }

/** `{ element, draw, people }`; `onperson` is told whose list is shown. */
export function listCard({ onperson }) {
  const who = h('select', { id: 'whose', onchange: () => choose(who.value) })
  const keys = h('ul.keys', { tabindex: -1, 'aria-label': 'Passwords of the list' })
  const count = h('p.quiet')
  const fresh = h('input', { id: 'fresh', ...asTyped, required: true })
  const notice = standingNotice()
  const nobody = h('p', { hidden: true }, 'Sign in to the live server above: the list shown here is your own.')
  const add = h('button.primary', { type: 'submit' }, 'Add')
  const replace = twice(h('button', 'Replace all'), 'Press again: only the new one will sign in', () => run(replace, () => changed('PUT', { fresh: fresh.value })))
  const check = h('button', { onclick: () => run(check, checked) }, 'Try each')
  const form = h(
    'form', { onsubmit: event => { event.preventDefault(); run(add, () => changed('POST', { fresh: fresh.value })) } },
    h('div', h('label', { for: 'fresh' }, 'New password'), h('div.with-unit', fresh, h('button', { onclick: suggest }, 'Suggest'))),
    h('div.row', add, replace, check),
  )
  const shown = h('div.prose', h('div', h('label', { for: 'whose' }, 'Whose list'), who), keys, count, form, notice)
  const element = card(
    'list', 'The list',
    h('p', 'Every password of a user’s list signs in. So programs can move from one to the next without a gap.'),
    nobody, shown,
  )
  let person
  let kind

  function people() {
    const known = engine.people
    shown.hidden = known.length === 0
    nobody.hidden = engine.isTab || known.length > 0
    const before = person?.name ?? known.find(({ role }) => role !== 'admin')?.name
    fill(who, known.map(({ name, role }) => h('option', { value: name }, role ? `${name} (${role})` : name)))
    choose(known.some(({ name }) => name === before) ? before : known[0]?.name)
  }

  function choose(name) {
    const next = engine.people.find(known => known.name === name)
    const isOther = next?.name !== person?.name || kind !== engine.kind
    person = next
    kind = engine.kind
    who.value = name
    // What was typed for one is not for the eyes of the next.
    if (isOther) {
      say(notice)
      suggest()
    }
    draw()
    onperson(person)
  }

  async function draw() {
    if (!person) return fill(keys)
    const list = listOf(person)
    fill(keys, list.map(key))
    const works = list.filter(({ state }) => state !== 'refused').length
    count.textContent = `${plural(works, 'password')} known to this tab.`
    if (!engine.isTab) return
    const mine = person
    const { json } = await engine.own('GET', `/admin/users/${encodeURIComponent(person.name)}`).catch(() => ({}))
    if (mine === person && json?.passwords !== undefined) count.textContent = `${plural(json.passwords, 'password')} in the list, says the engine. It keeps only hashes; the words are what this tab remembers.`
  }

  function key({ password, state }, at) {
    const remove = h('button.small', { 'aria-label': `Remove ${engine.isTab ? password : `password ${at + 1}`}`, onclick: () => run(remove, () => changed('DELETE', { old: password })) }, 'Remove')
    return h(
      `li.key.is-${state}`,
      h('span.key-seal', { 'aria-hidden': 'true' }, state === 'refused' ? '✗' : at + 1),
      h('code', engine.isTab ? password : masked(password)),
      h('small', STATES[state]),
      state !== 'refused' && remove,
    )
  }

  function suggest() {
    fresh.value = freshPassword()
  }

  /** Whether it is still this one whom the card is about. */
  const isShown = ({ name }, by) => person?.name === name && kind === by

  async function changed(method, { fresh: text, old }) {
    const mine = person
    const present = listOf(mine).find(({ state, password }) => state !== 'refused' && password !== text)?.password ?? mine.password
    const answer = await alter(mine, method, { fresh: text, old: old ?? present })
    if (!isShown(mine, answer.engine)) return
    if (!answer.ok) return say(notice, excuse(answer), 'bad', `${answer.status || ''} ${answer.json?.error_code ?? ''}`.trim())
    // On a live server it is kept in sight: nobody knows it yet.
    if (method !== 'DELETE' && engine.isTab) suggest()
    const told = {
      POST: 'Added. Each password of the list signs in.',
      PUT: 'Replaced. The new one is the only one, and tokens issued before have ended.',
      DELETE: 'Removed. It no longer signs in.',
    }[method]
    say(notice, told, 'good')
  }

  async function checked() {
    const [mine, by] = [person, kind]
    const silent = await tryAll(mine)
    if (!isShown(mine, by)) return
    if (silent) return say(notice, excuse(silent), 'bad')
    const list = listOf(mine)
    say(notice, `${list.filter(({ state }) => state === 'works').length} of ${plural(list.length, 'password')} signed in.`, 'good')
    setTimeout(() => {
      if (!isShown(mine, by)) return
      tidy(person)
      draw()
    }, 6000)
  }

  const run = (button, work) => person && once(button, work, message => say(notice, message, 'bad')).finally(draw)

  return { element, draw, people }
}

const masked = password => `${password.slice(0, 2)}•••••••`

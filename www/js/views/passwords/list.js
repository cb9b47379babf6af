// The list of one user, as a row of sealed keys.

import { announce, fill, h, once } from '../../dom.js'
import { engine } from '../../engines/current.js'
import { alter, freshPassword, listOf, tidy, tryAll } from '../../lists.js'
import { noticePlace, say } from '../../parts/notice.js'
import { plural } from '../../words.js'
import { excuse } from '../try/excuse.js'

const STATES = { works: 'signs in', refused: 'refused', unknown: 'not tried' }

/** `{ element, draw, people }`; `onperson` is told whose list is shown. */
export function listCard({ onperson }) {
  const who = h('select', { id: 'whose', onchange: () => choose(who.value) })
  const keys = h('ul.keys', { tabindex: -1, 'aria-label': 'Passwords of the list' })
  const count = h('p.quiet')
  const fresh = h('input', { id: 'fresh', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', required: true })
  const notice = noticePlace()
  const nobody = h('p', { hidden: true }, 'Sign in to the live server above: the list shown here is your own.')
  const add = h('button.primary', { type: 'submit' }, 'Add')
  const replace = h('button', { type: 'button', onclick: () => run(replace, () => changed('PUT', { fresh: fresh.value })) }, 'Replace all')
  const check = h('button', { type: 'button', onclick: () => run(check, checked) }, 'Try each')
  const form = h(
    'form', { onsubmit: event => { event.preventDefault(); run(add, () => changed('POST', { fresh: fresh.value })) } },
    h('div', h('label', { for: 'fresh' }, 'New password'), h('div.with-unit', fresh, h('button', { type: 'button', onclick: suggest }, 'Suggest'))),
    h('div.row', add, replace, check),
  )
  const shown = h('div.prose', h('div', h('label', { for: 'whose' }, 'Whose list'), who), keys, count, form, notice)
  const element = h(
    'section.card', { 'aria-labelledby': 'list-title' },
    h('h2', { id: 'list-title' }, 'The list'),
    h('p', 'A user has a list of passwords, and every one of them signs in. That is what lets programs move from one to the next without a gap.'),
    nobody, shown,
  )
  let person

  function people() {
    const known = engine.people
    shown.hidden = known.length === 0
    nobody.hidden = known.length > 0
    const before = person?.name ?? known.find(({ role }) => role !== 'admin')?.name
    fill(who, known.map(({ name, role }) => h('option', { value: name }, role ? `${name} (${role})` : name)))
    if (known.length > 0) choose(known.some(({ name }) => name === before) ? before : known[0].name)
  }

  function choose(name) {
    const next = engine.people.find(known => known.name === name)
    const isOther = next?.name !== person?.name
    person = next
    who.value = name
    if (isOther) say(notice)
    if (!fresh.value) suggest()
    draw()
    onperson(person)
  }

  async function draw() {
    const list = listOf(person)
    const { activeElement } = document
    const held = keys.contains(activeElement) && activeElement.ariaLabel
    fill(keys, list.map(key))
    // Not to another button that removes, in case of a key pressed twice.
    if (held) ([...keys.querySelectorAll('button')].find(({ ariaLabel }) => ariaLabel === held) ?? keys).focus()
    const works = list.filter(({ state }) => state !== 'refused').length
    count.textContent = `${plural(works, 'password')} known to this tab.`
    if (!engine.isTab) return
    const mine = person
    const { json } = await engine.own('GET', `/admin/users/${encodeURIComponent(person.name)}`)
    if (mine === person && json?.passwords !== undefined) count.textContent = `${plural(json.passwords, 'password')} in the list, says the engine. It keeps only hashes; the words are what this tab remembers.`
  }

  function key({ password, state }, at) {
    const remove = h('button.small', { type: 'button', 'aria-label': `Remove ${password}`, onclick: () => run(remove, () => changed('DELETE', { old: password })) }, 'Remove')
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

  async function changed(method, { fresh: text, old }) {
    const list = listOf(person)
    const present = list.find(({ state, password }) => state !== 'refused' && password !== text)?.password ?? person.password
    const answer = await alter(person, method, { fresh: text, old: old ?? present })
    if (!answer.ok) return say(notice, excuse(answer), 'bad', `${answer.status || ''} ${answer.json?.error_code ?? ''}`.trim())
    if (method !== 'DELETE') suggest()
    const told = {
      POST: 'Added. Each password of the list signs in.',
      PUT: 'Replaced. The new one is the only one, and tokens issued before have ended.',
      DELETE: 'Removed. It signs in no more.',
    }[method]
    say(notice, told, 'good')
  }

  async function checked() {
    await tryAll(person)
    const list = listOf(person)
    say(notice, `${list.filter(({ state }) => state === 'works').length} of ${plural(list.length, 'password')} signed in.`, 'good')
    announce(notice.textContent)
    if (list.some(({ state }) => state === 'refused')) setTimeout(() => { tidy(person); draw() }, 6000)
  }

  const run = (button, work) => person && once(button, work).finally(draw)

  return { element, draw: () => { if (person) draw() }, people }
}

const masked = password => `${password.slice(0, 2)}${'•'.repeat(Math.max(3, [...password].length - 2))}`

// The line below the header: who answers, and who is known there.

import { announce, fill, h, twice } from './dom.js'
import { engine, signals } from './engines/current.js'
import { state } from './engines/tab.js'
import { standingNotice, say } from './parts/notice.js'
import { signIn } from './signin.js'

const notice = standingNotice()

/** Follows the engine by itself. */
export function whereBar() {
  const place = h('div.where-inside')
  const draw = () => fill(place, engine.isTab ? tab() : live())
  for (const signal of ['change', 'people']) signals.addEventListener(signal, draw)
  // Somebody may be signing in meanwhile.
  signals.addEventListener('ready', () => engine.isTab && draw())
  draw()
  return place
}

function tab() {
  count = undefined
  const { phase, way, lasting, failure } = state
  if (phase === 'failed') return [h('p.bad', h('strong', 'The engine cannot run in this tab. '), failure, '.')]
  if (phase !== 'ready') return [h('p', h('strong', 'Starting the engine in this tab…'))]
  return [
    h('p', h('strong', 'The engine runs in this tab'), ', on keys and users made here. Nothing you do leaves the browser.', way && ` ${way}`, !lasting && ' The browser keeps nothing here: a reload begins anew.'),
    h('p.people', state.people.map(({ name, role, password }) => h('span.person', h('strong', name), ' ', h('small', role), ' ', h('code', { title: 'the password' }, password))), twice(h('button.small', 'Begin anew'), 'Press again to delete all, in every tab', anew)),
    notice,
  ]
}

/** Deletes what the tab's engine holds; the page starts over with it. */
async function anew() {
  try {
    await engine.own('POST', '/tab/reset')
    location.reload()
  } catch (error) {
    say(notice, `It could not begin anew: ${error.message}`, 'bad')
  }
}

/** Somebody may be typing into it while others change. */
let form
let count

function live() {
  const { people } = engine
  if (count !== people.length) form = signIn(people.length === 0)
  count = people.length
  return [
    h('p', h('strong', 'The live server at ', h('code', location.origin), ' answers.'), ' What you send leaves the browser and goes there.'),
    people.length > 0 && h(
      'p.people',
      people.map(({ name, role }) => h('span.person', h('strong', name), ' ', h('small', role ?? 'role unknown'))),
      h('button.small', { onclick: leave }, 'Sign out'),
    ),
    form,
  ]
}

function leave() {
  engine.forget()
  announce('Signed out')
}

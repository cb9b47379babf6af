// The line below the header: who answers, and who is known there.

import { announce, fill, h } from './dom.js'
import { engine, signals } from './engines/current.js'
import { state } from './engines/tab.js'
import { signIn } from './signin.js'

/** Follows the engine by itself. */
export function whereBar() {
  const place = h('div.where-inside')
  const draw = () => fill(place, engine.isTab ? tab() : live())
  for (const signal of ['change', 'people', 'ready']) signals.addEventListener(signal, draw)
  draw()
  return place
}

function tab() {
  const { phase, way, lasting, failure } = state
  if (phase === 'failed') return [h('p.bad', h('strong', 'The engine cannot run in this tab. '), failure)]
  if (phase !== 'ready') return [h('p', h('strong', 'Starting the engine in this tab…'))]
  return [
    h('p', h('strong', 'The engine runs in this tab'), ', on keys and users made here. Nothing you do leaves the browser.', way && ` ${way}`, !lasting && ' The browser keeps nothing here: a reload begins anew.'),
    h('p.people', state.people.map(({ name, role, password }) => h('span.person', h('strong', name), ' ', h('small', role), ' ', h('code', { title: 'the password' }, password))), h('button.small', { type: 'button', onclick: anew }, ANEW)),
  ]
}

const ANEW = 'Begin anew'

/** Deletes what the tab's engine holds, when asked twice; the page starts over with it. A double click asks once. */
async function anew({ target, detail }) {
  if (detail > 1) return
  if (target.textContent === ANEW) {
    target.textContent = 'Press again to delete all, in every tab'
    announce(target.textContent)
    setTimeout(() => { target.textContent = ANEW }, 6000)
  } else {
    await engine.own('POST', '/tab/reset')
    location.reload()
  }
}

function live() {
  const { people } = engine
  return [
    h('p', h('strong', 'The live server at ', h('code', location.origin), ' answers.'), ' What you send leaves the browser and goes there.'),
    people.length > 0 && h(
      'p.people',
      people.map(({ name, role }) => h('span.person', h('strong', name), ' ', h('small', role ?? 'role unknown'))),
      h('button.small', { type: 'button', onclick: () => engine.forget() }, 'Sign out'),
    ),
    signIn(people.length === 0),
  ]
}

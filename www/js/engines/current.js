// Which engine answers: the one in this tab, or the live server. Everything the page asks goes through here.

import { preference } from '../preference.js'
import { giveUp, transport as overTheNetwork } from './live.js'
import * as tab from './tab.js'

const chosen = preference('engine', ['tab', 'live'])

/** `change`: another engine answers now. `clock`: its clock was moved. `people`: others can be spoken for. `gone`: nothing is to be kept of
 * the engine that `detail` names, as its user has signed out, or it was begun anew. `forget`: the same of the one that answers now.
 * `events`: audit events. */
export const signals = new EventTarget()

const liveState = { people: [], offset: 0 }
const stateOf = kind => (kind === 'tab' ? tab.state : liveState)

export const engine = {
  /** How often somebody has signed out. */
  era: 0,

  /** `tab` or `live`. */
  get kind() {
    return chosen.value
  },

  get isTab() {
    return chosen.value === 'tab'
  },

  /** Lets the other one answer from now on. */
  use(kind) {
    if (kind === chosen.value) return
    chosen.value = kind
    giveUp()
    signals.dispatchEvent(new Event('change'))
    signals.dispatchEvent(new Event('people'))
  },

  /** Those whose passwords this tab knows: `{ uid, name, password, role, email }`, an administrator first. */
  get people() {
    return this.peopleOf(this.kind)
  },

  /** Those of one engine. */
  peopleOf: kind => stateOf(kind).people,

  /** The engine's clock, in milliseconds since 1970. */
  now() {
    return Date.now() + stateOf(this.kind).offset
  },

  /** Learns how far the live server's clock is from ours. */
  setOffset(millis) {
    const state = stateOf(this.kind)
    if (Math.abs(state.offset - millis) < 1500) return
    state.offset = millis
    signals.dispatchEvent(new Event('clock'))
  },

  /** Remembers somebody of that engine, whom it knew by `name`, or forgets them where there is no `person`. Of the live server only for
   * as long as the page is open. */
  async remember(person, kind = this.kind, name = person.name) {
    const people = this.peopleOf(kind)
    const at = people.findIndex(known => known.name === name)
    people.splice(at < 0 ? people.length : at, 1, ...(person ? [{ ...people[at], ...person }] : []))
    signals.dispatchEvent(new Event('people'))
    if (kind === 'tab') await this.own('PUT', '/tab/people', { person, name })
  },

  /** Forgets who has signed in to the live server, and what was said there. */
  forget() {
    liveState.people = []
    this.era += 1
    giveUp()
    gone('live')
  },

  /** One request, answered as `{ status, headers, text }`. Throws when there is no answer. */
  transport(request) {
    return this.isTab ? tab.transport(request) : overTheNetwork(request)
  },

  /** What the tab's engine answers besides the API: `/tab/…` and `/admin/…`, which no network reaches. */
  async own(method, path, body) {
    const answer = await tab.transport({ method, path, headers: body ? [['content-type', 'application/json']] : [], body: body && JSON.stringify(body) })
    if (answer.status >= 500) throw new Error(`the engine in this tab has failed (${answer.status})`)
    return { status: answer.status, json: answer.text ? JSON.parse(answer.text) : undefined }
  },
}

function gone(kind) {
  signals.dispatchEvent(new CustomEvent('gone', { detail: kind }))
  if (kind === engine.kind) signals.dispatchEvent(new Event('forget'))
  signals.dispatchEvent(new Event('people'))
}

tab.state.signals.addEventListener('anew', () => gone('tab'))
for (const type of ['clock', 'people']) tab.state.signals.addEventListener(type, () => { if (engine.isTab) signals.dispatchEvent(new Event(type)) })
tab.state.signals.addEventListener('events', ({ detail }) => signals.dispatchEvent(new CustomEvent('events', { detail })))
tab.state.signals.addEventListener('ready', () => signals.dispatchEvent(new Event('ready')))

// From one password to the next while two programs go on signing in: the steps, each of them a real request.

import { card, fill, h, Missing, once } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { fresh as freshPassword } from '../../fillings.js'
import { alter, isRefused, trial } from '../../lists.js'
import { standingNotice, say } from '../../parts/notice.js'
import { excuse } from '../try/excuse.js'

const PROGRAMS = ['Mail robot', 'Nightly job']
const STEPS = [
  { name: 'Begin', does: 'Both programs use the old password.', button: 'Let both sign in' },
  { name: 'Add', does: 'The new password is added. The old one goes on working.', button: 'Add the new one' },
  { name: 'Move one', does: 'The first program is given the new password.', button: 'Move the mail robot' },
  { name: 'Move the other', does: 'The second program follows. Nobody uses the old one any more.', button: 'Move the nightly job' },
  { name: 'Remove', does: 'The old password goes: whoever still has it is refused.', button: 'Remove the old one' },
]

/** `{ element, load }`; `onchange` is called after each step. */
export function rotationCard({ onchange }) {
  const steps = h('ol.steps')
  const programs = h('ul.programs', { 'aria-live': 'polite' })
  const notice = standingNotice()
  const word = h('p')
  const next = h('button.primary', { onclick: () => person && once(next, advance, message => message && say(notice, message, 'bad')) })
  const again = h('button', { hidden: true, onclick: () => begin() }, 'From the start')
  const element = card(
    'rotation', 'Rotation without a gap',
    steps, word, programs, h('div.row', next, again), notice,
  )
  let person
  let kind
  let at
  /** Which step has been made, whether or not it is known who signs in after it. */
  let made
  let old
  let fresh
  /** Another list for each rotation. */
  let uses
  // Who is known then is somebody else.
  signals.addEventListener('forget', () => { kind = undefined })

  function load(next) {
    if (person === next && at !== undefined) return
    // Who has the same name at the other engine is somebody else.
    const isSame = person?.name === next?.name && kind === engine.kind
    person = next
    kind = engine.kind
    element.hidden = !person
    if (!person) end()
    else if (!isSame || (at === 0 && old !== person.password)) begin()
  }

  /** Nothing is known of who has signed out. */
  function end() {
    at = made = old = fresh = uses = undefined
    fill(word)
  }

  function begin() {
    at = 0
    made = undefined
    old = person.password
    fresh = freshPassword()
    uses = PROGRAMS.map(name => ({ name, password: old, state: '' }))
    say(notice)
    draw()
  }

  function draw() {
    fill(steps, STEPS.map(({ name, does }, number) => h(
      `li.is-${number < at ? 'done' : number === at ? 'next' : 'later'}`,
      { 'aria-current': number === at ? 'step' : undefined },
      h('strong', name), h('span', does), number < at && h('span.unseen', ' Done.'),
    )))
    fill(programs, uses.map(({ name, password, state }) => h(
      `li.program.is-${state || 'idle'}`,
      h('strong', name),
      h('span', 'uses the ', h(`em.${password === old ? 'old' : 'new'}`, password === old ? 'old' : 'new'), ' password'),
      h('small', { works: '✓ signs in', refused: '✗ refused' }[state] ?? 'has not signed in yet'),
    )))
    fill(word, 'The new password of ', h('strong', person.name), ' is ', h('code', fresh), !engine.isTab && '. Keep it: in the end it signs in to the live server.')
    next.textContent = STEPS[at]?.button ?? 'Done'
    const { activeElement } = document
    next.hidden = at >= STEPS.length
    again.hidden = at === 0
    if (activeElement === next && next.hidden) again.focus()
    if (activeElement === again && again.hidden) next.focus()
  }

  async function advance() {
    const mine = uses
    // Where another rotation has begun meanwhile, or its person has signed out, this one ends.
    const still = answer => {
      if (mine !== uses) throw new Missing()
      return answer
    }
    const signsIn = async (password, why) => {
      const answer = still(await trial(person, password, why))
      if (!answer.ok && !isRefused(answer)) throw new Missing(excuse(answer))
      return answer.ok
    }
    try {
      const refused = made !== at && still(await step())
      if (refused) return say(notice, excuse(refused), 'bad')
      made = at
      for (const program of uses) program.state = (await signsIn(program.password, `${program.name} signs in`)) ? 'works' : 'refused'
      const gap = uses.some(({ state }) => state === 'refused')
      const last = at === STEPS.length - 1
      let text = gap ? 'A program was refused.' : 'Both programs sign in.'
      if (last) {
        const left = await signsIn(old, 'somebody with the old password')
        // The failure is cleared by a success, or it would count towards a lockout.
        await signsIn(fresh, 'the new password again')
        text = left ? 'The old password still signs in.' : 'Both programs sign in, and the old password is refused.'
      }
      at += 1
      say(notice, text, gap ? 'bad' : 'good')
    } finally {
      if (person) draw()
      onchange()
    }
  }

  /** The exchange that was refused, if one was. */
  async function step() {
    if (at === 1 || at === 4) {
      const answer = await (at === 1 ? alter(person, 'POST', { fresh, old }) : alter(person, 'DELETE', { old }))
      return answer.ok ? undefined : answer
    }
    if (at === 2) uses[0].password = fresh
    if (at === 3) uses[1].password = fresh
    return undefined
  }

  return { element, load }
}

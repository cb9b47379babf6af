// What each policy says about a password, in the engine's own words.

import { asTyped, card, fill, h } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { state } from '../../engines/tab.js'
import { noticePlace, say } from '../../parts/notice.js'
import { plural } from '../../words.js'

const POLICIES = {
  open: 'No rule but “not empty”. For trying things out.',
  redis: 'That product’s complexity: all classes of characters, no repeating, no e-mail address.',
  nist: 'SP 800-63B-4: 15 characters at least, none of the common ones.',
}

const LONG = 4096

/** `{ element, load }` */
export function meterCard() {
  const input = h('input', { id: 'judged', ...asTyped, value: 'Tr0ub4dor&3', oninput: typed })
  const length = h('small', { id: 'judged-length' })
  input.setAttribute('aria-describedby', 'judged-length')
  const verdicts = h('ul.policies', { 'aria-live': 'polite' })
  const inForce = h('fieldset.choices', h('legend.unseen', 'The policy in force in this tab'), Object.keys(POLICIES).map(name => h('label', h('input', { type: 'radio', name: 'policy', value: name, onchange: () => decree(name) }), h('span', name))))
  const notice = noticePlace()
  const force = h('div.prose', h('h3', 'In force in this tab'), inForce, h('p.quiet', 'From the next change of a password on.'), notice)
  const element = card(
    'meter', 'Would it be taken?',
    h('div', h('label', { for: 'judged' }, 'A password'), input, length),
    verdicts, h('p.quiet', 'PUT /v1/cluster can set rules on top, or switch off those of redis.'), force,
  )
  let person = {}
  let timer
  let round = 0
  let said
  for (const signal of ['ready', 'people', 'change']) signals.addEventListener(signal, show)

  function typed() {
    clearTimeout(timer)
    timer = setTimeout(judge, 120)
    counted()
  }

  /** Puts a policy in force. Where that fails, the one in force is still shown. */
  async function decree(policy) {
    say(notice)
    try {
      await engine.own('PUT', '/tab/settings', { policy })
    } catch (error) {
      say(notice, `The policy stays as it was: ${error.message}`, 'bad')
      show()
    }
  }

  function counted() {
    length.textContent = plural([...input.value.normalize('NFC')].length, 'character')
  }

  function show() {
    force.hidden = !engine.isTab
    for (const radio of inForce.querySelectorAll('input')) radio.checked = radio.value === state.policy
    counted()
    judge()
  }

  async function judge() {
    round += 1
    const mine = round
    // Of a longer text the start is too long as well.
    const password = input.value.slice(0, LONG)
    const isWhole = input.value.isWellFormed()
    const { json } = await engine.own('POST', '/tab/judge', { password: password.toWellFormed(), name: person.name, email: person.email }).catch(() => ({}))
    if (mine !== round) return
    // What is said already is not read out again.
    const next = JSON.stringify([json, isWhole])
    if (next === said) return
    said = next
    fill(verdicts, !json || !isWhole ? h('li.quiet', isWhole ? 'The rules are part of the tab’s engine, which is not running.' : 'It contains half a character, which no policy accepts.') : Object.entries(POLICIES).map(([name, about]) => {
      const { good, sentence } = json[name]
      return h(`li.is-${good ? 'yes' : 'no'}`, h('span.mark', { 'aria-hidden': 'true' }, good ? '✓' : '✗'), h('div', h('strong', name), ' ', good ? 'takes it.' : `refuses it: ${sentence}.`, h('small', about)))
    }))
  }

  return {
    element,
    load(next = {}) {
      person = next
      show()
    },
  }
}

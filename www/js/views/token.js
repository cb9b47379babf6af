// A token, opened: what it says, whether it holds, and why not.

import { announce, asTyped, card, fill, h } from '../dom.js'
import { engine, signals } from '../engines/current.js'
import { copyButton } from '../parts/copy.js'
import { pocket } from '../pocket.js'
import { forged, kindOf, open } from '../token/read.js'
import { asked, explained, isSendable } from '../token/verdict.js'
import { opened } from './token/opened.js'
import { picks } from './token/picks.js'

export const title = 'Token'

/** Of a longer text the rest is not drawn, which would take seconds. */
const SHOWN = 20_000
const shortened = text => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)

/** Builds the view once. */
export function build() {
  const input = h('textarea', { id: 'token', rows: 4, ...asTyped, placeholder: 'Paste a token, or pick one below', 'aria-describedby': 'token-stays', oninput: () => change(input.value) })
  const stays = h('p.quiet', { id: 'token-stays' })
  const place = h('div.stage')
  const sheet = opened({ onask: ask, onforge: forge, onpassed: () => { judge(); chooser.draw() } })
  const chooser = picks({ onpick: pick })
  const element = h(
    'div.token-view',
    card('paste', ['Token', copyButton(() => input.value, 'Copy', 'the token')], h('label.unseen', { for: 'token' }, 'The token'), input, stays, chooser.element),
    place,
  )
  let text = ''
  let round = 0
  for (const signal of ['change', 'clock']) signals.addEventListener(signal, judge)
  // They are the tab's own, and a live server's verdict would be lost.
  signals.addEventListener('events', () => engine.isTab && judge())
  signals.addEventListener('forget', () => pick(''))

  function change(wanted) {
    // As it stands in a header, in quotes, or in the answer that brought it.
    text = (/"(?:access_)?token"\s*:\s*"([^"]+)/.exec(wanted)?.[1] ?? wanted).replace(/^[\s"']*(authorization:)?\s*(bearer\s)?|[\s"']/gi, '')
    if (input.value.trim() !== shortened(wanted.trim())) input.value = shortened(wanted)
    judge()
  }

  /** Shows what can be read, then what the engine says. */
  async function judge() {
    round += 1
    const mine = round
    stays.textContent = engine.isTab
      ? 'It is opened and checked in this tab. Nothing is sent anywhere.'
      : 'It is opened in this tab and sent nowhere, until you press “Ask the server”.'
    const part = shortened(text)
    const kind = kindOf(part)
    if (kind === 'none') return fill(place, empty())
    const read = kind === 'signed' ? open(part) : undefined
    let verdict
    let failure
    try {
      verdict = engine.isTab ? await explained(text) : undefined
    } catch (error) {
      failure = error.message
    }
    if (mine !== round) return
    sheet.show({ text: part, kind, read, verdict, failure })
    if (place.firstChild !== sheet.element) fill(place, sheet.element)
  }

  async function ask() {
    const about = text
    const answer = isSendable(about) ? await asked(about) : { live: false, status: 0, who: [], unsendable: true }
    if (text !== about) return
    sheet.answered(answer)
  }

  function forge() {
    change(forged(text))
    input.value = text
    announce('It names another user now')
  }

  function pick(token) {
    input.value = token
    change(token)
    place.firstElementChild?.scrollIntoView({ block: 'nearest' })
  }

  return {
    element,
    show() {
      pick(pocket.chosen ?? (text || pocket.present[0]?.token || ''))
      pocket.chosen = undefined
      chooser.draw()
    },
  }
}

function empty() {
  return h('section.card', h('h2', 'Nothing to open yet'), h('p', 'Paste a token above, or let the engine issue one.'), h('p.quiet', 'Tokens of every dialect can be looked at here.'))
}

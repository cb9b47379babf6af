// The sheet of an opened token: seal, countdown, timeline, verdict, checks, header, claims.

import { fill, h, once } from '../../dom.js'
import { engine } from '../../engines/current.js'
import { seal } from '../../parts/seal.js'
import { checks, stageOf } from '../../token/checks.js'
import { timeline } from '../../token/timeline.js'
import { inWords } from '../../token/words.js'
import { duration, isTime } from '../../words.js'

const KINDS = { signed: 'A signed token', authorization: 'An OpenShift authorization', opaque: 'A text that is no signed token' }

/** `{ element, show, answered }` */
export function opened({ onask, onforge, onpassed }) {
  const wax = seal()
  const life = h('p.life')
  const kindLine = h('h2', { id: 'opened-title' })
  const verdictPlace = h('div.verdict', { role: 'status' })
  // It is scrolled where it is narrow, so it stays while the drawing in it goes on.
  const timePlace = h('div.timeline-box', { tabindex: 0, role: 'group', 'aria-label': 'Timeline' })
  const checksPlace = h('div')
  const partsPlace = h('div.parts')
  const compact = h('p.compact', { tabindex: 0, role: 'group', 'aria-label': 'The token as it is sent' })
  const askButton = h('button.primary', { onclick: () => once(askButton, onask) }, 'Ask the server')
  const forgeButton = h('button', { onclick: onforge }, 'Forge it')
  const element = h(
    'section.card.opened', { 'aria-labelledby': 'opened-title' },
    h('div.token-head', wax.element, h('div', kindLine, life)),
    verdictPlace,
    h('div.row', askButton, forgeButton),
    timePlace, compact, partsPlace, checksPlace,
  )
  let current
  // The drawing and the countdown move by themselves, as long as they can be seen.
  setInterval(() => { if (element.isConnected && !document.hidden) tick() }, 1000)

  function show(token) {
    const { text, kind, read, verdict, failure } = token
    const says = failure ? line('bad', 'It could not be checked.', failure) : verdict ? said(verdict) : unchecked(kind)
    // What is shown already is neither read out again nor taken from under a selection.
    if (verdict && current?.text === text && verdictPlace.textContent === says.textContent) return
    current = token
    kindLine.textContent = verdict?.authorization ? KINDS.authorization : KINDS[kind]
    askButton.hidden = engine.isTab
    forgeButton.hidden = kind !== 'signed' || !read.claims
    fill(compact, kind === 'signed' ? read.parts.flatMap((part, at) => [...(at ? ['.'] : []), h(`span.${['header', 'claims', 'signature'][at]}`, part)]) : text)
    fill(verdictPlace, says)
    fill(checksPlace, verdict && kind === 'signed' && checkList(verdict))
    fill(partsPlace, partsOf(token))
    tick()
  }

  /** What the server said. */
  function answered({ live, status, who, unsendable }) {
    const refused = unsendable || status === 401 || status === 403
    current.live = live || (refused ? false : undefined)
    const text = unsendable ? 'This cannot be sent as a token at all.' : live ? 'The server accepts it.' : refused ? 'The server refuses it, and does not say why: a caller learns no more.' : `The server does not say: ${status || 'no answer'}.`
    fill(verdictPlace, line(live ? 'good' : 'bad', text, who.map(([name, value]) => `${name} ${value}`).join(', ')))
    tick()
  }

  function tick() {
    if (!current) return
    const { read, verdict } = current
    const times = timesOf(read, verdict)
    const now = engine.now()
    const isOver = times.expires <= now
    const live = verdict ? verdict.live && !isOver : current.live
    const left = Number.isFinite(times.expires) ? (times.expires - now) / 1000 : undefined
    const whole = (times.expires - (times.issued ?? now)) / 1000
    wax.set(live === undefined ? (left <= 0 ? 'dead' : 'unknown') : live ? 'live' : 'dead', left > 0 && live !== false ? left / whole : 0)
    life.textContent = left === undefined ? 'It does not say when it expires.' : left > 0 ? `${live ? 'Good for another' : live === undefined ? 'If it holds, then for another' : 'Its time would last another'} ${duration(left)}${whole >= left ? ` of ${duration(whole)}` : ''}.` : `It expired ${duration(-left)} ago.`
    const notes = [read?.header, read?.claims].flatMap(members => inWords(members ?? {}, now)).filter(({ note }) => note)
    for (const [at, small] of partsPlace.querySelectorAll('small').entries()) small.textContent = notes[at].note
    timePlace.hidden = left === undefined
    fill(timePlace, left !== undefined && timeline({ ...times, now, revoked: verdict && ['revoked', 'ended', 'user_gone'].includes(verdict.code) }))
    // What was said of it held until now.
    const passed = Object.values(times).filter(time => time <= now).length
    if (passed > current.passed) onpassed()
    current.passed = passed
  }

  return { element, show, answered }
}

function timesOf(read, verdict) {
  if (verdict?.authorization) return { issued: Date.parse(verdict.authorization.created), expires: Date.parse(verdict.authorization.expires) }
  const at = name => (isTime(read?.claims?.[name]) ? read.claims[name] * 1000 : undefined)
  return { issued: at('iat'), notBefore: at('nbf'), expires: at('exp') }
}

function said({ live, code, sentence, user, token }) {
  const whose = user && `It is ${user.name}’s (number ${user.uid})${user.disabled ? ', who is disabled' : ''}.`
  if (live) return line('good', `Accepted: ${sentence}.`, [token && 'The signature holds.', whose].filter(Boolean).join(' '))
  const signature = token && (token.signed ? 'The signature itself holds.' : code === 'bad_signature' ? 'The signature does not hold.' : 'Its signature was not checked.')
  return line('bad', `Refused: ${sentence}.`, [h('code', code), ' ', [signature, whose].filter(Boolean).join(' ')])
}

const unchecked = kind => line('', kind === 'signed' ? 'Only the server knows whether the seal is real.' : 'Only the server knows what this is. It can be asked.')

const line = (tone, text, detail) => h(`p.notice.${tone || 'plain'}`, h('strong', text), detail?.length > 0 && h('small', detail))

/** Every check in order: passed, failed, or not reached. */
function checkList({ live, code }) {
  const failed = live ? checks.length : stageOf(code)
  return [
    h('h3', { id: 'checks-title' }, 'The checks, in order'),
    h('ol.checks', { 'aria-labelledby': 'checks-title' }, checks.map(([question], at) => {
      const state = failed < 0 ? 'open' : at < failed ? 'yes' : at === failed ? 'no' : 'open'
      return h(`li.is-${state}`, h('span.mark', { 'aria-hidden': 'true' }, { yes: '✓', no: '✗', open: '·' }[state]), question, h('span.unseen', { yes: ' Yes.', no: ' No.', open: ' Not looked at.' }[state]))
    })),
  ]
}

function partsOf({ read, verdict, kind }) {
  if (verdict?.authorization) {
    const { id, scopes, created, expires } = verdict.authorization
    return h('div', h('h3', 'What the engine keeps of it'), list([{ name: 'id', label: 'Record', text: id }, { name: 'scopes', label: 'May', text: scopes }, { name: 'created_at', label: 'Created', text: created }, { name: 'expires', label: 'Good until', text: expires }]))
  }
  if (kind !== 'signed') return h('p.quiet', 'It has no parts to open: what it stands for lies with the engine.')
  const now = engine.now()
  return [
    h('div', h('h3.is-header', 'Header'), read.header ? list(inWords(read.header, now)) : h('p.quiet', 'It cannot be read.')),
    h('div', h('h3.is-claims', 'Claims'), read.claims ? list(inWords(read.claims, now)) : h('p.quiet', 'They cannot be read.')),
  ]
}

const list = rows => h('dl.claims-list', rows.map(({ name, label, text, note }) => h('div', h('dt', label || name, label && h('code', name)), h('dd', h('bdi', text), note && [' ', h('small', note)]))))

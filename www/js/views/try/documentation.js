// What a route does, beside it: fields, answers, and each documented failure one click away.

import { engine, signals } from '../../engines/current.js'
import { fill, h } from '../../dom.js'

/** `{ element, show }`; `oncase` is told which case was asked for. */
export function documentation({ oncase }) {
  const body = h('div.prose')
  const element = h('section.card.docs', { 'aria-labelledby': 'docs-title' }, body)
  let shown
  signals.addEventListener('people', () => { if (shown) show(shown) })

  function show(route) {
    shown = route
    fill(
      body,
      h('p.eyebrow', route.dialect.name),
      h('h2', { id: 'docs-title' }, route.title),
      h('p', route.about),
      route.fields && [h('h3', 'Fields'), h('dl.fields', route.fields.map(([name, type, about]) => h('div', h('dt', h('code', name), ' ', h('small', type)), about && h('dd', about))))],
      route.answers && [h('h3', 'Answers'), h('dl.answers', route.answers.map(([status, about]) => h('div', h('dt', h(`span.status.${status < 400 ? 'good' : 'refused'}`, status)), h('dd', about))))],
      route.cases && [h('h3', { id: 'cases-title' }, 'Try this too'), h('ul.cases', { 'aria-labelledby': 'cases-title' }, route.cases.map(failure => h('li', caseButton(route, failure))))],
      h('p.quiet', route.dialect.about),
    )
  }

  function caseButton(route, failure) {
    const needsAdmin = failure.admin && !engine.isTab && !engine.people.some(({ role }) => role === 'admin')
    const sameRole = failure.plain && !engine.people.some(({ role }) => role !== 'admin')
    const why = needsAdmin ? 'Needs an administrator: sign in as one.' : sameRole ? 'Needs somebody who is no administrator: sign in as one.' : failure.about
    return h(
      'button.case',
      { type: 'button', disabled: needsAdmin || sameRole, onclick: () => oncase(route, failure) },
      h(`span.status.${failure.expect < 400 ? 'good' : 'refused'}`, failure.expect),
      h('span', failure.title, why && h('small', why)),
    )
  }

  return { element, show }
}

// What a route does, beside it: fields, answers, and each documented failure one click away.

import { draftOf } from '../../catalogue/index.js'
import { fill, h } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { statusBadge } from '../../parts/status.js'

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
      h('h3', 'Answers'), h('dl.answers', route.answers.map(([status, about]) => h('div', h('dt', statusBadge({ status }, false)), h('dd', about)))),
      route.cases.length > 0 && [h('h3', { id: 'cases-title' }, 'Try this too'), h('ul.cases', { 'aria-labelledby': 'cases-title' }, route.cases.map(failure => h('li', caseButton(route, failure))))],
      h('p.quiet', route.dialect.about),
    )
  }

  function caseButton(route, failure) {
    const { isTab, people } = engine
    const why = failure.tab && !isTab ? 'In the tab only: with a second administrator it would succeed.'
      : !isTab && /@admin|scratch|locked|wrong/.test(JSON.stringify(draftOf(route, failure))) && !people.some(({ role }) => role === 'admin') ? 'Needs an administrator.'
      : failure.plain && !people.some(({ role }) => role !== 'admin') && 'Needs somebody who is no administrator.'
    const about = why || failure.about
    return h(
      'button.case',
      { disabled: Boolean(why), onclick: () => oncase(route, failure) },
      statusBadge({ status: failure.expect }, false),
      h('span', failure.title, about && h('small', about)),
    )
  }

  return { element, show }
}

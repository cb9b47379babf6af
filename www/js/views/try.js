// Every route as a request to send, what came back, and what has been said before.

import { find } from '../catalogue/index.js'
import { h } from '../dom.js'
import { answerCard } from './try/answer.js'
import { catalogueList } from './try/catalogue.js'
import { documentation } from './try/documentation.js'
import { editor } from './try/editor.js'
import { historyCard } from './try/history.js'

export const title = 'Try'

/** Builds the view once; `show` is called with the rest of the address whenever it changes. */
export function build() {
  const answer = answerCard()
  const bench = editor({ onsend: () => answer.wait(), onsent: exchange => { answer.show(exchange); answer.element.scrollIntoView({ block: 'nearest' }) } })
  const docs = documentation({ oncase: (route, failure) => bench.sendCase(route, failure) })
  const list = catalogueList()
  const past = historyCard({ onpick: exchange => { answer.show(exchange); answer.element.scrollIntoView({ block: 'nearest' }); answer.element.focus({ preventScroll: true }) } })
  const element = h('div.try', list.element, h('div.bench', bench.element, answer.element), h('div.beside', docs.element, past.element))
  return {
    element,
    show([dialect, id]) {
      const route = find(dialect, id)
      list.mark(route)
      bench.load(route)
      docs.show(route)
      answer.clear()
    },
  }
}

// Every route as a request to send, what came back, and what has been said before.

import { find } from '../catalogue/index.js'
import { announce, h } from '../dom.js'
import { to } from '../route.js'
import { answerCard } from './try/answer.js'
import { catalogueList } from './try/catalogue.js'
import { documentation } from './try/documentation.js'
import { editor } from './try/editor.js'
import { historyCard } from './try/history.js'

export const title = 'Try'

/** Builds the view once; `show` is called with the rest of the address whenever it changes. */
export function build() {
  const answer = answerCard()
  const show = exchange => { answer.show(exchange); answer.element.scrollIntoView({ block: 'nearest' }) }
  const bench = editor({ onsend: () => { sent = route; answer.wait() }, onsent })
  const docs = documentation({ oncase: (route, failure) => bench.sendCase(route, failure) })
  const list = catalogueList()
  const past = historyCard({ onpick: exchange => { show(exchange); answer.element.focus({ preventScroll: true }) } })
  const element = h('div.try', list.element, h('div.bench', bench.element, answer.element), h('div.beside', docs.element, past.element))
  let route
  let sent
  return {
    element,
    show([dialect, id]) {
      const last = route
      route = id || !last ? find(dialect, id) : last
      list.mark(route)
      // Whoever goes on to another one comes back to this, also from an address that names none.
      history.replaceState(history.state, '', to('try', route.dialect.id, route.id))
      // Whoever comes back goes on at the same place.
      if (route === last) return
      if (last) announce(route.title)
      bench.load(route)
      docs.show(route)
      // What is under way can be given up from there, too.
      if (!sent) answer.clear()
    },
  }

  function onsent(exchange) {
    if (sent === route) show(exchange)
    else answer.clear()
    sent = undefined
  }
}

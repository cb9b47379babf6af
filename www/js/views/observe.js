// What the engine does: audit events and counters of the tab's engine, or the metrics of the live server.

import { fill, h } from '../dom.js'
import { engine, signals } from '../engines/current.js'
import { eventsCard } from './observe/events.js'
import { ownTraffic } from './observe/own.js'
import { serverMetrics } from './observe/server.js'

export const title = 'Observe'

/** Builds the view once. */
export function build() {
  const element = h('div.two')
  const events = eventsCard()
  const own = ownTraffic()
  const server = serverMetrics(own.isDue)
  signals.addEventListener('change', () => { if (element.isConnected) show() })

  function show() {
    fill(element, engine.isTab ? [h('div.bench', events.element), h('div.beside', own.element)] : [h('div.bench', server.element), h('div.beside', own.element)])
    own.draw()
    if (engine.isTab) server.stop()
    else server.start(element)
  }

  return { element, show, leave: () => server.stop() }
}

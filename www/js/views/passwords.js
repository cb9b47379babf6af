// A user's list of passwords as a picture, rotation step by step, what the policies say, what a derivation costs.

import { h } from '../dom.js'
import { signals } from '../engines/current.js'
import { costCard } from './passwords/cost.js'
import { listCard } from './passwords/list.js'
import { meterCard } from './passwords/meter.js'
import { rotationCard } from './passwords/rotation.js'

export const title = 'Passwords'

/** Builds the view once. */
export function build() {
  const rotation = rotationCard({ onchange: () => list.draw() })
  const list = listCard({ onperson: person => { rotation.load(person); meter.load(person) } })
  const meter = meterCard()
  const element = h('div.two', h('div.bench', list.element, rotation.element), h('div.beside', meter.element, costCard().element))
  const draw = () => list.people()
  for (const signal of ['change', 'people', 'ready']) signals.addEventListener(signal, draw)
  return { element, show: draw }
}

// JSON on the page: indented, with its kinds of values told apart.

import { h } from '../dom.js'
import { seen } from '../words.js'

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** More than this is shown without colours, which would cost more than they are worth. */
const COLOURED = 60_000

/** What a text holds, as nodes for a `pre`. What is not JSON stays as it is. */
export function shown(text) {
  const json = indented(text)
  const pretty = seen(json ?? text)
  if (json === undefined || pretty.length > COLOURED) return [pretty]
  const nodes = []
  let end = 0
  for (const match of pretty.matchAll(TOKEN)) {
    const [whole, string, colon, word] = match
    nodes.push(pretty.slice(end, match.index))
    if (colon) nodes.push(h('span.json-name', string), colon)
    else nodes.push(h(string ? 'span.json-text' : word ? 'span.json-word' : 'span.json-number', whole))
    end = match.index + whole.length
  }
  return [...nodes, pretty.slice(end)]
}

/** The text indented, or `undefined` when it is not JSON. */
export function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return undefined
  }
}

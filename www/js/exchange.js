// One request and how it went.

import { curl } from './curl.js'
import { engine } from './engines/current.js'
import { authorization, escapes, filled, sendBy } from './fillings.js'
import { history } from './history.js'
import { pocket } from './pocket.js'

let number = 0
sendBy(send)

/**
 * Sends a draft: `{ method, path, as, raw, headers, type, body }`, where texts may hold `{{names}}` that are filled in first.
 * `why` says in a few words what it is for. Resolves with the exchange also when there is no answer: its status is 0 then.
 */
export async function send(draft, why = '') {
  const sent = await prepared(draft)
  const exchange = { id: ++number, at: Date.now(), engine: engine.kind, why, ...sent, status: 0, headers: [], text: '' }
  const begun = performance.now()
  try {
    Object.assign(exchange, await engine.transport({ ...sent, headers: sent.sentHeaders }))
  } catch (error) {
    exchange.failure = error instanceof Error ? error.message : String(error)
  }
  exchange.took = performance.now() - begun
  exchange.ok = exchange.status >= 200 && exchange.status < 300
  exchange.json = parsed(exchange.text)
  pocket.take(exchange)
  history.add(exchange)
  return exchange
}

/** The header of this name, in lower case. */
export const header = (exchange, name) => exchange.headers.find(([known]) => known.toLowerCase() === name)?.[1]

async function prepared(draft) {
  const path = await filled(draft.path, draft, encodeURIComponent)
  const body = await filled(draft.body ?? '', draft, escapes[draft.type])
  const sentHeaders = []
  const value = await authorization(draft)
  if (value) sentHeaders.push(['authorization', value])
  for (const [name, text] of draft.headers ?? []) sentHeaders.push([name.trim().toLowerCase(), await filled(text, draft)])
  const type = { json: 'application/json', form: 'application/x-www-form-urlencoded' }[draft.type]
  if (body && type && !sentHeaders.some(([name]) => name === 'content-type')) sentHeaders.push(['content-type', type])
  return { method: draft.method, path, body, sentHeaders, curl: curl({ method: draft.method, path, headers: sentHeaders, body }) }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

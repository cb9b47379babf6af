// One request and how it went.

import { curl } from './curl.js'
import { Missing } from './dom.js'
import { engine } from './engines/current.js'
import { MARK } from './engines/tab.js'
import { exchanges } from './exchanges.js'
import { authorization, escapes, filled, sendBy, stays, tokens } from './fillings.js'
import { pocket } from './pocket.js'

/** Sent as octets, as the browser would give a text a type of its own. */
const utf8 = new TextEncoder()
let number = 0
sendBy(send)

/**
 * Sends a draft: `{ method, path, as, raw, headers, type, body, fills }`. If it `fills`, every `{{name}}` in its texts is filled in first;
 * else they are sent as they stand, as what a person has typed or pasted may hold such a text. `why` says in a few words what it is for.
 * Resolves with the exchange also when there is no answer: its status is 0 then.
 */
export async function send(draft, why = '') {
  const { kind, era } = engine
  const { headers, ...sent } = await prepared(draft)
  // What was filled in was made for the engine that answered then.
  stays(kind, era)
  const exchange = { id: ++number, at: Date.now(), engine: kind, why, ...sent, status: 0, headers: [], text: '' }
  const begun = performance.now()
  try {
    Object.assign(exchange, await engine.transport({ ...sent, headers, body: sent.body && utf8.encode(sent.body) }))
  } catch (error) {
    exchange.failure = error.message
  }
  // What comes after “Sign out” is kept by nobody.
  if (kind === 'live') stays(engine.kind, era)
  exchange.took = performance.now() - begun
  exchange.ok = exchange.status >= 200 && exchange.status < 300
  exchange.json = parsed(exchange.text)
  pocket.take(exchange)
  exchanges.add(exchange)
  // Whatever was refused may be a token that has been revoked.
  if (exchange.status === 401) tokens.clear()
  if (exchange.ok) await learn(draft, exchange)
  return exchange
}

/** Of somebody who is known here: which password has just replaced the others, what else was changed, or that the user is gone. */
async function learn(draft, { method, path, body, json, engine: kind }) {
  const [, isByNumber, who] = /^(?:(?:PUT|DELETE) \/(v1)\/users|[PD]\w+ \/_(?:xpack\/)?security\/user)\/([^/?]+)/.exec(`${method} ${path}`) ?? []
  if (!who) return
  const { new_password: fresh, password = fresh, roles, username = /^_?password$/.test(who) && draft.as.split(/:(.*)/s)[1] } = parsed(body) ?? {}
  const known = engine.peopleOf(kind).find(({ uid, name, email }) => (username ? [name, email].includes(username) : isByNumber ? `${uid}` === who : name === decodeURIComponent(who)))
  if (!known) return
  const { name } = known
  if (method === 'DELETE' && !username) return engine.remember(undefined, kind, name)
  const told = json?.uid ? json : roles && kind === engine.kind && (await send({ ...draft, method: 'GET', path: `/v1/users/${known.uid}` }, 'who that is now')).json
  await engine.remember({ name, ...(told?.uid && told), ...(password && { password }) }, kind, name)
}

/** The header of this name, in lower case. */
export const header = (exchange, name) => exchange.headers.find(([known]) => known.toLowerCase() === name)?.[1]

async function prepared(draft) {
  const path = await filled(draft.path, draft, encodeURIComponent)
  if (path[0] !== '/') throw new Missing('A path begins with “/”.')
  if (engine.isTab && /^\/(admin|tab)\//.test(new URL(location.origin + path).pathname)) throw new Missing('This path is the page’s own.')
  const body = await filled(bodyOf(draft), draft, escapes[draft.type])
  const value = await authorization(draft)
  const headers = []
  for (const [name, text] of draft.headers ?? []) headers.push([name, await filled(text, draft)])
  const sent = carried({ ...draft, path, body, headers }, value)
  for (const pair of sent.headers) if (!isSent(pair)) throw new Missing(`No page can send this header: ${pair.join(': ')}`)
  return { ...sent, curl: curl(sent) }
}

/** Browsers send no body with some methods. */
export const bodyOf = ({ method, body = '' }) => (/^(GET|HEAD)$/.test(method) ? '' : body)

/** What a draft sends, with this value of `Authorization`. */
export function carried(draft, value) {
  const { method, path, type } = draft
  const body = bodyOf(draft)
  const headers = draft.headers.map(([name, text]) => [name.toLowerCase(), text])
  if (value) headers.unshift(['authorization', value])
  const media = { json: 'application/json', form: 'application/x-www-form-urlencoded' }[type]
  if (body && media && !headers.some(([name]) => name === 'content-type')) headers.push(['content-type', media])
  return { method, path, headers, body }
}

/** Some headers are the browser's own, one is the page's, and not every text is one. */
function isSent([name, value]) {
  try {
    return name !== MARK && new Request(location.href, { headers: [[name, value]] }).headers.has(name)
  } catch {
    return false
  }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

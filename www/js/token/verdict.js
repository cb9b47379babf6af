// Whether a token holds, and why not. In the tab the engine says all it knows; a server tells a caller only yes or no.

import { engine } from '../engines/current.js'
import { header, send } from '../exchange.js'
import { kindOf } from './read.js'

const LONGEST = 8192
const utf8 = new TextEncoder()

/** What the tab's engine knows: `{ live, code, sentence, user, token, authorization }`. */
export async function explained(token) {
  // A token that is as large as this, or as broken, does not get to the engine.
  if (utf8.encode(token).length > LONGEST) return { live: false, code: 'too_long', sentence: `the token is longer than ${LONGEST} octets` }
  if (!token.isWellFormed()) return { live: false, code: 'malformed', sentence: 'it contains half a character' }
  const { status, json } = await engine.own('POST', '/admin/tokens/explain', { token })
  if (status !== 200) throw new Error(json?.message ?? `the engine answered ${status}`)
  return json
}

/** What a server answers to whoever shows the token: `{ live, status, who }`. */
export async function asked(token) {
  const answer = await send({ method: 'GET', path: '/auth/verify', as: 'raw', raw: `Bearer ${token}` }, 'is it good?')
  const who = [['user', 'x-auth-user'], ['number', 'x-auth-uid'], ['role', 'x-auth-role'], ['dialect', 'x-auth-dialect'], ['scope', 'x-auth-scopes']]
    .map(([name, wanted]) => [name, header(answer, wanted)])
    .filter(([, value]) => value)
  return { status: answer.status, live: answer.ok, who }
}

/** Whether the text could be sent as a token at all. */
export const isSendable = token => kindOf(token) !== 'none' && /^[\x21-\x7e]+$/.test(token) && token.length <= 12_000

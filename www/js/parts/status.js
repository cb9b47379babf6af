// A status, or that there was no answer.

import { h } from '../dom.js'
import { reasons } from '../words.js'

/** Good, refused or broken: for colours, beside the words. */
export const tone = ({ status }) => (status === 0 || status >= 500 ? 'broken' : status >= 400 ? 'refused' : 'good')

/** `200 OK` in a badge. */
export function statusBadge(exchange, withReason = true) {
  const { status } = exchange
  const text = status === 0 ? 'No answer' : withReason ? `${status} ${reasons[status] ?? ''}`.trim() : String(status)
  return h(`span.status.${tone(exchange)}`, text)
}

/** `GET` in its colour. */
export const methodBadge = method => h(`span.method.${method.toLowerCase()}`, method)

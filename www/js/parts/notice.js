// A line that says how something went.

import { fill, h } from '../dom.js'

/** An empty place for notices, read out when it changes. */
export const noticePlace = () => h('p.notice', { role: 'status', hidden: true })

/** `tone` is `good`, `bad` or `` ; no text takes the notice away. */
export function say(place, text, tone = '', detail) {
  place.hidden = !text
  place.className = `notice ${tone}`
  fill(place, text ?? '', detail && h('small', detail))
}

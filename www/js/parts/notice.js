// A line that says how something went.

import { fill, h } from '../dom.js'
import { signals } from '../engines/current.js'

/** An empty place for notices, read out when it changes. */
export const noticePlace = () => h('p.notice', { role: 'status', hidden: true })

/** One that stays. What it says of one engine goes when the other one answers, and with “Sign out”. */
export function standingNotice() {
  const place = noticePlace()
  for (const signal of ['change', 'forget']) signals.addEventListener(signal, () => say(place))
  return place
}

/** `tone` is `good`, `bad` or `` ; no text takes the notice away. */
export function say(place, text, tone = '', detail) {
  place.hidden = !text
  place.className = `notice ${tone}`
  fill(place, text ?? '', detail && h('small', detail))
}

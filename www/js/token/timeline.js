// Issue, not-before, now, expiry and revocation on one line.

import { svg } from '../dom.js'
import { moment, timeOfDay } from '../words.js'

const [WIDTH, MARGIN, LINE] = [640, 16, 46]
/** Over a longer span a time of day would say too little. */
const LONG = 12 * 3600_000
/** A label nearer than this to one that says more is left out, as the two would overlap. */
const ROOM = 150

/** A drawing, with the same in words for those who cannot see it. Times in milliseconds; `undefined` where there is none. */
export function timeline({ issued, notBefore, expires, now, revoked }) {
  const points = [['issued', issued], ['good from', notBefore !== issued ? notBefore : undefined], ['expires', expires], ['now', now]].filter(([, time]) => Number.isFinite(time))
  const times = points.map(([, time]) => time)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const place = time => MARGIN + ((time - first) / Math.max(1, last - first)) * (WIDTH - 2 * MARGIN)
  const before = { issued: [expires], 'good from': [issued, expires] }
  const begins = notBefore ?? issued ?? first
  const good = Number.isFinite(expires) && Math.min(now, expires) > begins
  const said = last - first > LONG ? moment : timeOfDay
  const label = points.map(([name, time]) => `${name} ${said(time)}`).join(', ')
  return svg(
    'svg.timeline', { viewBox: `0 0 ${WIDTH} 84`, role: 'img', 'aria-label': `Timeline: ${label}${revoked ? '; revoked' : ''}` },
    svg('line.axis', { x1: MARGIN, x2: WIDTH - MARGIN, y1: LINE, y2: LINE }),
    Number.isFinite(expires) && expires > begins && svg('line.life', { x1: place(begins), x2: place(expires), y1: LINE, y2: LINE }),
    good && !revoked && svg('line.spent', { x1: place(begins), x2: place(Math.min(now, expires)), y1: LINE, y2: LINE }),
    points.map(([name, time]) => mark(name, time, place(time))),
    revoked && svg('g.mark.revoked', svg('text', { x: WIDTH / 2, y: LINE - 10, 'text-anchor': 'middle' }, 'ended before its time')),
  )

  function mark(name, time, x) {
    // Now stands above the line, everything else below it.
    const isNow = name === 'now'
    const isAlone = !before[name]?.some(time => Math.abs(x - place(time)) < ROOM)
    const anchor = x < 90 ? 'start' : x > WIDTH - 90 ? 'end' : 'middle'
    return svg(
      `g.mark.${isNow ? 'is-now' : name === 'expires' ? 'is-end' : 'is-begin'}`,
      svg('circle', { cx: x, cy: LINE, r: isNow ? 6 : 5 }),
      isAlone && svg('text', { x, y: isNow ? LINE - 26 : LINE + 20, 'text-anchor': anchor }, name),
      isAlone && svg('text.time', { x, y: isNow ? LINE - 12 : LINE + 34, 'text-anchor': anchor }, said(time)),
    )
  }
}

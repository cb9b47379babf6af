// Small charts: bars with their numbers, and a line over time. What they show stands in words too.

import { h, svg } from '../dom.js'

/** One bar a line: `rows` are `{ label, value, tone, text }`. */
export function bars(rows, label) {
  const most = Math.max(1, ...rows.map(({ value }) => value))
  return h(
    'dl.bars', { 'aria-label': label },
    rows.map(({ label: name, value, tone = '', text }) => h(
      'div',
      h('dt', name),
      h('dd', bar(value / most, tone), h('span.number', text ?? value.toLocaleString())),
    )),
  )
}

/** A bar from 0 to 1. */
export function bar(share, tone = '') {
  const width = Math.max(share > 0 ? 0.6 : 0, 100 * Math.min(1, share)).toFixed(2)
  return svg('svg.bar', { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, svg('rect.ground', { width: 100, height: 8 }), svg(`rect.${tone || 'plain'}`, { width, height: 8 }))
}

/** A line over time; `values` oldest first. */
export function spark(values, label) {
  const [width, height] = [300, 56]
  const most = Math.max(1, ...values)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(height - 3 - (value / most) * (height - 8)).toFixed(1)}`)
  return svg(
    'svg.spark', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${label}: at most ${Math.max(0, ...values).toLocaleString()}, now ${(values.at(-1) ?? 0).toLocaleString()}` },
    svg('line.axis', { x1: 0, x2: width, y1: height - 2, y2: height - 2 }),
    points.length > 1 && svg('polygon.area', { points: `0,${height - 2} ${points.join(' ')} ${width},${height - 2}` }),
    points.length > 1 && svg('polyline.edge', { points: points.join(' '), 'vector-effect': 'non-scaling-stroke' }),
  )
}

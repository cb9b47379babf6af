// A wax seal: whole, cracked, or not there yet; around it what is left of its life.

import { svg } from '../dom.js'

const WAX = 'M32 8c4.8 0 6.4 3.2 10.4 4.8s8 .8 10.4 4.8 0 7.2.8 12 4 5.6 1.6 10.4-5.6 4-8.8 7.2-3.2 7.2-8 8-6.4-2.4-10.4-1.6-7.2 2.4-11.2-.8-2.4-6.4-4.8-10.4-4.8-5.6-4-10.4 4-5.6 5.6-9.6.8-8 4.8-11.2S27.2 8 32 8Z'

/** `{ element, set }`; `set(state, share)` with `none`, `live`, `dead` or `unknown` and a share from 0 to 1. */
export function seal() {
  const left = svg('circle.left', { cx: 32, cy: 32, r: 30, pathLength: 100, transform: 'rotate(-90 32 32)', 'stroke-dasharray': '0 100' })
  const element = svg(
    'svg.seal', { viewBox: '0 0 64 64', 'aria-hidden': 'true' },
    svg('circle.track', { cx: 32, cy: 32, r: 30 }),
    left,
    svg('path.wax', { d: WAX }),
    svg('path.sign', { d: 'm23 28 5 11 4-9 4 9 5-11' }),
    svg('path.crack', { d: 'm37 9-6 13 7 8-9 9 5 15' }),
  )
  return {
    element,
    set(state, share = 0) {
      element.dataset.state = state
      left.setAttribute('stroke-dasharray', `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)} 100`)
    },
  }
}

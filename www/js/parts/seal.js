// A wax seal: whole, cracked, or not there yet; around it what is left of its life.

import { svg } from '../dom.js'

const WAX = 'M32 8c4.800 0 6.400 3.200 10.400 4.800s8 .8 10.400 4.800 0 7.200.8 12 4 5.600 1.600 10.400-5.600 4-8.800 7.200-3.200 7.200-8 8-6.400-2.400-10.400-1.600-7.200 2.400-11.200-.8-2.400-6.400-4.800-10.400-4.800-5.600-4-10.400 4-5.600 5.600-9.600.8-8 4.800-11.200S27.200 8 32 8Z'

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

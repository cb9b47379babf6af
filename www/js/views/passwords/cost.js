// What one derivation costs on this device: what every login pays, and every guess.

import { card, fill, h, once } from '../../dom.js'
import { engine } from '../../engines/current.js'
import { bars } from '../../parts/chart.js'
import { noticePlace, say } from '../../parts/notice.js'
import { milliseconds } from '../../words.js'

const SCHEMES = [
  ['19 MiB, 2 passes (the default)', { argon2id: { memory: 19456, passes: 2, lanes: 1 } }],
  ['46 MiB, 1 pass', { argon2id: { memory: 47104, passes: 1, lanes: 1 } }],
  ['64 MiB, 3 passes', { argon2id: { memory: 65536, passes: 3, lanes: 1 } }],
]

/** `{ element }` */
export function costCard() {
  const result = h('div')
  const notice = noticePlace()
  const button = h('button', { onclick: () => once(button, measure) }, 'Measure')
  const element = card(
    'cost', 'What a login costs here',
    h('p', 'Passwords are kept as Argon2id hashes. Each login derives one, whether or not the user exists.'),
    h('div.row', button), result, notice,
  )

  async function measure() {
    say(notice)
    try {
      const rows = []
      for (const [label, scheme] of SCHEMES) {
        const { json } = await engine.own('POST', '/tab/derive', { scheme })
        const median = json.took.toSorted((a, b) => a - b)[Math.floor(json.took.length / 2)]
        rows.push({ label, value: median, text: milliseconds(median) })
        fill(result, bars(rows, 'Time of one derivation on this device'))
      }
      const rate = 1000 / rows[0].value
      say(notice, `One core of this device could try about ${Math.max(1, Math.round(rate)).toLocaleString()} passwords a second of a stolen list.`)
    } catch (error) {
      say(notice, `It could not be measured: ${error.message}`, 'bad')
    }
  }

  return { element }
}

// Reads and moves the engine's clock: `/testing/clock`, which a live server has only when it was started for tests.

import { engine } from '../../engines/current.js'

const PATH = '/testing/clock'

/** What is answered, `{ status, text }`, with 200 where the clock can be moved; learns how far it is ahead. Nothing where the engine was
 * switched meanwhile, or its user has signed out. */
export async function readTime() {
  if (engine.isTab) return { status: 200 }
  return ask({ method: 'GET', path: PATH, headers: [] })
}

/** The same; moves it `{ by }` seconds, or `{ to }` a time in milliseconds. */
export async function setTime({ by, to }) {
  const body = by === undefined ? { now_millis: Math.round(to) } : { advance_secs: by }
  return ask({ method: 'PUT', path: PATH, headers: [['content-type', 'application/json']], body: JSON.stringify(body) })
}

async function ask(request) {
  const { kind, era } = engine
  const answer = await engine.transport(request).catch(() => ({ status: 0, text: '' }))
  if (kind !== engine.kind || era !== engine.era) return undefined
  if (answer.status === 200) engine.setOffset(JSON.parse(answer.text).now_millis - Date.now())
  return answer
}

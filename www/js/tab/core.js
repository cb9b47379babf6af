// Answers the requests of this page: the engine's own routes, and a few beside them that only this page can reach.

import { Kdf } from '../../engine/kdf/kdf.js'
import { judge } from './judge.js'
import { change, present, reset, shown } from './world.js'

/** Marks what is for the tab's engine, and what it has answered. The page has its own in `engines/tab.js`, as it is there before this is loaded. */
export const MARK = 'x-waxseal-tab'
const ROUNDS = 5
/** The end of the last year that dates are written with four digits in. */
const LAST = Date.UTC(1e4, 0) - 1

const HOUR = 3_600_000
/** One user more than the page shows. */
const MOST = 51

/** A `Response` to a `Request` of the page. Never rejects. */
export async function answer(request) {
  let response
  try {
    response = await routed(request)
  } catch (error) {
    response = new Response(String(error?.message ?? error), { status: 503, headers: { 'retry-after': '1' } })
  }
  const headers = new Headers(response.headers)
  headers.set(MARK, '1')
  return new Response(response.body, { status: response.status, headers })
}

async function routed(request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/testing/clock') return clock(request)
  if (pathname.startsWith('/tab/')) return own[`${request.method} ${pathname}`]?.(request) ?? new Response(null, { status: 404 })
  const { engine, state } = await present()
  const plain = new Request(request)
  plain.headers.delete(MARK)
  const response = await (pathname.startsWith('/admin/') ? engine.admin(plain) : engine.fetch(plain))
  // Kept beside the engine, as it does not tell its owner. Under `nist` no password expires, whatever was set before.
  if (request.method === 'PUT' && /^\/v1\/cluster\/?$/.test(pathname) && response.ok && state.policy !== 'nist') {
    const { password_expiration_duration: days } = await response.clone().json()
    await change(() => ({ days }))
  }
  return response
}

const own = {
  /** Whom the engine was seeded with, its clock and policy. */
  'GET /tab/state': async () => told(await present()),

  /** `{ policy }` for new passwords. */
  'PUT /tab/settings': async request => {
    const { policy } = await request.json()
    if (!['open', 'redis', 'nist'].includes(policy)) return new Response(null, { status: 400 })
    return told(await change(() => ({ policy })))
  },

  /** `{ person, name }`: somebody new, or who has changed since; without `person`, that somebody is gone. */
  'PUT /tab/people': async request => {
    const { person, name } = await request.json()
    return told(await change(({ people }) => ({ people: joined(people, person, name) })))
  },

  /** Who may sign in: `[{ name, status, until }]`. */
  'GET /tab/users': async () => {
    const { engine, state: { offset, days, policy } } = await present()
    const now = Date.now() + offset
    const { users } = await (await engine.admin(new Request(`http://localhost/admin/users?limit=${MOST}`))).json()
    // Of what was set while the clock was ahead nobody knows the age (`core/src/engine/clock.rs`).
    const hasExpired = set => days > 0 && policy !== 'nist' && (set > now + HOUR || set <= now - days * 24 * HOUR)
    return Response.json(users.map(({ name, locked, locked_until: end, disabled, password_issued: set }) => ({
      name,
      status: disabled ? 'disabled' : locked ? 'locked' : hasExpired(Date.parse(set)) ? 'password_expired' : 'active',
      until: locked && end ? Date.parse(end) : undefined,
    })))
  },

  /** Begins anew. */
  'POST /tab/reset': async () => told(await reset()),

  /** What each policy says about `{ password, name, email }`. */
  'POST /tab/judge': async request => Response.json(await present().then(async () => judge(await request.json()))),

  /** How long a derivation takes here, in milliseconds, each time. */
  'POST /tab/derive': async request => {
    const { scheme } = await request.json()
    const { kdf: module } = await present()
    const kdf = new Kdf({ module: () => module })
    const took = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const begun = performance.now()
      await kdf.derive({ scheme, salt: crypto.getRandomValues(new Uint8Array(16)), password: new TextEncoder().encode('a password to measure with') })
      took.push(performance.now() - begun)
    }
    return Response.json({ took })
  },
}

const told = ({ state, notebook }) => Response.json(shown(state, notebook))

/** The people with this one in place of who had the name. */
function joined(people, person, name) {
  const at = people.findIndex(known => known.name === name)
  return people.toSpliced(at < 0 ? people.length : at, 1, ...(person ? [{ ...people[at], ...person }] : []))
}

/** As the server's own `/testing/clock`: shows the clock, or moves it. */
async function clock(request) {
  let { state } = await present()
  if (request.method === 'PUT') {
    const { advance_secs: seconds, now_millis: millis } = await request.json().catch(() => ({}))
    if (Number.isInteger(seconds) === Number.isInteger(millis)) return new Response('either `advance_secs` or `now_millis` is needed\n', { status: 400 })
    const moved = await change(({ offset: before }) => {
      const offset = Number.isInteger(seconds) ? before + seconds * 1000 : millis - Date.now()
      const time = Date.now() + offset
      return time >= 0 && time <= LAST && { offset }
    })
    if (!moved) return new Response('the clock goes from 1970 to the end of 9999\n', { status: 400 })
    state = moved.state
  } else if (request.method !== 'GET') {
    return new Response(null, { status: 405, headers: { allow: 'GET, PUT' } })
  }
  const now = Date.now() + state.offset
  return Response.json({ now_millis: now, time: new Date(now).toISOString() })
}

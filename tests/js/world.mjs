// A `Waxseal` as the world of a scenario.

import { ADMIN, settingsOf } from './player.mjs'

/** 2031-05-06T07:08:09Z, where every test begins. */
const START = 1_935_990_489_000

/** Opens one with an empty store. `api` is the package's main entry, `store` one of its stores. */
export async function open(api, scenario, store) {
  const clock = new api.MovableClock(START)
  let from
  const problems = []
  const waxseal = new api.Waxseal({
    store,
    clock,
    rootKey: new Uint8Array(32).fill(9),
    settings: settingsOf(scenario),
    clientAddress: () => from,
    onError: error => problems.push(error),
  })
  await waxseal.bootstrap({ name: ADMIN[0], password: ADMIN[1] })
  return {
    async send(address, request) {
      from = address
      const response = await waxseal.fetch(requestOf(request))
      if (problems.length > 0) throw new Error(`the driver reports: ${problems.map(problem => `${problem} ${problem?.cause ?? ''}`).join('; ')}`)
      return { status: response.status, headers: [...response.headers], body: new Uint8Array(await response.arrayBuffer()) }
    },
    advance: secs => clock.advance(secs),
  }
}

/** A `Request`, or something that looks like one where `Request` would change or refuse it. */
function requestOf({ method, target, headers, body }) {
  const url = `http://127.0.0.1${target}`
  const bodiless = body.length === 0
  const unchanged = headers.every(([name, value]) => !FORBIDDEN.test(name) && value === value.trim() && headers.filter(([other]) => other === name).length === 1)
  if (unchanged && new URL(url).href === url && METHODS.includes(method) && (bodiless || !['GET', 'HEAD'].includes(method))) {
    return new Request(url, { method, headers, body: bodiless ? undefined : body })
  }
  return { method, url, headers, body: bodiless ? null : undefined, arrayBuffer: async () => body.slice().buffer }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** Headers that a browser keeps for itself. */
const FORBIDDEN = /^(host|content-length|cookie|origin|referer|te|trailer|upgrade|via|connection|expect|keep-alive|date|dnt|accept-charset|accept-encoding|access-control-.*|proxy-.*|sec-.*|transfer-encoding|user-agent)$/

// Tokens that answers have brought, for the next request and for the view that opens them. They end with the tab.

import { engine, signals } from './engines/current.js'
import { jwtClaims } from './token/read.js'

const KEEP = 40

class Pocket extends EventTarget {
  /** Newest first: `{ token, kind, from, at, engine, exp, life }`; `kind` is `access`, `refresh` or `authorization`. */
  tokens = []

  /** The one to open next. It never stands in an address, which the browser would keep. */
  chosen

  /** Takes what an answer holds. */
  take({ ok, json, method, path, at, engine: by }) {
    if (!ok || json === null || typeof json !== 'object') return
    const from = `${method} ${path.split('?')[0]}`
    const data = json.data && !Array.isArray(json.data) ? json.data : {}
    const { iat, exp: end } = jwtClaims(json.access_token) ?? {}
    const life = Number(json.expires_in ?? data.expires_in_seconds ?? end - iat)
    const found = [
      // Before the other one, which is to be opened first.
      [json.refresh_token, 'refresh'],
      [json.access_token, 'access'],
      [data.token, 'authorization'],
    ].filter(([token]) => typeof token === 'string')
    for (const [token, kind] of found) {
      this.tokens = this.tokens.filter(known => known.token !== token)
      const exp = kind !== 'refresh' && Number.isFinite(life) ? (end ?? engine.now() / 1000 + life) * 1000 : undefined
      this.tokens.unshift({ token, kind, from, at, engine: by, exp, life })
    }
    if (found.length === 0) return
    this.tokens.length = Math.min(this.tokens.length, KEEP)
    this.dispatchEvent(new Event('change'))
  }

  /** Those of the engine that answers now. */
  get present() {
    return this.tokens.filter(token => token.engine === engine.kind)
  }
}

export const pocket = new Pocket()

signals.addEventListener('gone', ({ detail }) => {
  pocket.tokens = pocket.tokens.filter(token => token.engine !== detail)
  // It is still here if its link was opened elsewhere, as by Ctrl and a click.
  pocket.chosen = undefined
})
signals.addEventListener('people', () => pocket.dispatchEvent(new Event('change')))

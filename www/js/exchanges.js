// What has been said, newest last. It lives in this tab and ends with it.

import { signals } from './engines/current.js'

const KEEP = 10_000
/** Longer answers are cut in the history; the one shown is whole. */
const TEXT = 20_000

export const exchanges = Object.assign(new EventTarget(), {
  /** Oldest first. */
  entries: [],

  add(exchange) {
    const text = exchange.text.length > TEXT ? `${exchange.text.slice(0, TEXT)}…` : exchange.text
    this.entries.push({ ...exchange, text })
    this.entries.splice(0, this.entries.length - KEEP)
    this.dispatchEvent(new Event('add'))
  },

  /** Those of one engine, or all. */
  clear(kind) {
    this.entries = this.entries.filter(({ engine }) => kind && engine !== kind)
    this.dispatchEvent(new Event('clear'))
  },
})

signals.addEventListener('gone', ({ detail }) => exchanges.clear(detail))

// What has been said, newest last. It lives in this tab and ends with it.

const KEEP = 10_000
/** Longer answers are cut in the history; the one shown is whole. */
const TEXT = 20_000

export const history = Object.assign(new EventTarget(), {
  /** Oldest first. */
  entries: [],

  add(exchange) {
    const text = exchange.text.length > TEXT ? `${exchange.text.slice(0, TEXT)}…` : exchange.text
    this.entries.push({ ...exchange, text })
    if (this.entries.length > KEEP) this.entries.splice(0, this.entries.length - KEEP)
    this.dispatchEvent(new CustomEvent('add', { detail: exchange }))
  },

  clear() {
    this.entries.length = 0
    this.dispatchEvent(new Event('clear'))
  },
})

// The audit events of the tab's engine, as long as this page is open. Which tab caused them does not matter.

import { signals } from './engines/current.js'

export const KEEP = 2000

export const audit = Object.assign(new EventTarget(), {
  /** Oldest first: `{ time, source, request, action, actor, subject, detail, outcome, reason, dialect }`. */
  events: [],

  clear() {
    this.events.length = 0
    this.dispatchEvent(new Event('change'))
  },
})

signals.addEventListener('gone', ({ detail }) => { if (detail === 'tab') audit.clear() })
signals.addEventListener('events', ({ detail }) => {
  audit.events.push(...detail)
  audit.events.splice(0, audit.events.length - KEEP)
  audit.dispatchEvent(new Event('change'))
})

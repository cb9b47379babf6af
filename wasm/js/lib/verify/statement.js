// What a module is told, in its own notation.

import { demand } from './options.js'

export const utf8 = new TextEncoder()
export const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Begins with issuer, `typ`, leeway and audience. */
export function statement({ issuer, audience, leeway = 0, typ = 'JWT' }) {
  const out = []
  // Two octets, the lower first.
  const number = value => {
    demand(value < 65536, 'bad_options', 'a text is too long')
    out.push(value & 255, value >> 8)
  }
  const raw = value => {
    for (const octet of value) out.push(octet)
  }
  const octets = value => {
    number(value.length)
    raw(value)
  }
  const text = value => octets(utf8.encode(value))
  text(issuer)
  text(typ)
  number(leeway)
  number(audience === undefined ? 0 : 1)
  if (audience !== undefined) text(audience)
  return { number, raw, octets, text, end: () => new Uint8Array(out) }
}

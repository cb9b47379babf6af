// What a module is told, in its own notation.

const utf8 = new TextEncoder()

/** Begins with issuer, `typ`, leeway and audience. What is too long for the notation is longer than the module's buffer, too. */
export function statement({ issuer, audience, leeway, typ }) {
  const out = []
  // Two octets, the lower first.
  const number = value => out.push(value & 255, value >> 8)
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

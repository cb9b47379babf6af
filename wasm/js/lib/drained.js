import { isOctets } from './check.js'

/** All octets of a stream; `undefined` when there are more than `limit`. Throws when it breaks off, and for chunks that are not octets. */
export async function drained(stream, limit) {
  const reader = stream.getReader()
  const chunks = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!isOctets(value)) throw new TypeError('a stream of something else than octets')
    length += value.length
    if (length > limit) {
      // Not awaited: the sender may never stop.
      reader.cancel().catch(() => {})
      return undefined
    }
    chunks.push(value)
  }
  const octets = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    octets.set(chunk, at)
    at += chunk.length
  }
  return octets
}

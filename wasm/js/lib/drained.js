import { isOctets } from './check.js'

/**
 * All octets of a stream; `undefined` when there are more than `limit`, or more chunks than that, as empty ones might never end.
 * Throws when it breaks off, and for chunks that are not octets.
 */
export async function drained(stream, limit) {
  const reader = stream.getReader()
  const chunks = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!isOctets(value)) throw new TypeError('a stream of something else than octets')
    chunks.push(value)
    length += value.length
    if (length > limit || chunks.length > limit) {
      // Not awaited: the sender may never stop.
      reader.cancel().catch(() => {})
      return undefined
    }
  }
  const octets = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    octets.set(chunk, at)
    at += chunk.length
  }
  return octets
}

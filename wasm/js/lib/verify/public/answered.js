import { drained } from '../../drained.js'
import { TokenError } from '../error.js'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a document, of `limit` octets at most, and its tag; neither if it is still that of `tag`. */
export async function answered(get, document, timeout) {
  const controller = new AbortController()
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new TokenError('unreachable', `${document.url} does not answer in time`))
      controller.abort()
    }, timeout * 1000)
  })
  try {
    return await Promise.race([answer(get, document, controller.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

async function answer(get, { url, accept, limit, tag }, signal) {
  const headers = tag === undefined ? { accept } : { accept, 'if-none-match': tag }
  let response
  let octets
  try {
    // Redirects are not followed: the answer would be another's.
    response = await get(url, { headers, redirect: 'manual', signal })
    if (response?.status === 304 && tag !== undefined) return {}
    if (response?.status === 200) octets = response.body === null ? new Uint8Array() : await drained(response.body, limit)
    else response?.body?.cancel?.()?.catch?.(() => {})
  } catch (cause) {
    throw new TokenError('unreachable', `${url} could not be read`, { cause })
  }
  if (octets === undefined) throw new TokenError('bad_answer', `${url} gives what cannot be taken: ${response?.status === 200 ? 'too much' : response?.status}`)
  try {
    return { text: decoder.decode(octets), tag: response.headers.get('etag') ?? undefined }
  } catch (cause) {
    throw new TokenError('bad_answer', `${url} gives no text`, { cause })
  }
}

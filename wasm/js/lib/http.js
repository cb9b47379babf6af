// Requests and responses, between `fetch`'s shape and the engine's.

import { demand } from './check.js'
import { drained } from './drained.js'
import { WaxsealError } from './errors.js'

/** The limits of the native server: the defaults in `host/src/http/limits.rs`. */
const HEADERS = 64
const HEAD = 16 * 1024
const TARGET = 8 * 1024
const BODY = 64 * 1024

/** What a client may not say about itself; the same list as in `host/src/http/convert.rs`. */
const FORGEABLE = new Set(['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port',
  'x-forwarded-server', 'x-forwarded-prefix', 'x-real-ip', 'x-request-id'])

/** A request that is answered before it reaches the engine. */
export class Refused extends Error {
  constructor(status) {
    super(`refused with ${status}`)
    this.status = status
  }
}

/** A body that cannot be read, and why: the engine words the response. */
class Unread extends Error {
  constructor(why) {
    super(why)
    this.why = why
  }
}

/**
 * Reads a `Request`, or anything that looks like one; `breaksOff` says that its body ends with an error once the client is gone. Throws
 * `Refused`, or `WaxsealError` for what is not a request.
 */
export async function read(request, breaksOff) {
  const { method, url, headers } = shape(request)
  const [, scheme, authority, target] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/i.exec(url) ?? []
  demand(target !== undefined, 'bad_request', 'the URL of a request is absolute')
  if (target.length > TARGET) throw new Refused(414)
  const [, path, query = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(target)
  const head = headers.reduce((sum, [name, value]) => sum + name.length + value.length, method.length + target.length)
  if (headers.length > HEADERS || head > HEAD) throw new Refused(431)
  const lines = []
  const codings = []
  for (const [name, value] of headers) {
    if (FORGEABLE.has(name.toLowerCase())) continue
    if (name.toLowerCase() === 'content-encoding') codings.push(value)
    else lines.push([name.toLowerCase(), latin1(value)])
  }
  if (!lines.some(([name]) => name === 'host')) lines.push(['host', latin1(authority.replace(/^.*@/, ''))])
  const parts = { method, path: path || '/', query, headers: lines, body: new Uint8Array() }
  try {
    const body = await bodyOf(request, breaksOff)
    // Whoever asks about a token has nothing to say in a body.
    if (!/^\/auth\/(verify|envoy)(\/|$)/.test(path)) parts.body = await unpacked(body, codings.join())
  } catch (error) {
    if (!(error instanceof Unread)) throw error
    parts.unread = error.why
  }
  return { secure: scheme.toLowerCase() === 'https', parts }
}

function shape(request) {
  let method, url, headers
  try {
    ;({ method, url } = request)
    headers = [...request.headers]
  } catch (cause) {
    throw new WaxsealError('bad_request', 'this is no Request', { cause })
  }
  const pair = header => Array.isArray(header) && header.length === 2 && header.every(part => typeof part === 'string')
  demand(typeof method === 'string' && typeof url === 'string' && headers.every(pair), 'bad_request', 'this is no Request')
  return { method, url, headers }
}

function latin1(text) {
  const octets = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) throw new Refused(400)
    octets[i] = code
  }
  return octets
}

async function bodyOf(request, breaksOff) {
  const { body } = request
  demand(!request.bodyUsed && !body?.locked, 'body_used', 'the body of this request has been read already, or is being read')
  const isStream = typeof body?.getReader === 'function'
  if (!isStream && typeof request.arrayBuffer !== 'function') {
    demand(!body, 'bad_request', 'the body of this request is no stream')
    return new Uint8Array()
  }
  if (body === null) return new Uint8Array()
  try {
    // Firefox has no `body`.
    const given = await whileThere(breaksOff ? undefined : request.signal, isStream ? drained(body, BODY) : request.arrayBuffer())
    const octets = isStream ? given : new Uint8Array(given)
    if (octets === undefined || octets.length > BODY) throw new Unread('too_large')
    return octets
  } catch (error) {
    if (error instanceof Unread) throw error
    // The client went away, or promised another length.
    throw new Unread('incomplete')
  }
}

/** What `sent` gives. Rejects when the client is gone: what it has not sent by then may never come nor end. */
function whileThere(signal, sent) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) reject()
    signal?.addEventListener?.('abort', reject)
    Promise.resolve(sent).then(resolve, reject).finally(() => signal?.removeEventListener?.('abort', reject))
  })
}

/** The body, unpacked if its sender packed it with gzip; no other encoding is taken. The limit holds for both forms. */
async function unpacked(body, codings) {
  const names = codings.toLowerCase().split(',').map(name => name.trim()).filter(name => name && name !== 'identity')
  if (body.length === 0 || names.length === 0) return body
  if (!/^(x-)?gzip$/.test(names.join()) || typeof DecompressionStream !== 'function') throw new Unread('unknown_encoding')
  let octets
  try {
    octets = await drained(new Blob([body]).stream().pipeThrough(new DecompressionStream('gzip')), BODY)
  } catch {
    throw new Unread('undecodable')
  }
  if (octets === undefined) throw new Unread('too_large')
  return octets
}

/** The engine's response as a `Response`. */
export function write({ status, headers, body }) {
  return new Response(body.length === 0 ? null : body, { status, headers })
}

/** An answer of the driver itself. */
export function plain(status) {
  return new Response(null, { status, headers: status === 503 ? { 'retry-after': '1' } : {} })
}

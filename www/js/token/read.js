// A token's text, taken apart, and as a forger would change it: naming another user under the old seal. Nothing here checks a signature.

import { base64, fromBase64 } from '../base64.js'

/** What the text looks like: `signed` (three parts), `authorization` (64 hex digits), `opaque`, or `none`. */
export function kindOf(text) {
  if (/^[0-9a-f]{64}$/.test(text)) return 'authorization'
  if (text.split('.').length === 3) return 'signed'
  return text.length > 0 ? 'opaque' : 'none'
}

/** Header, claims and parts of a compact JWS; each part that cannot be read is `undefined`. */
export function open(text) {
  const parts = text.split('.')
  return { parts, header: object(parts[0]), claims: object(parts[1]) }
}

/** The claims alone, or `undefined`. */
export const jwtClaims = text => (typeof text === 'string' ? object(text.split('.')[1]) : undefined)

function object(part) {
  // Without padding.
  if (!/^[\w-]+$/.test(part ?? '')) return undefined
  try {
    const value = JSON.parse(fromBase64(part))
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The same token for user number 1, or for 2 if it was 1's; the text itself when its claims cannot be read. */
export function forged(text) {
  const { parts, claims } = open(text)
  if (!claims) return text
  // The claim may be anything, and not everything can be made a text.
  const other = /^"?1"?$/.test(JSON.stringify(claims.sub ?? claims.uid)) ? '2' : '1'
  const payload = base64(JSON.stringify({ ...claims, sub: other, uid: other })).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  return [parts[0], payload, parts[2]].join('.')
}

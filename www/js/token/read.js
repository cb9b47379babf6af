// A token's text, taken apart. Nothing here checks a signature.

import { fromBase64url } from '../base64.js'

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
  if (part === undefined) return undefined
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64url(part)))
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

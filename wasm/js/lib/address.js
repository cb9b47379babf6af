// Where a request came from, as far as the platform says so itself and no client can.

import { isCloudflare } from './check.js'

/** The address without a zone, which is this machine's name for one of its networks; one of IPv4 as such, also where IPv6 wraps it. */
export const bare = address => address.replace(/%.*/, '').replace(/^::ffff:(?=.*\.)/i, '')

/**
 * Whom a client is counted for, as in the server: an IPv4 address, or the first three groups of an IPv6 one, as that is what one customer
 * has. `::` stands for two groups at least.
 */
export const site = address => bare(address).replace('::', ':0:0:0:').split(':', 3).join()

/** The address by what Deno, Bun and Cloudflare hand over; `undefined` where nothing is known. */
export function platformAddress(request, context) {
  // Deno.serve hands over where the connection came from, Bun.serve the server, which knows.
  if (typeof context?.remoteAddr?.hostname === 'string') return context.remoteAddr.hostname
  if (typeof context?.requestIP === 'function') return context.requestIP(request)?.address
  // Cloudflare overwrites what a client says; anywhere else it would be the client's word.
  if (isCloudflare()) return request?.headers?.get?.('cf-connecting-ip')
  return undefined
}

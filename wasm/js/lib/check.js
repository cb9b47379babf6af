import { WaxsealError } from './errors.js'

/** Throws unless `holds`. */
export function demand(holds, code, message) {
  if (!holds) throw new WaxsealError(code, message)
}

/** Throws unless these are options, and no others than `names`. */
export function onlyOptions(given, names) {
  demand(typeof given === 'object' && given !== null, 'bad_options', 'options are an object')
  // What all objects inherit is not an option.
  for (const name in given) demand(names.includes(name) || name in {}, 'bad_options', `there is no option \`${name}\``)
}

/** Whether `value` is milliseconds since the epoch, up to the last time of a `Date`. The longest life ends well below 2^53. */
export const isTime = value => typeof value === 'number' && value >= 0 && value <= 8.64e15

/** Whether `value` is a `Uint8Array`, be it of another realm, as in tests and frames. */
export function isOctets(value) {
  return ArrayBuffer.isView(value) && value[Symbol.toStringTag] === 'Uint8Array'
}

/** Whether `value` is a `WebAssembly.Module`, be it of another realm, as on the edge of Vercel and Next.js. */
export function isModule(value) {
  return value?.[Symbol.toStringTag] === 'WebAssembly.Module'
}

/** Whether this is a worker of Cloudflare. */
export const isCloudflare = () => globalThis.navigator?.userAgent === 'Cloudflare-Workers'

/** A copy of 32 octets given as `Uint8Array` or as base64url text. */
export function octets32(value, what) {
  const bad = () => new WaxsealError('bad_root_key', `${what} must be 32 octets: a Uint8Array, or base64url text of 43 characters`)
  if (typeof value === 'string') {
    if (!/^[\w-]{43}$/.test(value)) throw bad()
    return Uint8Array.from(atob(value.replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0))
  }
  // `length` is 0 for a detached buffer.
  if (!isOctets(value) || value.length !== 32) throw bad()
  return new Uint8Array(value)
}

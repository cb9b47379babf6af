// Base64 of texts and octets.

const utf8 = new TextEncoder()

/** The text's UTF-8, in base64. */
export const base64 = text => btoa(String.fromCharCode(...utf8.encode(text)))

/** The octets of unpadded base64url; throws when it is none. */
export function fromBase64url(text) {
  if (!/^[\w-]*$/.test(text)) throw new TypeError('not base64url')
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), character => character.codePointAt(0))
}

// Base64 of texts.

const utf8 = new TextEncoder()

/** The text's UTF-8, in base64. */
export const base64 = text => btoa(Array.from(utf8.encode(text), octet => String.fromCharCode(octet)).join(''))

/** The text in base64 of either alphabet; throws when there is none. */
export const fromBase64 = text => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), character => character.codePointAt(0)))

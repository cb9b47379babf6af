// A request as a line for a shell.

import { base64, fromBase64 } from './base64.js'

/** Every value stands in the line as it is sent, quoted for a POSIX shell by `word`. `user` is for curl to sign in, and to ask for the
 * password. */
export function curl({ method, path, headers, body, user }, word = quoted) {
  const { href } = new URL(location.origin + path)
  // Brackets and braces would be patterns to curl.
  const words = [`curl -${/[[\]{}]/.test(href) ? 'g' : ''}i`]
  if (user) words.push(`-u ${word(user)}`)
  if (method === 'HEAD') words.push('--head')
  else if (method !== (body ? 'POST' : 'GET')) words.push(`-X ${method}`)
  for (const [name, value] of headers) {
    const basic = name === 'authorization' && value.match(/^Basic ([a-z\d+/=]+)$/i)
    const credentials = basic ? decoded(basic[1]) : ''
    // `-u` only where curl would make the same value of it. An empty value is written with a semicolon.
    words.push(/^[^\0]*:[^\0]*$/.test(credentials) && base64(credentials) === basic[1] ? `-u ${word(credentials)}` : `-H ${word(canonical(name) + (value ? `: ${value}` : ';'))}`)
  }
  if (body) {
    // Left to itself, curl calls every body a form.
    if (!headers.some(([name]) => name === 'content-type')) words.push('-H Content-Type:')
    words.push(`--data-raw ${word(body)}`)
  }
  words.push(word(href))
  return words.join(' \\\n  ')
}

/** One word for a POSIX shell. */
export function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

const canonical = name => name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase())

function decoded(text) {
  try {
    return fromBase64(text)
  } catch {
    return undefined
  }
}

// A request as a line for a shell.

/** Every value stands in the line as it is sent, quoted for a POSIX shell. */
export function curl({ method, path, headers, body }) {
  const words = ['curl -i']
  if (method === 'HEAD') words.push('--head')
  else if (method !== (body ? 'POST' : 'GET')) words.push(`-X ${method}`)
  for (const [name, value] of headers) {
    const basic = name === 'authorization' && value.match(/^Basic (.*)$/i)
    const credentials = basic && decoded(basic[1])
    words.push(credentials ? `-u ${quoted(credentials)}` : `-H ${quoted(`${canonical(name)}: ${value}`)}`)
  }
  if (body) words.push(`-d ${quoted(body)}`)
  words.push(quoted(new URL(path, location.origin).href))
  return words.join(' \\\n  ')
}

/** One word for a POSIX shell. */
export function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

const canonical = name => name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase())

function decoded(text) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(text), character => character.codePointAt(0)))
  } catch {
    return undefined
  }
}

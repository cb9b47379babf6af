// The shell line of a draft that has not been sent: what will be filled in stands as a variable.

import { curl } from '../../curl.js'

/** A curl line. Passwords do not stand in it: curl asks for them. */
export function previewed({ method, path, as, raw, headers, type, body }) {
  const variables = text => text.replaceAll(/\{\{([\w.]+)\}\}/g, (_, name) => `$${name.toUpperCase().replaceAll('.', '_')}`)
  const [way, name] = as.split(':')
  const all = [
    ...(way === 'token' ? [['authorization', 'Bearer $TOKEN']] : way === 'raw' && raw ? [['authorization', variables(raw)]] : []),
    ...headers.map(([header, value]) => [header, variables(value)]),
  ]
  const media = { json: 'application/json', form: 'application/x-www-form-urlencoded' }[type]
  if (body && media && !headers.some(([header]) => header.toLowerCase() === 'content-type')) all.push(['content-type', media])
  const user = way === 'password' || way === 'wrong' ? ` \\\n  -u ${name}` : way === 'unknown' ? ' \\\n  -u nobody-here' : ''
  const line = curl({ method, path: variables(path), headers: all, body: variables(body) }).replace('curl -i', `curl -i${user}`)
  return doubled(line)
}

/** Single quotes around a variable become double ones, so that the shell fills it in. */
const doubled = line => line.replaceAll(/'([^']*\$[A-Z_]+[^']*)'/g, (_, text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`)


// The server this page came from: requests, how they went, and the same as a curl line.

/** What the caller shows to the server: nothing, a token, or a name and a password. */
export const nobody = { kind: 'none' }
export const bearer = token => ({ kind: 'bearer', token })
export const basic = (name, password) => ({ kind: 'basic', name, password })

/** Called with every exchange once it is over. */
export const exchanges = new EventTarget()

/**
 * Sends one request. `secrets` are words that the record of the exchange shows as placeholders.
 * Cookies stay at home, and so does the browser's own password dialog.
 */
export async function send({ method, path, as = nobody, body, secrets = {} }) {
  const headers = new Headers()
  if (as.kind === 'bearer') headers.set('authorization', `Bearer ${as.token}`)
  if (as.kind === 'basic') headers.set('authorization', `Basic ${base64(`${as.name}:${as.password}`)}`)
  if (body) headers.set('content-type', 'application/json')
  const begun = performance.now()
  const exchange = { method, path, curl: curl({ method, path, as, body, secrets }), status: 0, text: '', headers: [] }
  try {
    const response = await fetch(path, { method, headers, body: body || undefined, credentials: 'omit', cache: 'no-store', redirect: 'manual' })
    exchange.status = response.status
    exchange.headers = [...response.headers]
    exchange.text = await response.text()
  } catch {
    exchange.status = 0
  }
  exchange.took = performance.now() - begun
  exchange.ok = exchange.status >= 200 && exchange.status < 300
  exchange.header = name => exchange.headers.find(([known]) => known === name)?.[1]
  exchange.json = parsed(exchange.text)
  exchanges.dispatchEvent(new CustomEvent('exchange', { detail: exchange }))
  return exchange
}

/** The request as a line for a shell. Passwords and tokens stand as what a person fills in: curl asks for the password itself. */
export function curl({ method, path, as = nobody, body, secrets = {} }) {
  const words = ['curl']
  if (method !== 'GET') words.push('-X', method)
  if (as.kind === 'basic') words.push('-u', quoted(as.name || 'NAME'))
  if (as.kind === 'bearer') words.push('-H', '"Authorization: Bearer $TOKEN"')
  if (body) words.push('-H', quoted('Content-Type: application/json'), '-d', quoted(withPlaceholders(body, secrets)))
  words.push(quoted(location.origin + path))
  return words.join(' ')
}

/** Why a request was refused, in a sentence for a person; `{ says, detail }`. */
export function excuse(exchange) {
  const { status, json } = exchange
  const detail = [status || '', json?.error_code ?? ''].filter(Boolean).join(' · ')
  const wait = Number(exchange.header('retry-after'))
  const pause = wait > 0 ? `Try again in ${wait} ${wait === 1 ? 'second' : 'seconds'}.` : 'Try again in a moment.'
  if (status === 0) return { says: 'The server did not answer. Is it still running?', detail: '' }
  if (json?.error_code === 'password_expired') return { says: 'This password has expired. Replace it to sign in again.', detail }
  if (status === 401) return { says: 'Not recognised: the name, the password or the token is wrong, or no longer good.', detail }
  if (status === 403) return { says: 'You are known, but you may not do this.', detail }
  if (status === 404) return { says: 'There is nothing at this address. Perhaps the dialect is switched off.', detail }
  if (status === 429 || status === 503) return { says: `The server asks for patience. ${pause}`, detail }
  if (known[json?.error_code]) return { says: known[json.error_code], detail }
  return { says: json?.description ?? json?.message ?? 'The server refused this.', detail }
}

const known = {
  password_not_complex: 'This password does not meet the rules for passwords.',
  new_password_same_as_current: 'This password is in your list already.',
  cannot_delete_last_password: 'This is your only password. Add another before you remove it.',
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}

/** One word for a POSIX shell. */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function withPlaceholders(body, secrets) {
  return Object.entries(secrets).reduce((text, [name, secret]) => (secret ? text.replaceAll(JSON.stringify(secret), JSON.stringify(name)) : text), body)
}

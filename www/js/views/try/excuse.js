// Why a request was refused, in a sentence for a person.

import { header } from '../../exchange.js'

const known = {
  __proto__: null,
  password_expired: 'The password is right, but too old. Replace it to sign in again.',
  new_password_same_as_current: 'This password is in the list already.',
  cannot_delete_last_password: 'This is the only password. Add another one before it goes.',
}

/** A sentence, or `undefined` when there is nothing to excuse. */
export function excuse(exchange) {
  const { status, json } = exchange
  const own = json?.description ?? json?.message ?? json?.error_description ?? json?.messages?.[0]?.text ?? json?.error?.reason
  const sentence = typeof own === 'string' && own && `${own[0].toUpperCase()}${own.slice(1)}${/[.;!?]$/.test(own) ? '' : '.'}`
  if (status === 0) {
    const [what, then] = exchange.engine === 'tab' ? ['engine in this tab', 'Reload the page to start it again.'] : ['server', 'Is it still running?']
    return `The ${what} did not answer: ${exchange.failure ?? 'it leads elsewhere'}. ${then}`
  }
  if (status < 400) return undefined
  if (known[json?.error_code]) return known[json.error_code]
  if (status === 429 || status === 503) {
    const wait = Number(header(exchange, 'retry-after'))
    return `The server asks for patience: try again ${wait > 0 ? `in ${wait} s` : 'in a moment'}.`
  }
  if (sentence) return sentence
  if (status === 401) return 'Nobody is recognised: the name, password or token is wrong, or no longer valid.'
  if (status === 403) return 'You are known, but may not do this.'
  if (status === 404) return json ? 'There is no such thing.' : 'There is nothing at this address; perhaps the dialect is switched off.'
  return undefined
}

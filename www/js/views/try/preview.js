// The shell line of a draft that has not been sent: what will be filled in stands as a variable.

import { curl, quoted } from '../../curl.js'
import { carried } from '../../exchange.js'

/** A curl line. Passwords do not stand in it: curl asks for them. */
export function previewed(draft) {
  const { path, as, raw } = draft
  if (path[0] !== '/') return ''
  const [way, name] = as.split(/:(.*)/s)
  const value = way === 'token' ? 'Bearer {{token}}' : way === 'raw' && raw
  // A name with a colon would end there, and the rest be the password.
  const user = way === 'unknown' ? 'nobody-here' : way !== 'token' && name && (name.includes(':') ? `${name}:{{password}}` : name)
  return curl({ ...carried(draft, value), user }, word)
}

/** Whatever is no variable is quoted, so that a shell makes nothing else of it. */
const word = text => text.split(/((?:\{\{|%7B%7B)[\w.]+(?:\}\}|%7D%7D))/).map((piece, at) => (at % 2 ? variable(piece.replaceAll(/[{}]|%7[BD]/g, '')) : piece && quoted(piece))).join('')

/** Two names are a shell's own. */
const variable = name => `"$${name.toUpperCase().replaceAll('.', '_').replace(/^(UID|RANDOM)$/, 'MY_$1')}"`

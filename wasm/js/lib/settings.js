// Settings as the engine takes them: as JSON that shows all of them.

import { demand } from './check.js'
import { WaxsealError } from './errors.js'

/** The JSON of the settings of a caller. Throws for what JSON would leave out, or show as something else. */
export function jsonOf(settings) {
  demand(typeof settings === 'object' && settings !== null && !settings[Symbol.iterator], 'bad_settings', '`settings` is an object of names')
  let json
  let isWhole = true
  try {
    json = JSON.stringify(settings, (name, value) => {
      // The engine would take any other list for a group of settings, in their order.
      isWhole &&= isShown(value) && (name === 'introspection_roles' || !Array.isArray(value))
      // In the server's configuration, an empty text says that there is none.
      return value === '' && (name === 'audience' || name === 'public_url') ? null : value
    })
  } catch (cause) {
    throw new WaxsealError('bad_settings', 'the settings have no JSON form', { cause })
  }
  demand(json, 'bad_settings', 'the settings have no JSON form')
  demand(isWhole, 'bad_settings', 'the settings are plain objects, which inherit nothing, texts, finite numbers, and one list')
  // JSON writes an escape for a lone surrogate; it is refused, so that none reaches the engine as something else.
  demand(!/[^\\](\\\\)*\\ud/.test(json), 'bad_settings', 'a string in the settings has a lone surrogate')
  return json
}

/** Whether JSON shows all of a value. It does not for an object that inherits something, a symbol, or a number that is not finite. */
function isShown(value) {
  if (typeof value === 'symbol' || (typeof value === 'number' && !Number.isFinite(value))) return false
  if (Object(value) !== value || Array.isArray(value)) return true
  const parent = Object.getPrototypeOf(value)
  // Told by a member that only `Object.prototype` has, as that of another realm is as good.
  return parent === null || Object.hasOwn(parent, 'isPrototypeOf')
}

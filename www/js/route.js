// Which view is shown, by the address: `#/try/redis/authorize` is the view `try` with the rest `['redis', 'authorize']`.

/** The parts of the address; the first is the view's name. */
export function here() {
  const parts = location.hash.startsWith('#/') ? location.hash.slice(2).split('/').filter(Boolean) : []
  try {
    return parts.map(decodeURIComponent)
  } catch {
    return []
  }
}

/** The address of a view. */
export const to = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`

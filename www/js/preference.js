// Choices that outlive the tab: which theme, which engine. Nothing else is kept by the page itself.

/** One of `all`, the first until another is chosen. Where the browser keeps nothing, the choice lasts as long as the page. */
export function preference(name, all) {
  const key = `waxseal.${name}`
  let value = read(key)
  if (!all.includes(value)) value = all[0]
  return {
    all,
    get value() {
      return value
    },
    set value(chosen) {
      value = chosen
      try {
        localStorage.setItem(key, chosen)
      } catch {
        // Storage is refused: see above.
      }
    },
  }
}

function read(key) {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

/** `make`, called at the first need and again only after it has failed. */
export function once(make) {
  let made
  return () => (made ??= Promise.resolve().then(make).catch(error => {
    made = undefined
    throw error
  }))
}

// Making and finding elements. Texts are always texts: nothing here reads HTML.

/**
 * `h('button.primary', { type: 'button', onclick: send }, 'Send')`. Attributes by their names; `on…` adds a listener; `undefined`,
 * `null` and `false` leave an attribute or a child out; arrays of children are laid flat.
 */
export function h(selector, ...rest) {
  return build(document.createElement(tagOf(selector)), selector, rest)
}

/** The same for SVG. */
export function svg(selector, ...rest) {
  return build(document.createElementNS('http://www.w3.org/2000/svg', tagOf(selector)), selector, rest)
}

/** Puts `children` in place of all that `parent` holds. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter(isThere))
  return parent
}

/** The element with this id. */
export const $ = id => document.getElementById(id)

/** Tells who cannot see it. The same text twice is said twice. */
export function announce(text) {
  const place = $('announcer')
  place.textContent = ''
  requestAnimationFrame(() => { place.textContent = text })
}

/** Has a button do one thing at a time. It keeps the focus meanwhile, which a disabled one would lose. */
export async function once(button, work) {
  if (button.ariaDisabled) return
  button.ariaDisabled = 'true'
  try {
    await work()
  } finally {
    button.ariaDisabled = null
  }
}

function build(element, selector, rest) {
  const [, ...classes] = selector.split('.')
  if (classes.length > 0) element.setAttribute('class', classes.join(' '))
  const hasAttributes = rest.length > 0 && isPlain(rest[0])
  if (hasAttributes) for (const [name, value] of Object.entries(rest[0])) attribute(element, name, value)
  element.append(...(hasAttributes ? rest.slice(1) : rest).flat(Infinity).filter(isThere))
  return element
}

function attribute(element, name, value) {
  if (!isThere(value)) return
  if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
  else if (name === 'value') element.value = value
  else if (value === true) element.setAttribute(name, '')
  else element.setAttribute(name, value)
}

const tagOf = selector => selector.split('.')[0]
const isThere = value => value !== undefined && value !== null && value !== false
const isPlain = value => Object.getPrototypeOf(Object(value)) === Object.prototype

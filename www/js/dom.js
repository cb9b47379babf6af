// Making and finding elements. Texts are always texts: nothing here reads HTML.

/**
 * `h('button.primary', { onclick: send }, 'Send')`. Attributes by their names; `on…` adds a listener; `undefined`,
 * `null` and `false` leave an attribute or a child out; arrays of children are laid flat.
 */
export function h(selector, ...rest) {
  return build(document.createElement(tagOf(selector)), selector, rest)
}

/** The same for SVG. */
export function svg(selector, ...rest) {
  return build(document.createElementNS('http://www.w3.org/2000/svg', tagOf(selector)), selector, rest)
}

/** Calls `work` with the next frame, once, however often it is asked to. */
export function soon(work) {
  let due
  return () => {
    due ??= requestAnimationFrame(() => {
      due = undefined
      work()
    })
  }
}

/** A card under a heading; what stands beside the heading comes behind it in `head`. */
export function card(name, head, ...children) {
  const [title, ...beside] = [head].flat()
  const id = `${name}-title`
  const heading = h('h2', { id }, title)
  return h(`section.card.${name}`, { 'aria-labelledby': id, tabindex: -1 }, beside.length > 0 ? h('div.card-head', heading, beside) : heading, children)
}

/** For a field whose text is not of any human language. */
export const asTyped = { autocapitalize: 'none', autocomplete: 'off', spellcheck: 'false' }

/** Puts `children` in place of all that `parent` holds. The focus, if it was in there, goes to the element that now is called the
 * same, by its id, its label or its text, else to what is around it. */
export function fill(parent, ...children) {
  const { activeElement: held } = document
  const isHeld = parent !== held && parent.contains(held)
  parent.replaceChildren(...children.flat(Infinity).filter(isThere))
  if (!isHeld) return
  const named = one => one.id || one.ariaLabel || one.textContent
  const next = [...parent.querySelectorAll(held.tagName)].find(one => one.checkVisibility() && named(one) === named(held)) ?? parent.closest('[tabindex="-1"]')
  next?.focus({ preventScroll: true })
}

/** The element with this id. */
export const $ = id => document.getElementById(id)

/** Tells those who cannot see it. The same text twice is announced twice. */
export function announce(text) {
  const place = $('announcer')
  place.textContent = ''
  requestAnimationFrame(() => { place.textContent = text })
}

/** Thrown when something cannot be done for want of something; the message is for people. */
export class Missing extends Error {}

/** Has a button do one thing at a time. It keeps the focus meanwhile, which a disabled one would lose. `missed` is told what is missing, or
 * what has failed. */
export async function once(button, work, missed) {
  if (button.ariaDisabled) return
  button.ariaDisabled = 'true'
  try {
    await work()
  } catch (error) {
    missed?.(error.message)
    if (!(error instanceof Missing)) throw error
  } finally {
    button.ariaDisabled = null
  }
}

/** Has a button say what it will do, and do it when it is pressed again. A double click is one press, and so is a key held down. */
export function twice(button, warning, work) {
  const was = [...button.childNodes]
  let timer
  const rest = () => {
    timer = clearTimeout(timer)
    button.replaceChildren(...was)
  }
  button.onkeydown = event => { if (event.repeat) event.preventDefault() }
  button.onclick = ({ detail }) => {
    if (detail > 1) return
    if (timer) {
      rest()
      work()
    } else {
      button.textContent = warning
      // The longer text may have moved it below.
      button.scrollIntoView({ block: 'nearest' })
      announce(warning)
      timer = setTimeout(rest, 6000)
    }
  }
  return button
}

function build(element, selector, rest) {
  // One that sends a form says so.
  if (element.type === 'submit') element.type = 'button'
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
  else element.setAttribute(name, value === true ? '' : value)
}

const tagOf = selector => selector.split('.')[0]
const isThere = value => value !== undefined && value !== null && value !== false
const isPlain = value => isThere(value) && Object.getPrototypeOf(value) === Object.prototype

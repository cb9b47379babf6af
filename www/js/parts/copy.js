// A button that copies a text.

import { announce, h } from '../dom.js'

/** `text` is asked when the button is pressed. */
export function copyButton(text, label = 'Copy', what = 'the text') {
  const button = h('button.small', { type: 'button', 'aria-label': `${label} ${what}`, onclick: copy }, label)
  async function copy() {
    try {
      await navigator.clipboard.writeText(text())
      button.textContent = 'Copied'
      announce('Copied')
    } catch {
      button.textContent = 'Not allowed here'
      announce('The browser does not allow copying here')
    }
    setTimeout(() => { button.textContent = label }, 1500)
  }
  return button
}

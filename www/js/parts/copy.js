// A button that copies a text, and lines for a shell.

import { announce, h } from '../dom.js'

/** `text` is asked when the button is pressed. */
export function copyButton(text, label = 'Copy', what = 'the text') {
  const button = h('button.small', { 'aria-label': `${label} ${what}`, onclick: copy }, label)
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

/** A line for a shell, behind a summary, with what there is to say of it. */
export const shellLine = (summary, pre, what, note) => h('details', h('summary', summary), h('div.with-button', pre, copyButton(() => pre.textContent, 'Copy', what)), note)

/** Of a line for the engine in the tab. */
export const ELSEWHERE = 'In a shell this goes to the live server, which knows nobody of this tab.'

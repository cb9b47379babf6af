// Dark, light, or as the system has it.

import { $, announce } from './dom.js'
import { preference } from './preference.js'

const chosen = preference('theme', ['system', 'light', 'dark'])
const words = { system: 'as the system', light: 'light', dark: 'dark' }

/** Applies the choice of last time and lets the button go through the three. */
export function startTheme() {
  const button = $('theme')
  const show = () => {
    document.documentElement.dataset.theme = chosen.value
    button.title = button.ariaLabel = `Theme: ${words[chosen.value]}`
  }
  button.addEventListener('click', () => {
    chosen.value = chosen.all[(chosen.all.indexOf(chosen.value) + 1) % chosen.all.length]
    show()
    announce(button.title)
  })
  show()
}

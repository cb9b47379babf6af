// Starts the page: theme, engine, the view that the address names.

import './audit.js'
import { $, announce, fill, h } from './dom.js'
import { engine, signals } from './engines/current.js'
import { start as startTab } from './engines/tab.js'
import { here } from './route.js'
import { startTheme } from './theme.js'
import * as tryView from './views/try.js'
import { whereBar } from './where.js'

const views = {
  try: async () => tryView,
  token: () => import('./views/token.js'),
  passwords: () => import('./views/passwords.js'),
  time: () => import('./views/time.js'),
  observe: () => import('./views/observe.js'),
}
const isView = name => Object.hasOwn(views, name ?? '')
const built = new Map()
let showing

startTheme()
fill($('where'), whereBar())
startEngines()
addEventListener('hashchange', show)
$('skip').addEventListener('click', event => {
  event.preventDefault()
  $('main').focus()
})
// One after the other, so that none waits for the next: the frame in the markup, the view, the engine. A request that is sent before
// the engine is there waits for it.
painted().then(show).finally(startTab)

/** Resolves when what stands in the markup has been painted, or soon where nothing is painted, as in the background. */
function painted() {
  return new Promise(resolve => {
    if (document.hidden) return resolve()
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, 100)
  })
}

/** Shows the view of the address; the first time it is built. */
async function show() {
  const [wanted, ...rest] = here()
  const name = isView(wanted) ? wanted : 'try'
  showing = name
  for (const link of document.querySelectorAll('.views a')) link.ariaCurrent = link.hash === `#/${name}` ? 'page' : null
  if (!built.has(name)) {
    const { build, title } = await load(name)
    // Somebody may have been quicker.
    if (!built.has(name)) built.set(name, { title, ...build() })
  }
  if (showing !== name) return
  const view = built.get(name)
  const isNew = !$('main').contains(view.element)
  if (isNew) {
    for (const [other, { element, leave }] of built) if (other !== name && $('main').contains(element)) leave?.()
    fill($('main'), h('h1.unseen', view.title), view.element)
  }
  document.title = `${view.title} · Waxseal`
  await view.show?.(isView(wanted) ? rest : [])
  if (isNew && document.documentElement.dataset.started) {
    announce(view.title)
    scrollTo(0, 0)
  }
  if (!document.documentElement.dataset.started) performance.mark('usable')
  document.documentElement.dataset.started = 'yes'
}

/**
 * The module of a view. A server of another version no longer has it, but names its own in the markup: so the page is loaded anew where
 * the markup can be had, once for each entry of the browser's history.
 */
async function load(name) {
  try {
    return await views[name]()
  } catch {
    if (!history.state && (await fetch('index.html').catch(() => ({}))).ok) {
      history.replaceState(1, '')
      location.reload()
      await new Promise(() => {})
    }
    const element = h('p.notice.bad', 'This view could not be loaded. Come back to it, or reload the page.')
    return { title: 'Not loaded', build: () => ({ element, leave: () => built.delete(name) }) }
  }
}

function startEngines() {
  const radios = [...document.querySelectorAll('#engines input')]
  const mark = () => { for (const radio of radios) radio.checked = radio.value === engine.kind }
  for (const radio of radios) radio.addEventListener('change', () => engine.use(radio.value))
  signals.addEventListener('change', () => {
    mark()
    announce(engine.isTab ? 'The engine in this tab answers now' : 'The live server answers now')
  })
  mark()
}

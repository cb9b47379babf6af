// The server, the browsers, and what no page may do.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { pipeline } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import puppeteer from 'puppeteer-core'
import { plainlyServed } from '../js/programs.mjs'

export const ADMIN = { name: 'admin', password: 'Grey-Heron 27 lantern' }
/** The header by which somebody signs in. */
export const basic = ({ name, password } = ADMIN) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** A server of its own, with the clock free to move: `{ url, port, stop }`. */
export const startServer = (...args) => startPlainServer('--testing', ...args)

/** One whose clock cannot be moved. */
export async function startPlainServer(...args) {
  const variables = { WAXSEAL_ADMIN_NAME: ADMIN.name, WAXSEAL_ADMIN_PASSWORD: ADMIN.password }
  const { url, port, stop } = await plainlyServed(args, variables, { quiet: !process.env.WAXSEAL_LOG })
  // At once: in good order it would wait for what a browser keeps open.
  return { url, port, stop: () => stop('SIGKILL') }
}

/**
 * A server between the page and the real one: `{ url, stop }`. `asked(incoming, response, pass)` is told of each request, and lets it
 * through with `pass`, at once or later, or does something else with it; `answered(incoming, answer)` is told of what comes back.
 */
export async function proxy(server, { asked = (incoming, response, pass) => pass(), answered } = {}) {
  const listener = createServer((incoming, response) => asked(incoming, response, () => {
    const { method, url: path, headers } = incoming
    incoming.pipe(request({ host: '127.0.0.1', port: server.port, method, path, headers }, answer => {
      answered?.(incoming, answer)
      response.writeHead(answer.statusCode, answer.rawHeaders)
      pipeline(answer, response, () => {})
    }).on('error', () => response.destroy()))
  }))
  await new Promise(resolve => { listener.listen(0, '127.0.0.1', resolve) })
  return {
    url: `http://127.0.0.1:${listener.address().port}`,
    async stop() {
      const closed = new Promise(resolve => { listener.close(resolve) })
      listener.closeAllConnections()
      await closed
    },
  }
}

const PLACES = {
  chrome: [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  firefox: [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'],
}

export function launch(browser = 'chrome', options = {}) {
  const executablePath = PLACES[browser].find(place => place && existsSync(place))
  assert.ok(executablePath, `${browser} is not installed`)
  return puppeteer.launch({
    browser,
    executablePath,
    headless: true,
    // What still moves is missed by a click.
    args: browser === 'chrome' ? ['--no-sandbox', '--disable-dev-shm-usage', '--force-prefers-reduced-motion'] : [],
    extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 },
    timeout: 120_000,
    protocolTimeout: 120_000,
    ...options,
  })
}

/** A page that remembers what it must not do; `verify` fails when it did. */
export async function openPage(context, url, { path = '/', ready = true } = {}) {
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  pollByTime(page)
  await page.evaluateOnNewDocument(moduleOf, EXPORTS)
  const wrong = []
  page.on('request', request => {
    const { protocol, origin } = new URL(request.url())
    if (/^(http|ws)s?:/.test(protocol) && origin !== url) wrong.push(`asks ${origin}`)
  })
  page.on('console', message => {
    if (message.type() !== 'error' && !/Content.Security.Policy/i.test(message.text())) return
    // An answer above 399 is listed by the browser itself, as is a server that is gone, and what does not hold on an insecure address.
    if (/Failed to load resource|NetworkError|the server responded|Opener-Policy header has been ignored/.test(message.text())) return
    wrong.push(`console: ${message.text()}`)
  })
  page.on('pageerror', error => wrong.push(`error: ${error.message}`))
  page.verify = () => assert.deepEqual(wrong, [])
  await page.goto(`${url}${path}`)
  if (ready) await engineReady(page)
  return page
}

const WWW = new URL('../../www/', import.meta.url)
/** What each module of the page exports, in order. */
const EXPORTS = Object.fromEntries(readdirSync(new URL('js/', WWW), { recursive: true }).filter(path => path.endsWith('.js')).map(path => {
  const found = readFileSync(new URL(`js/${path}`, WWW), 'utf8').matchAll(/^export (?:async )?(?:const|function|class) (\w+)/gm)
  return [`js/${path}`, [...found].map(([, name]) => name)]
}))

/** Lets the page's own modules be had in it, as far as other files need them: `await moduleOf('js/exchange.js')`. */
function moduleOf(exports) {
  globalThis.moduleOf = async path => {
    const all = await import(document.querySelector('script[type=module]').src)
    const names = exports[path]
    const root = Object.values(all).find(module => Object.keys(module).join() === names.join())
    return root ?? Object.fromEntries(names.map(name => [name, all[name]]))
  }
}

/** A page in the background paints nothing, so what is waited for is looked at by the clock. */
function pollByTime(page) {
  const { waitForFunction } = page
  page.waitForFunction = (holds, options = {}, ...args) => waitForFunction.call(page, holds, { polling: 30, ...options }, ...args)
}

/** Waits for the engine in the tab. */
export const engineReady = page => waitForText(page, '.where', 'The engine runs in this tab')

/** Waits until the service worker has kept every file, of which this is the last. */
export const allKept = page => page.waitForFunction(async () => (await caches.open('waxseal-page')).match('/files.json'))

/** Waits until the first element of `selector` holds `text`. */
export async function waitForText(page, selector, text) {
  try {
    await page.waitForFunction((where, what) => document.querySelector(where)?.textContent.includes(what), { timeout: 30_000 }, selector, text)
  } catch (error) {
    const found = await page.$$eval(selector, all => all.map(element => element.textContent)).catch(() => [])
    throw new Error(`\`${selector}\` does not say \`${text}\` but ${JSON.stringify(found)}`, { cause: error })
  }
}

export const textOf = (page, selector) => page.$eval(selector, element => element.textContent)

/** Clicks the first visible button, link or summary that has exactly this text. */
export async function press(page, name, within = 'body') {
  // What is drawn anew between looking and clicking is looked for again.
  for (let tries = 1; ; tries += 1) {
    try {
      return await pressOnce(page, name, within)
    } catch (error) {
      if (tries === 5 || !/not clickable|detached/.test(error.message)) throw error
    }
  }
}

/** Presses the case or scene of this name, whether it is in sight or not. Says whether it can be pressed. */
export const pressCase = (page, name) => page.evaluate(wanted => {
  const button = [...document.querySelectorAll('.case')].find(one => one.querySelector(':scope > span:last-of-type').firstChild.textContent === wanted)
  if (!button) throw new Error(`no case is called \`${wanted}\``)
  button.click()
  return !button.disabled
}, name)

async function pressOnce(page, name, within) {
  const handle = await page.waitForFunction((text, where) => {
    const all = [...document.querySelector(where)?.querySelectorAll('button, a, summary, label') ?? []]
    return all.find(element => !element.disabled && !element.ariaDisabled && element.checkVisibility() && (element.textContent.trim() === text || element.getAttribute('aria-label') === text))
  }, {}, name, within)
  await handle.evaluate(element => element.scrollIntoView({ block: 'center', behavior: 'instant' }))
  await handle.evaluate(restOf)
  await handle.click()
  await handle.dispose()
}

/** Waits until an element has stood still for a few frames: on a busy machine a click may otherwise come where it was. */
function restOf(element) {
  return new Promise(done => {
    let [last, still] = ['', 0]
    const look = () => {
      const { x, y } = element.getBoundingClientRect()
      still = `${x} ${y}` === last ? still + 1 : 0
      last = `${x} ${y}`
      if (still < 3) requestAnimationFrame(look)
      else done()
    }
    look()
  })
}

/** Shows a view by its link. */
export async function view(page, name) {
  const shown = wanted => document.title.startsWith(wanted) && document.querySelector('main > div')
  // An answer that comes scrolls the page; a click that went astray is made again, as anybody would.
  for (let tries = 1; ; tries += 1) {
    await press(page, name, '.views')
    try {
      await page.waitForFunction(shown, { timeout: tries === 4 ? 30_000 : 4000 }, name)
      return
    } catch (error) {
      if (tries === 4) throw error
    }
  }
}

/** Types into a field in place of what is there. */
export async function type(page, selector, text) {
  await page.waitForSelector(selector, { visible: true })
  await page.$eval(selector, (element, value) => {
    element.focus()
    element.value = ''
    element.dispatchEvent(new Event('input', { bubbles: true }))
  })
  await page.type(selector, text)
}

/** Sends what stands in the editor and waits for the status of the answer. */
export async function sendRequest(page) {
  await press(page, 'Send', '.editor')
  return answered(page)
}

/** The status that has come in the answer card. */
export async function answered(page) {
  const status = await page.waitForFunction(() => {
    const button = document.querySelector('.editor button.primary')
    if (button.ariaDisabled) return undefined
    return document.querySelector('.answer-head .status')?.textContent ?? document.querySelector('.editor .notice.bad:not([hidden])')?.textContent
  }, { timeout: 60_000 })
  return status.jsonValue()
}

export async function signIn(page, { name, password }) {
  await press(page, 'Live server', '#engines')
  await page.waitForSelector('.sign-in', { visible: true })
  await type(page, '#sign-in-name', name)
  await type(page, '#sign-in-password', password)
  await press(page, 'Sign in', '.where')
}

/** The status that a server answers to who signs in. */
export async function statusOf(url, who) {
  return (await fetch(`${url}/v1/users/authorize`, { method: 'POST', headers: { authorization: basic(who) } })).status
}

export async function until(holds, message, patience = 30_000) {
  const end = Date.now() + patience
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(message)
    await pause(50)
  }
}

export { pause }

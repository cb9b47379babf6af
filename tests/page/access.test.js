// That the page can be used by everybody: axe on every view in both themes, keys, narrow screens.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { ADMIN, launch, openPage, pause, press, sendRequest, signIn, startServer, textOf, type, view, waitForText } from './harness.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }
const VIEWS = ['Try', 'Token', 'Passwords', 'Time', 'Observe']
let server
let browser
let page

before(async () => {
  server = await startServer()
  browser = await launch()
  page = await openPage(browser, server.url)
  // Something to see in each view.
  await sendRequest(page)
  await page.evaluate(() => { document.querySelector('.case').click() })
  await page.waitForFunction(() => document.querySelectorAll('.history li').length === 2)
  // The page scrolls to the answer when it comes, which is no moment to click elsewhere.
  await page.waitForFunction(() => document.querySelector('.answer-head .status')?.textContent.startsWith('4'))
  for (const summary of await page.$$('.bench details > summary')) await summary.evaluate(element => element.click())
  await view(page, 'Token')
  await press(page, 'A token of 5 minutes')
  await waitForText(page, '.verdict', 'Accepted')
  await view(page, 'Passwords')
  await press(page, 'Let both sign in')
  await waitForText(page, '.programs', 'signs in')
  await waitForText(page, '.policies', 'nist')
  await type(page, '#fresh', 'Marble-Thimble-Road-77')
  await press(page, 'Add')
  await press(page, 'Remove Marble-Thimble-Road-77')
  await page.waitForSelector('.key.is-refused')
  await view(page, 'Time')
  await page.evaluate(() => { document.querySelector('.case').click() })
  await waitForText(page, '.notice.good', 'running')
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

for (const theme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const name of VIEWS) {
      test(`axe finds nothing in ${name}, ${theme}, ${size}`, async () => {
        await page.setViewport(viewport)
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' }])
        await view(page, name)
        await audit(page)
      })
    }
  }
}

for (const theme of ['light', 'dark']) {
  test(`axe finds nothing with the live server, ${theme}`, async () => {
    await page.setViewport(SIZES.wide)
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' }])
    await view(page, 'Try')
    await press(page, 'Live server', '#engines')
    await page.waitForSelector('.sign-in', { visible: true })
    await audit(page)
    await signIn(page, ADMIN)
    await waitForText(page, '.people', 'admin')
    for (const name of VIEWS) {
      await view(page, name)
      await audit(page)
    }
    await press(page, 'Sign out')
    await press(page, 'This tab', '#engines')
  })
}

test('nothing scrolls sideways, down to 320 pixels', async () => {
  for (const width of [320, 390, 768, 1024, 1920]) {
    await page.setViewport({ width, height: 800 })
    for (const name of VIEWS) {
      await view(page, name)
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      assert.ok(over <= 0, `${name} is ${over} pixels too wide at ${width}`)
    }
  }
})

test('a long name is broken, and the page no wider for it', async () => {
  const context = await browser.createBrowserContext()
  const guest = await openPage(context, server.url)
  await guest.setViewport({ width: 320, height: 800 })
  const name = 'x'.repeat(120)
  await guest.evaluate(async person => {
    const { engine } = await moduleOf('js/engines/current.js')
    const { send } = await moduleOf('js/exchange.js')
    await send({ method: 'POST', path: '/v1/users', as: 'password:admin', type: 'json', body: JSON.stringify(person) })
    await engine.remember(person)
  }, { name, email: `${name}@example.com`, password: 'Quiet-Harbour-Lamp-42', role: 'db_viewer' })
  for (const shown of VIEWS) {
    await view(guest, shown)
    if (shown === 'Passwords') {
      await guest.select('#whose', name)
      await waitForText(guest, '.rotation', name)
    }
    if (shown === 'Time') await waitForText(guest, '.watch', name)
    const over = await guest.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.ok(over <= 0, `${shown} is ${over} pixels too wide`)
  }
  guest.verify()
  await context.close()
})

test('everything is reached and done with keys alone', async () => {
  await page.setViewport(SIZES.wide)
  await page.goto(server.url)
  await waitForText(page, '.where', 'runs in this tab')
  const focus = () => page.evaluate(() => document.activeElement.textContent.trim().slice(0, 30) || document.activeElement.id)
  await page.keyboard.press('Tab')
  assert.equal(await focus(), 'Skip to the view')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main')
  // To the search field, from there to the second route.
  await tabTo(page, 'input[type=search]')
  await page.keyboard.type('introspect')
  await tabTo(page, '.catalogue a:not([hidden])')
  await page.keyboard.press('Enter')
  await waitForText(page, '#docs-title', 'What does it say?')
  await tabTo(page, '#body')
  await page.keyboard.down('Control')
  await page.keyboard.press('Enter')
  await page.keyboard.up('Control')
  await waitForText(page, '.answer-head .status', '200')
  await page.focus('.brand')
  await tabTo(page, '.views a[href="#/time"]')
  await page.keyboard.press('Enter')
  await waitForText(page, '#clock-title', 'clock')
  await page.focus('.brand')
  await tabTo(page, '#engines input:checked')
  await page.keyboard.press('ArrowRight')
  await page.waitForSelector('.sign-in', { visible: true })
  await page.keyboard.press('ArrowLeft')
  await waitForText(page, '.where', 'runs in this tab')
  page.verify()
})

test('what has the focus can be seen', async () => {
  await page.setViewport(SIZES.wide)
  await page.goto(server.url)
  await waitForText(page, '.where', 'runs in this tab')
  const unseen = []
  let stops = 0
  for (let presses = 0; presses < 200; presses += 1) {
    await page.keyboard.press('Tab')
    const found = await page.evaluate(() => {
      const element = document.activeElement
      if (element === document.body) return 'end'
      const marked = element.type === 'radio' ? element.nextElementSibling : element
      const { outlineStyle, outlineWidth } = getComputedStyle(marked)
      return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 ? '' : element.outerHTML.slice(0, 80)
    })
    if (found === 'end') break
    stops += 1
    if (found) unseen.push(found)
  }
  // There are 96: the routes, the fields of the request, its failures. Fewer are not the whole page.
  assert.ok(stops > 90 && stops < 200, `the Tab key stops ${stops} times`)
  assert.deepEqual(unseen, [])
})

test('the focus stays where somebody works', async () => {
  const focus = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.tagName)
  await page.setViewport(SIZES.wide)
  await page.goto(server.url)
  await waitForText(page, '.where', 'runs in this tab')
  await page.focus('.editor button.primary')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.answer-head')
  assert.equal(await focus(), 'Send')
  await view(page, 'Passwords')
  await press(page, 'Let both sign in')
  for (const next of ['Add the new one', 'Move the mail robot', 'Move the nightly job', 'Remove the old one', 'From the start']) {
    await page.waitForFunction(wanted => document.activeElement.textContent === wanted && !document.activeElement.ariaDisabled, {}, next)
    await page.keyboard.press('Enter')
  }
  await page.waitForFunction(() => document.activeElement.textContent === 'Let both sign in')
  await type(page, '#fresh', 'Marble-Thimble-Road-43')
  await press(page, 'Add')
  await waitForText(page, '.keys', 'Marble-Thimble-Road-43')
  await page.focus('button[aria-label="Remove Marble-Thimble-Road-43"]')
  await page.keyboard.press('Enter')
  await waitForText(page, '.notice.good', 'Removed')
  assert.equal(await page.evaluate(() => document.activeElement.className), 'keys')
  // What goes away hands the focus on.
  await view(page, 'Try')
  const enter = async selector => { await page.focus(selector); await page.keyboard.press('Enter') }
  await type(page, '#body', '{}')
  await enter('.editor .row .small')
  assert.equal(await focus(), 'Send')
  await page.focus('.case')
  const before = await focus()
  await page.evaluate(async () => (await moduleOf('js/engines/current.js')).signals.dispatchEvent(new Event('people')))
  assert.equal(await focus(), before)
  await enter('.past .card-head button')
  assert.match(await page.evaluate(() => document.activeElement.className), /past/)
  await sendRequest(page)
  await enter('.answer .action')
  await waitForText(page, '#opened-title', 'A signed token')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main')
  await view(page, 'Try')
  await page.setViewport(SIZES.phone)
  await press(page, 'All requests')
  await enter('.catalogue a[href="#/try/redis/roles"]')
  await waitForText(page, '#announcer', 'All roles')
  assert.equal(await focus(), 'All requests')
  await signIn(page, ADMIN)
  await waitForText(page, '.people', 'admin')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'where')
  await enter('.people .small')
  await waitForText(page, '#announcer', 'Signed out')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'where')
  await press(page, 'This tab', '#engines')
  page.verify()
})

test('what policies say is read out when it is something else', async () => {
  await view(page, 'Passwords')
  await type(page, '#judged', 'short')
  await waitForText(page, '.policies', 'fewer than 8')
  const changes = await page.evaluate(async () => {
    const { engine, signals } = await moduleOf('js/engines/current.js')
    let seen = 0
    new MutationObserver(all => { seen += all.length }).observe(document.querySelector('.policies'), { childList: true, subtree: true, characterData: true })
    signals.dispatchEvent(new Event('people'))
    for (let times = 0; times < 3; times += 1) await engine.own('POST', '/tab/judge', { password: 'x' })
    return seen
  })
  assert.equal(changes, 0)
  await type(page, '#judged', 'Quiet-Harbour-Lamp-42')
  await waitForText(page, '.policies', 'nist takes it')
  page.verify()
})

/** How often what stands below `selector` is changed, while `work` is done in the page. */
const changes = (page, selector, work) => page.evaluate(async (where, does) => {
  let seen = 0
  const observer = new MutationObserver(all => { seen += all.length })
  for (const element of document.querySelectorAll(where)) observer.observe(element, { childList: true, subtree: true, characterData: true })
  const { signals } = await moduleOf('js/engines/current.js')
  for (const type of does) signals.dispatchEvent(new CustomEvent(type, { detail: [] }))
  await new Promise(done => { setTimeout(done, 2200) })
  observer.disconnect()
  return seen
}, selector, work)

test('what is said already is not read out again, nor said twice', async () => {
  await view(page, 'Time')
  await waitForText(page, '.clock .quiet', 'As on this device.')
  assert.equal(await changes(page, '.clock .quiet', []), 0)
  await view(page, 'Token')
  await press(page, 'A token of 5 minutes')
  await waitForText(page, '.verdict', 'Accepted')
  // What the button itself has done is over.
  await pause(1000)
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector('.claims-list dd')))
  await page.evaluate(() => { document.querySelector('.verdict p').dataset.same = 'yes' })
  assert.equal(await changes(page, '.verdict, .claims-list bdi', ['events']), 0)
  assert.ok(await page.$('.verdict [data-same]'))
  assert.notEqual(await page.evaluate(() => getSelection().toString()), '')
  await view(page, 'Passwords')
  // A rotation that has begun is begun anew.
  await page.evaluate(() => [...document.querySelectorAll('.rotation button')].at(-1).click())
  await waitForText(page, '.programs', 'has not signed in yet')
  assert.equal(await changes(page, '.programs, .steps + p', ['people']), 0)
  await press(page, 'Try each')
  await waitForText(page, '.list .notice', 'signed in.')
  await pause(300)
  assert.doesNotMatch(await textOf(page, '#announcer'), /signed in/)
  page.verify()
})

test('the focus stays on a token in the list when its time is over', async () => {
  await view(page, 'Token')
  await press(page, 'of 10 seconds')
  await waitForText(page, '.life', 'of 10 s.')
  await page.focus('.pick-one')
  await waitForText(page, '.pick-one', '· expired')
  assert.equal(await page.evaluate(() => document.activeElement.className), 'pick-one')
  page.verify()
})

test('what asks to be pressed again stays in sight', async () => {
  await page.setViewport(SIZES.phone)
  await view(page, 'Passwords')
  const button = await page.evaluateHandle(() => [...document.querySelectorAll('.list button')].find(({ textContent }) => textContent === 'Replace all'))
  // At the lower edge, where the longer text has no room.
  await button.evaluate(element => { element.focus({ preventScroll: true }); scrollBy({ top: element.getBoundingClientRect().bottom - innerHeight + 2, behavior: 'instant' }) })
  await page.keyboard.press('Enter')
  assert.match(await button.evaluate(element => element.textContent), /^Press again/)
  // Pages are scrolled by whole pixels.
  await page.waitForFunction(element => Math.floor(element.getBoundingClientRect().bottom) <= innerHeight, { timeout: 5000 }, button)
  page.verify()
})

test('a timeline can be read on a narrow screen', async () => {
  await page.setViewport({ width: 320, height: 800 })
  await view(page, 'Token')
  await press(page, 'A token of 5 minutes')
  await page.waitForSelector('.timeline')
  // At once, as it is drawn anew each second.
  assert.ok(await page.evaluate(() => document.querySelector('.timeline').getBoundingClientRect().width) >= 500)
  await page.focus('.timeline-box')
  await pause(1500)
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Timeline')
})

test('all links of the navigation can be seen on a narrow screen', async () => {
  await page.setViewport({ width: 320, height: 800 })
  const cut = await page.$$eval('.views a', all => all.filter(link => link.getBoundingClientRect().right > link.parentElement.getBoundingClientRect().right + 1 || link.getBoundingClientRect().right > innerWidth).map(link => link.textContent))
  assert.deepEqual(cut, [])
})

test('what an event was about is there in full', async () => {
  await page.setViewport(SIZES.wide)
  await view(page, 'Observe')
  await page.waitForSelector('td.subject')
  assert.deepEqual(await page.$$eval('td.subject', all => all.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)), [])
})

test('what is chosen can be seen in forced colours', async () => {
  const session = await page.createCDPSession()
  await session.send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }] })
  const ground = selector => page.$eval(selector, element => getComputedStyle(element).backgroundColor)
  assert.notEqual(await ground('#engines input:checked + span'), await ground('#engines input:not(:checked) + span'))
  assert.notEqual(await ground('.views a[aria-current]'), await ground('.views a:not([aria-current])'))
  // Also where the page's own theme is the other one.
  await view(page, 'Token')
  await press(page, 'A token of 5 minutes')
  await page.waitForSelector('.timeline text')
  for (const theme of ['light', 'dark']) {
    await page.evaluate(wanted => { document.documentElement.dataset.theme = wanted }, theme)
    const [label, text] = await page.evaluate(() => [getComputedStyle(document.querySelector('.timeline text')).fill, getComputedStyle(document.body).color])
    assert.equal(label, text, theme)
  }
  await session.send('Emulation.setEmulatedMedia', { features: [] })
  await session.detach()
})

async function tabTo(subject, selector) {
  for (let presses = 0; presses < 150; presses += 1) {
    await subject.keyboard.press('Tab')
    if (await subject.evaluate(wanted => document.activeElement.matches(wanted) && document.activeElement.checkVisibility(), selector)) return
  }
  assert.fail(`the Tab key does not reach ${selector}`)
}

async function audit(subject) {
  // Not by a script element, which the policy of the page forbids.
  await subject.evaluate(AXE)
  const found = await subject.evaluate(tags => window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), TAGS)
  const all = found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`)
  assert.deepEqual(all, [])
}

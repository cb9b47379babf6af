// What is left of a live server after "Sign out", and what one engine learns of the other when it was switched.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ADMIN, basic, engineReady, launch, openPage, pause, press, proxy, sendRequest, signIn, startServer, statusOf, type, until, view, waitForText } from './harness.js'

const EVE = { name: 'eve', password: 'Quiet-Harbour-Lamp-42' }
let server
let between
let browser

before(async () => {
  server = await startServer()
  between = await holding()
  browser = await launch()
  const headers = { authorization: basic(), 'content-type': 'application/json' }
  const body = JSON.stringify({ ...EVE, email: 'eve@example.com', role: 'db_viewer' })
  assert.equal((await fetch(`${server.url}/v1/users`, { method: 'POST', headers, body })).status, 200)
})
after(async () => {
  await browser?.close()
  await between?.stop()
  await server?.stop()
})

/** A page of somebody who was never here. */
async function opened() {
  between.hold = () => false
  const context = await browser.createBrowserContext()
  return openPage(context, between.url)
}

async function signedIn(page, who) {
  await signIn(page, who)
  await waitForText(page, '.people', who.name)
}

async function signOut(page) {
  await press(page, 'Sign out')
  await page.waitForSelector('.sign-in', { visible: true })
}

/** Whether something can be found in the page: in texts, fields and tips. */
const holds = (page, text) => page.evaluate(wanted => {
  const fields = [...document.querySelectorAll('input, textarea')].map(({ value }) => value)
  return [document.body.innerHTML, ...fields].some(found => found.includes(wanted))
}, text)

/** Presses the button of the rotation, hidden or not. */
const advance = page => page.evaluate(() => document.querySelector('.rotation button.primary').click())
const done = page => page.$$eval('.rotation .is-done', all => all.length)
const step = async (page, name) => {
  await press(page, name, '.rotation')
  await page.waitForFunction(() => !document.querySelector('.rotation button[aria-disabled]'))
}

test('signed out, nobody’s passwords are left in the view of them, nor do they sign in', async () => {
  const page = await opened()
  await signedIn(page, EVE)
  await view(page, 'Passwords')
  const fresh = await page.$eval('.rotation p code', element => element.textContent)
  await type(page, '#fresh', 'Marble-Thimble-Road-41')
  await press(page, 'Add')
  await waitForText(page, '.list .notice.good', 'Added')
  assert.equal(await page.$eval('#fresh', element => element.value), 'Marble-Thimble-Road-41')
  await signOut(page)
  for (const secret of [EVE.password, 'Marble-Thimble-Road-41', fresh]) assert.equal(await holds(page, secret), false, secret)
  assert.equal(await page.$eval('.rotation', element => element.hidden), true)
  const before = between.seen.length
  await advance(page)
  await pause(300)
  assert.deepEqual(between.seen.slice(before), [])
  // Nor has the next one anything of it.
  await signedIn(page, ADMIN)
  assert.equal(await holds(page, 'Marble-Thimble-Road-41'), false)
  assert.equal(await page.$eval('.rotation', element => element.hidden), false)
  assert.equal(await page.$$eval('.key', all => all.length), 1)
  page.verify()
  await page.close()
})

test('a rotation that is under way ends with “Sign out”', async () => {
  const page = await opened()
  await signedIn(page, EVE)
  await view(page, 'Passwords')
  between.hold = path => path === '/v1/users/authorize'
  const before = between.seen.length
  await advance(page)
  await until(() => between.seen.length > before, 'nothing is asked')
  await signOut(page)
  between.hold = () => false
  between.release()
  await pause(1000)
  assert.equal(between.seen.length, before + 1)
  page.verify()
  await page.close()
})

test('what the engine in the tab knows is not tried at the live server', async () => {
  const page = await opened()
  await view(page, 'Passwords')
  await page.select('#whose', 'admin')
  await step(page, 'Let both sign in')
  await step(page, 'Add the new one')
  const secret = await page.$eval('.key code', element => element.textContent)
  await press(page, 'Live server', '#engines')
  assert.equal(await page.$eval('.rotation', element => element.hidden), true)
  assert.equal(await holds(page, secret), false)
  const before = between.seen.length
  for (let times = 0; times < 5; times += 1) await advance(page)
  await pause(300)
  assert.deepEqual(between.seen.slice(before), [])
  // Whoever has the same name there begins a new rotation.
  await signedIn(page, ADMIN)
  assert.equal(await done(page), 0)
  await step(page, 'Let both sign in')
  await waitForText(page, '.rotation .notice', 'Both programs sign in.')
  assert.equal(await statusOf(server.url, ADMIN), 200)
  page.verify()
  await page.close()
})

test('passwords that are being tried are not tried at the other engine', async () => {
  const page = await opened()
  await signedIn(page, EVE)
  await view(page, 'Passwords')
  await type(page, '#fresh', 'Copper-Saddle-Road-52')
  await press(page, 'Add')
  await waitForText(page, '.list .notice.good', 'Added')
  between.hold = path => path === '/v1/users/authorize'
  const before = between.seen.length
  await press(page, 'Try each')
  await until(() => between.seen.length > before, 'nothing is asked')
  await press(page, 'This tab', '#engines')
  await pause(1000)
  const asked = await page.evaluate(async () => (await moduleOf('js/exchanges.js')).exchanges.entries.filter(({ engine }) => engine === 'tab').length)
  assert.equal(asked, 0)
  page.verify()
  await page.close()
})

test('what comes of trying one user’s passwords is not said of another', async () => {
  const page = await opened()
  await signedIn(page, EVE)
  await press(page, 'Sign in as somebody else too')
  await signedIn(page, ADMIN)
  await view(page, 'Passwords')
  await page.select('#whose', EVE.name)
  between.hold = path => path === '/v1/users/authorize'
  const before = between.seen.length
  await press(page, 'Try each')
  await until(() => between.seen.length > before, 'nothing is asked')
  await page.select('#whose', ADMIN.name)
  between.hold = () => false
  between.release()
  await page.waitForFunction(() => !document.querySelector('.list [aria-disabled]'))
  assert.equal(await page.$eval('.list .notice', element => element.hidden), true)
  page.verify()
  await page.close()
})

test('who switches while he signs in leaves no password in the engine in the tab', async () => {
  const page = await opened()
  between.hold = path => path.startsWith('/v1/users/') && path !== '/v1/users/authorize'
  const before = between.seen.length
  await signIn(page, EVE)
  await until(() => between.seen.length > before + 1, 'nobody asks who that is')
  await press(page, 'This tab', '#engines')
  await engineReady(page)
  await pause(300)
  assert.equal(await holds(page, EVE.password), false)
  const kept = await page.evaluate(async () => JSON.stringify((await moduleOf('js/engines/tab.js')).state.people))
  assert.equal(kept.includes(EVE.password), false)
  await page.reload()
  await engineReady(page)
  assert.deepEqual(await page.$$eval('.person strong', all => all.map(element => element.textContent)), ['admin', 'ada', 'ben'])
  assert.equal(await sendRequest(page), '200 OK')
  page.verify()
  await page.close()
})

test('an engine that was told somebody of a live server starts all the same, and forgets him', async () => {
  const page = await opened()
  await page.evaluate(async () => {
    const { engine } = await moduleOf('js/engines/current.js')
    await engine.own('PUT', '/tab/people', { person: { name: 'eve', password: 'kept by mistake' } })
  })
  await page.reload()
  await engineReady(page)
  assert.deepEqual(await page.$$eval('.person strong', all => all.map(element => element.textContent)), ['admin', 'ada', 'ben'])
  const kept = await page.evaluate(() => new Promise(resolve => {
    const opening = indexedDB.open('waxseal-page')
    opening.onsuccess = () => {
      const reading = opening.result.transaction('notes').objectStore('notes').get('state')
      reading.onsuccess = () => resolve(JSON.stringify(reading.result))
    }
  }))
  assert.equal(kept.includes('kept by mistake'), false)
  page.verify()
  await page.close()
})

test('an answer that comes after “Sign out” is nobody’s', async () => {
  const page = await opened()
  await signedIn(page, EVE)
  between.hold = path => path === '/v1/users/authorize'
  const before = between.seen.length
  await press(page, 'Send', '.editor')
  await until(() => between.seen.length > before, 'nothing is asked')
  await signOut(page)
  between.release()
  await waitForText(page, '.editor .notice', 'You have signed out meanwhile.')
  await waitForText(page, '.answer-body', 'Nothing sent yet')
  const kept = await page.evaluate(async () => {
    const { exchanges } = await moduleOf('js/exchanges.js')
    const { pocket } = await moduleOf('js/pocket.js')
    return [exchanges.entries.length, pocket.tokens.length]
  })
  assert.deepEqual(kept, [0, 0])
  assert.equal(await holds(page, 'eyJ'), false)
  page.verify()
  await page.close()
})

test('signed out, nothing is left of what was typed into a request', async () => {
  const page = await opened()
  await signedIn(page, EVE)
  await page.select('#as', 'raw')
  await type(page, '#raw', 'Basic bm90IGEgc2VjcmV0')
  await type(page, '#body', '{"new_password": "Typed-Secret-77"}')
  await signOut(page)
  for (const secret of ['bm90IGEgc2VjcmV0', 'Typed-Secret-77']) assert.equal(await holds(page, secret), false, secret)
  page.verify()
  await page.close()
})

test('signed out, a token whose link was opened elsewhere is not shown', async () => {
  const page = await opened()
  await signedIn(page, EVE)
  assert.equal(await sendRequest(page), '200 OK')
  // As Ctrl and a click do in this tab.
  await page.$eval('.answer a.action', link => link.addEventListener('click', event => event.preventDefault()))
  await press(page, 'Open the token')
  const chosen = () => page.evaluate(async () => (await moduleOf('js/pocket.js')).pocket.chosen ?? '')
  assert.match(await chosen(), /^eyJ/)
  await signOut(page)
  assert.equal(await chosen(), '')
  await view(page, 'Token')
  assert.equal(await holds(page, 'eyJ'), false)
  page.verify()
  await page.close()
})

test('signed out or switched, the view of the time shows nobody any more, however late the server answers', async () => {
  const page = await opened()
  const silent = path => path === '/testing/clock' || path === '/v1/users'
  const watched = () => page.$eval('.watch', ({ textContent }) => textContent)
  await view(page, 'Time')
  await waitForText(page, '.watch', 'ben')
  await view(page, 'Try')
  between.hold = silent
  await press(page, 'Live server', '#engines')
  await view(page, 'Time')
  assert.doesNotMatch(await watched(), /ben/)
  await view(page, 'Try')
  between.hold = () => false
  between.release()
  await signedIn(page, ADMIN)
  await view(page, 'Time')
  await waitForText(page, '.watch', EVE.name)
  assert.match(await watched(), /access …/)
  await view(page, 'Try')
  await signOut(page)
  between.hold = silent
  await view(page, 'Time')
  assert.doesNotMatch(await watched(), /eve|access …/)
  between.hold = path => path === '/v1/users'
  between.release()
  await signedIn(page, ADMIN)
  await until(() => between.seen.at(-1) === 'GET /v1/users', 'nobody asks who may sign in')
  await view(page, 'Try')
  await signOut(page)
  between.hold = silent
  await pause(300)
  await view(page, 'Time')
  assert.doesNotMatch(await watched(), /does not tell|eve|access …/)
  page.verify()
  await page.close()
})

/** The server behind another one that lets some requests wait: `{ url, seen, hold, release, stop }`. */
async function holding() {
  const held = []
  const own = { seen: [], hold: () => false, release: () => held.splice(0).forEach(pass => pass()) }
  return Object.assign(own, await proxy(server, {
    asked({ method, url }, response, pass) {
      if (url.startsWith('/v1')) own.seen.push(`${method} ${url}`)
      if (own.hold(url)) held.push(pass)
      else pass()
    },
  }))
}

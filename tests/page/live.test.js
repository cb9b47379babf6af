// What the page does to the people of a live server, and keeps for them: passwords that were replaced elsewhere, a server that is silent.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { ADMIN, basic, engineReady, launch, openPage, pause, press, proxy, signIn, startServer, statusOf, textOf, type, view, waitForText } from './harness.js'

const EVE = { name: 'eve', password: 'Quiet-Harbour-Lamp-42' }
const NEXT = { ...ADMIN, password: 'Brown-Heron 28 lantern' }
let server
let between
let browser

before(async () => {
  server = await startServer()
  between = await breaking()
  browser = await launch()
  assert.equal(await asked('POST', '/v1/users', { ...EVE, email: 'eve@example.com', role: 'db_viewer' }), 200)
})
beforeEach(() => { between.broken = () => false })
after(async () => {
  await browser?.close()
  await between?.stop()
  await server?.stop()
})

/** What an administrator does without the page. */
async function asked(method, path, body, who = ADMIN) {
  return (await fetch(`${server.url}${path}`, { method, headers: { authorization: basic(who), 'content-type': 'application/json' }, body: JSON.stringify(body) })).status
}

/** A page on which these have signed in. */
async function signedIn(...all) {
  const context = await browser.createBrowserContext()
  const page = await openPage(context, between.url)
  for (const [at, who] of all.entries()) {
    if (at > 0) await press(page, 'Sign in as somebody else too')
    await signIn(page, who)
    await page.waitForFunction(count => document.querySelectorAll('.person').length === count, {}, at + 1)
  }
  return page
}

const states = page => page.$$eval('.key', all => all.map(element => element.className.replace('key is-', '')))

test('an administrator whose password was replaced elsewhere is not locked out by looking at the clock', async () => {
  const page = await signedIn(ADMIN)
  assert.equal(await asked('PUT', '/v1/users/password', { username: ADMIN.name, old_password: ADMIN.password, new_password: NEXT.password }), 200)
  await view(page, 'Time')
  await waitForText(page, '.watch', 'The password known here for admin no longer signs in.')
  const before = between.seen.length
  for (let times = 0; times < 6; times += 1) {
    await view(page, 'Try')
    await view(page, 'Time')
    await pause(200)
  }
  assert.deepEqual(between.seen.slice(before), [])
  assert.equal(await statusOf(server.url, NEXT), 200)
  // Who signs in with the new one is told again.
  await press(page, 'Sign in as somebody else too')
  await signIn(page, NEXT)
  await waitForText(page, '.watch', 'eve')
  assert.doesNotMatch(await textOf(page, '.watch'), /no longer signs in/)
  assert.equal(await asked('PUT', '/v1/users/password', { username: ADMIN.name, old_password: NEXT.password, new_password: ADMIN.password }, NEXT), 200)
  page.verify()
  await page.close()
})

test('a key that is held down presses nothing twice', async () => {
  const page = await signedIn(EVE)
  await view(page, 'Passwords')
  await page.evaluate(() => [...document.querySelectorAll('.list button')].find(button => button.textContent === 'Replace all').focus())
  for (let times = 0; times < 5; times += 1) {
    await page.keyboard.down('Enter')
    await pause(40)
  }
  await page.keyboard.up('Enter')
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Press again/)
  assert.equal(await statusOf(server.url, EVE), 200)
  page.verify()
  await page.close()
})

test('who replaces a password under the e-mail address goes on with the new one', async () => {
  const page = await signedIn(EVE)
  const fresh = 'Thimble-Marble-Road-85'
  const known = await page.evaluate(async body => {
    const { send } = await moduleOf('js/exchange.js')
    await send({ method: 'PUT', path: '/v1/users/password', as: 'none', type: 'json', body })
    return (await moduleOf('js/engines/current.js')).engine.people[0].password
  }, JSON.stringify({ username: 'eve@example.com', old_password: EVE.password, new_password: fresh }))
  assert.equal(known, fresh)
  assert.equal(await asked('PUT', '/v1/users/password', { username: EVE.name, old_password: fresh, new_password: EVE.password }), 200)
  page.verify()
  await page.close()
})

test('what the page itself has changed of somebody, it knows', async () => {
  assert.equal(await asked('POST', '/v1/users', { name: 'fay', password: 'Quiet-Harbour-Lamp-43', email: 'fay@example.com', role: 'db_viewer' }), 200)
  const live = await signedIn(ADMIN, EVE, { name: 'fay', password: 'Quiet-Harbour-Lamp-43' })
  const tab = await openPage(await browser.createBrowserContext(), between.url)
  const change = (page, method, path, body, as = '@admin') => page.evaluate(async (...[verb, url, text, who]) => {
    const { send } = await moduleOf('js/exchange.js')
    return (await send({ method: verb, path: url, as: `password:${who}`, type: 'json', body: text })).status
  }, method, path, JSON.stringify(body), as)
  const known = async page => (await page.evaluate(async () => (await moduleOf('js/engines/current.js')).engine.people)).map(({ name, role, email }) => [name, role, email].join())
  const uid = await live.evaluate(async () => (await moduleOf('js/engines/current.js')).engine.people[1].uid)
  for (const [page, number, name, gone] of [[live, uid, 'eve', 'fay'], [tab, 2, 'ada', 'ben']]) {
    await page.bringToFront()
    assert.equal(await change(page, 'PUT', `/v1/users/${number}`, { role: 'user_manager', email: 'rosalind@example.net' }), 200)
    await waitForText(page, '.people', `${name} user_manager`)
    assert.equal((await known(page))[1], `${name},user_manager,rosalind@example.net`)
    assert.equal(await change(page, 'PUT', `/_security/user/${name}`, { roles: ['custom', 'cluster_viewer'], email: 'else@example.net' }), 200)
    assert.equal((await known(page))[1], `${name},cluster_viewer,else@example.net`)
    assert.equal(await change(page, 'PUT', `/v1/users/${number}`, { name: 'other' }, name), 200)
    assert.equal((await known(page))[1], 'other,cluster_viewer,else@example.net')
    assert.equal(await change(page, 'DELETE', `/_security/user/${gone}`), 200)
    assert.equal(await change(page, 'DELETE', `/v1/users/${number}`), 200)
    await page.waitForFunction(() => document.querySelectorAll('.person').length === 1)
    assert.equal((await known(page)).length, 1)
    page.verify()
  }
  await tab.reload()
  await engineReady(tab)
  assert.equal((await known(tab)).length, 1)
  await tab.close()
  await live.close()
  assert.equal(await asked('POST', '/v1/users', { ...EVE, email: 'eve@example.com', role: 'db_viewer' }), 200)
})

test('a server that answers otherwise is said to', async () => {
  const page = await openPage(await browser.createBrowserContext(), between.url)
  /** Has the live server answer with this. */
  const answering = status => page.evaluate(wanted => {
    globalThis.before ??= globalThis.fetch
    globalThis.fetch = (url, init) => (/\/(v1|metrics)/.test(url) ? Promise.resolve(new Response('', { status: wanted })) : globalThis.before(url, init))
  }, status)
  await answering(404)
  await signIn(page, ADMIN)
  await waitForText(page, '.sign-in .notice', 'Signing in here takes the Redis dialect.')
  await view(page, 'Observe')
  await waitForText(page, '.server', 'only to its own machine')
  await answering(503)
  await waitForText(page, '.server', 'The server answered 503.')
  await answering(403)
  await waitForText(page, '.server', 'only to its own machine')
  page.verify()
  await page.close()
})

test('what goes on by itself can be paused', async () => {
  const page = await signedIn(EVE)
  await view(page, 'Observe')
  await waitForText(page, '.server', 'since it was started')
  const changes = () => page.evaluate(async () => {
    let seen = 0
    const observer = new MutationObserver(all => { seen += all.length })
    for (const element of document.querySelectorAll('.server, .own')) observer.observe(element, { childList: true, subtree: true })
    await new Promise(done => { setTimeout(done, 4500) })
    observer.disconnect()
    return seen
  })
  assert.notEqual(await changes(), 0)
  await press(page, 'Pause')
  await pause(500)
  assert.equal(await changes(), 0)
  await view(page, 'Try')
  await view(page, 'Observe')
  await waitForText(page, '.server', 'since it was started')
  await press(page, 'Go on')
  assert.notEqual(await changes(), 0)
  page.verify()
  await page.close()
})

test('what is half typed into the form is there when others change, and gone when somebody has signed in', async () => {
  const page = await signedIn(EVE)
  await press(page, 'Sign in as somebody else too')
  await type(page, '#sign-in-name', ADMIN.name)
  await type(page, '#sign-in-password', ADMIN.password)
  await page.evaluate(async () => (await moduleOf('js/engines/current.js')).signals.dispatchEvent(new Event('people')))
  assert.equal(await page.evaluate(() => document.activeElement.id), 'sign-in-password')
  assert.equal(await page.$eval('#sign-in-password', element => element.value), ADMIN.password)
  await press(page, 'Sign in', '.where')
  await page.waitForFunction(() => document.querySelectorAll('.person').length === 2)
  // Also when it is somebody who was known already.
  for (let times = 0; times < 2; times += 1) {
    assert.equal(await page.$eval('#sign-in-password', element => element.value), '')
    assert.equal(await page.$eval('.where details', element => element.open), false)
    await press(page, 'Sign in as somebody else too')
    await signIn(page, EVE)
    await page.waitForFunction(() => !document.querySelector('.where details').open)
  }
  await press(page, 'Sign in as somebody else too')
  await type(page, '#sign-in-password', 'half')
  await press(page, 'This tab', '#engines')
  await press(page, 'Live server', '#engines')
  assert.equal(await page.$eval('#sign-in-password', element => element.value), '')
  page.verify()
  await page.close()
})

test('a server that does not answer has refused no password, and none is forgotten', async () => {
  const page = await signedIn(EVE)
  await view(page, 'Passwords')
  await type(page, '#fresh', 'Marble-Thimble-Road-41')
  await press(page, 'Add')
  await waitForText(page, '.list .notice.good', 'Added')
  between.broken = path => path === '/v1/users/authorize'
  await press(page, 'Try each')
  await waitForText(page, '.list .notice.bad', 'The server did not answer')
  assert.deepEqual(await states(page), ['unknown', 'works'])
  await press(page, 'Let both sign in', '.rotation')
  await waitForText(page, '.rotation .notice.bad', 'The server did not answer')
  assert.equal(await page.$$eval('.rotation .is-done', all => all.length), 0)
  between.broken = () => false
  await press(page, 'Let both sign in', '.rotation')
  await waitForText(page, '.rotation .notice.good', 'Both programs sign in.')
  // What was done is not done again because nobody knows who signs in.
  between.broken = path => path === '/v1/users/authorize'
  await press(page, 'Add the new one', '.rotation')
  await waitForText(page, '.rotation .notice.bad', 'The server did not answer')
  between.broken = () => false
  await press(page, 'Add the new one', '.rotation')
  await waitForText(page, '.rotation .notice.good', 'Both programs sign in.')
  await press(page, 'Try each')
  await waitForText(page, '.list .notice.good', '3 of 3 passwords signed in')
  page.verify()
  await page.close()
})

test('nobody is said to be locked out by a server that does not answer', async () => {
  const page = await signedIn(ADMIN)
  await view(page, 'Time')
  between.broken = path => path === '/v1/users/authorize'
  await press(page, 'Lock somebody outFive wrong passwords. Then move the clock.')
  await waitForText(page, '.scenes .notice.bad', 'The server did not answer')
  await page.close()
})

test('of a user who is locked out no password is forgotten', async () => {
  const page = await signedIn(EVE)
  await view(page, 'Passwords')
  await type(page, '#fresh', 'Copper-Saddle-Road-52')
  await press(page, 'Add')
  await waitForText(page, '.list .notice.good', 'Added')
  for (let tries = 0; tries < 5; tries += 1) await statusOf(server.url, { ...EVE, password: 'wrong' })
  await press(page, 'Try each')
  await waitForText(page, '.list .notice', '0 of 2 passwords signed in')
  await pause(6500)
  assert.deepEqual(await states(page), ['refused', 'refused'])
  await page.close()
})

test('what the page knows of a list is still there after the other engine was looked at', async () => {
  const page = await signedIn(ADMIN)
  await view(page, 'Passwords')
  await type(page, '#fresh', 'Saddle-Thimble-Road-63')
  await press(page, 'Add')
  await waitForText(page, '.list .notice.good', 'Added')
  await press(page, 'This tab', '#engines')
  await page.select('#whose', 'admin')
  await page.waitForFunction(() => document.querySelectorAll('.key').length === 1)
  await press(page, 'Live server', '#engines')
  await page.waitForFunction(() => document.querySelectorAll('.key').length === 2)
  // Of the tab nothing is forgotten by signing out.
  await press(page, 'This tab', '#engines')
  await type(page, '#fresh', 'Marble-Saddle-Road-74')
  await press(page, 'Add')
  await waitForText(page, '.keys', 'Marble-Saddle-Road-74')
  await press(page, 'Live server', '#engines')
  await press(page, 'Sign out')
  await press(page, 'This tab', '#engines')
  await page.waitForFunction(() => document.querySelector('#whose').value === 'ada')
  await page.select('#whose', 'admin')
  await waitForText(page, '.keys', 'Marble-Saddle-Road-74')
  page.verify()
  await page.close()
})

test('a password that is typed and a token that is pasted are sent as they stand', async () => {
  const page = await signedIn(ADMIN)
  await view(page, 'Passwords')
  for (const [at, password] of ['Saddle-{{random}}-Road', 'Marble-{{password}}-Road', 'Lantern-{{nope}}-Road'].entries()) {
    await type(page, '#fresh', password)
    await press(page, 'Add')
    await page.waitForFunction(count => document.querySelectorAll('.key').length === count, {}, at + 2)
    assert.equal(await statusOf(server.url, { ...ADMIN, password }), 200)
  }
  await view(page, 'Token')
  const before = between.seen.length
  await type(page, '#token', '{{scratch.uid}}')
  await press(page, 'Ask the server')
  await waitForText(page, '.verdict', 'The server refuses it')
  assert.deepEqual(between.seen.slice(before), [])
  page.verify()
  await page.close()
})

/** The server behind another one that breaks off what is `broken`, and tells which requests of the API were `seen`. */
async function breaking() {
  const own = { seen: [], broken: () => false }
  return Object.assign(own, await proxy(server, {
    asked({ method, url }, response, pass) {
      if (url.startsWith('/v1')) own.seen.push(`${method} ${url}`)
      if (own.broken(url)) response.destroy()
      else pass()
    },
  }))
}

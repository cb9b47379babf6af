// What goes wrong in browsers and on the way, and what the page makes of it.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { folder } from '../js/programs.mjs'
import { ADMIN, allKept, answered, engineReady, launch, openPage, pause, press, pressCase, proxy, sendRequest, signIn, startServer, statusOf, textOf, type, view, waitForText } from './harness.js'

let server
let browser

before(async () => {
  server = await startServer()
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

/** A browser that has never been here. */
const stranger = () => browser.createBrowserContext()
const people = page => page.$$eval('.person code', all => all.map(element => element.textContent))

test('the page works offline from its first visit on', async () => {
  const context = await stranger()
  const page = await openPage(context, server.url)
  await allKept(page)
  await page.setOfflineMode(true)
  await page.reload()
  await engineReady(page)
  assert.equal(await sendRequest(page), '200 OK')
  for (const name of ['Token', 'Passwords', 'Time', 'Observe']) await view(page, name)
  await page.setOfflineMode(false)
  page.verify()
  await context.close()
})

test('nobody is asked to sign in to a server while the engine of the tab starts', async () => {
  const context = await stranger()
  const page = await context.newPage()
  await page.evaluateOnNewDocument(() => {
    globalThis.seen = []
    const look = () => {
      const text = document.querySelector('main')?.innerText ?? ''
      if (text.includes('The list') && globalThis.seen.at(-1) !== text) globalThis.seen.push(text)
      requestAnimationFrame(look)
    }
    look()
  })
  await page.goto(`${server.url}/#/passwords`)
  await engineReady(page)
  await waitForText(page, '.list', 'says the engine')
  const seen = await page.evaluate(() => globalThis.seen)
  assert.ok(seen.length > 0)
  assert.deepEqual(seen.filter(text => text.includes('Sign in')), [])
  await context.close()
})

test('it works when the server is gone for good', async () => {
  const context = await stranger()
  const mortal = await startServer()
  const page = await openPage(context, mortal.url)
  await allKept(page)
  await mortal.stop()
  // A worker that has been idle is stopped by the browser, and must find all it needs when it starts again.
  const session = await page.createCDPSession()
  await session.send('ServiceWorker.enable')
  await session.send('ServiceWorker.stopAllWorkers')
  await page.reload()
  await engineReady(page)
  assert.equal(await sendRequest(page), '200 OK')
  await press(page, 'Live server', '#engines')
  await waitForText(page, '.where', 'The live server')
  await type(page, '#sign-in-name', ADMIN.name)
  await type(page, '#sign-in-password', ADMIN.password)
  await press(page, 'Sign in', '.where')
  await waitForText(page, '.sign-in .notice', 'did not answer')
  await view(page, 'Observe')
  await waitForText(page, '#server-title + .prose', 'does not answer')
  page.verify()
  await context.close()
})

test('offline, an address shows its own file, and no other in its place', async () => {
  const context = await stranger()
  // Without the routes by which a browser takes the files from the cache by itself, as in those that have none.
  const between = await serverBetween(server, { '/sw.js': text => text.replace('addRoutes', 'noRoutes') })
  const page = await openPage(context, between.url)
  await allKept(page)
  const script = await page.evaluate(() => new URL(document.querySelector('script[type=module]').src).pathname)
  const told = async path => {
    const other = await context.newPage()
    const response = await other.goto(between.url + path).catch(() => undefined)
    const type = response && response.headers()['content-type']
    await other.close()
    return type?.split(';')[0]
  }
  assert.equal(await told(script), 'text/javascript')
  await between.stop()
  const paths = ['/', '/?from=mail', '/#/token', '/index.html', '/index.html?a#b', '/favicon.svg', script, '/page/none.js', '/none', '/v1/users', '/sw.js']
  const types = []
  for (const path of paths) types.push(await told(path))
  assert.deepEqual(types, [...Array(5).fill('text/html'), 'image/svg+xml', 'text/javascript', ...Array(4).fill(undefined)])
  await context.close()
})

test('a tab that was open while the server was replaced shows its other views', async () => {
  const context = await stranger()
  const between = await serverBetween(server)
  const [one, two] = [await openPage(context, between.url), await openPage(context, between.url)]
  await allKept(one)
  between.upgrade()
  await two.reload()
  await engineReady(two)
  await two.waitForFunction(async () => !(await (await caches.open('waxseal-page')).keys()).some(({ url }) => !/page\/f{16}/.test(url) && url.includes('/page/')))
  await one.bringToFront()
  const loads = loadsOf(one)
  await view(one, 'Time')
  await engineReady(one)
  assert.equal(loads.count, 1)
  assert.match(await one.$eval('script[type=module]', element => element.src), /\/page\/f{16}\//)
  one.verify()
  two.verify()
  await context.close()
  await between.stop()
})

test('a view that does not come is said to after one reload, and comes when it can', async () => {
  const context = await stranger()
  const between = await serverBetween(server)
  between.missing = /views\.js$/
  const page = await context.newPage()
  await page.evaluateOnNewDocument(() => { delete Navigator.prototype.serviceWorker })
  await page.goto(between.url)
  await page.waitForSelector('.catalogue a')
  const loads = loadsOf(page)
  const open = async name => {
    await press(page, name, '.views')
    await waitForText(page, 'main', 'could not be loaded')
  }
  await open('Token')
  await pause(1000)
  assert.equal(loads.count, 1)
  assert.match(await page.title(), /^Not loaded/)
  await waitForText(page, '.where', 'The engine runs in')
  await press(page, 'Try', '.views')
  await page.waitForSelector('.catalogue a')
  between.missing = undefined
  await page.reload()
  await view(page, 'Token')
  assert.equal(await page.$('main .notice.bad'), null)
  await context.close()
  await between.stop()
})

test('a tab whose server is gone keeps what it has, and says which view did not come', async () => {
  const context = await stranger()
  const between = await serverBetween(server)
  const page = await context.newPage()
  await page.evaluateOnNewDocument(() => { delete Navigator.prototype.serviceWorker })
  await page.goto(between.url)
  await page.waitForSelector('.catalogue a')
  const loads = loadsOf(page)
  await between.stop()
  await press(page, 'Token', '.views')
  await waitForText(page, 'main', 'could not be loaded')
  await press(page, 'Try', '.views')
  await page.waitForSelector('.catalogue a')
  assert.equal(loads.count, 0)
  await context.close()
})

/** How often a page is loaded from here on. */
function loadsOf(page) {
  const loads = { count: 0 }
  page.on('domcontentloaded', () => { loads.count += 1 })
  return loads
}

/**
 * A server between the page and `real`: some files are changed by `changes`, what is `missing` is not there, and after `upgrade` it is of
 * another version, which has nothing of the one before.
 */
async function serverBetween(real, changes = {}) {
  const [, folder] = /page\/([0-9a-f]{16})\//.exec(await (await fetch(`${real.url}/files.json`)).text())
  let old = false
  const self = { upgrade() { old = true } }
  const asked = async (request, response) => {
    const { pathname } = new URL(request.url, real.url)
    const isGone = old && pathname.startsWith(`/page/${folder}/`)
    const asked = old ? request.url.replace('f'.repeat(16), folder) : request.url
    const found = isGone || self.missing?.test(pathname) ? new Response(null, { status: 404 })
      : await fetch(`${real.url}${asked}`, { headers: { accept: request.headers.accept ?? '*/*', 'accept-encoding': 'identity' } })
    const headers = Object.fromEntries([...found.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'etag'].includes(name)))
    // A browser's own cache may have dropped what it was sent.
    headers['cache-control'] = 'no-store'
    let body = Buffer.from(await found.arrayBuffer())
    if (old && /html|script|json/.test(headers['content-type'])) body = body.toString().replaceAll(folder, 'f'.repeat(16))
    response.writeHead(found.status, headers)
    response.end(changes[pathname]?.(body.toString()) ?? body)
  }
  return Object.assign(self, await proxy(real, { asked }))
}

test('two tabs share one engine, at once', async () => {
  const context = await stranger()
  const [one, two] = await Promise.all([openPage(context, server.url), openPage(context, server.url)])
  assert.deepEqual(await people(one), await people(two))
  const create = (page, tab) => page.evaluate(async name => {
    const { send } = await moduleOf('js/exchange.js')
    const all = Array.from({ length: 8 }, (_, at) => send({ method: 'POST', path: '/v1/users', as: 'password:admin', type: 'json', body: JSON.stringify({ name: `${name}-${at}`, password: 'Quiet-Harbour-Lamp-42' }) }))
    return (await Promise.all(all)).map(({ status, json }) => [status, json?.uid])
  }, tab)
  const made = (await Promise.all([create(one, 'one'), create(two, 'two')])).flat()
  assert.deepEqual(made.map(([status]) => status), Array(16).fill(200))
  assert.equal(new Set(made.map(([, uid]) => uid)).size, 16)
  await one.bringToFront()
  await view(one, 'Time')
  await press(one, '+ 1 day')
  await two.bringToFront()
  await view(two, 'Time')
  await waitForText(two, '.clock', '1 day ahead')
  one.verify()
  two.verify()
  await context.close()
})

test('what a tab knows of an engine is gone when another tab begins anew, and nothing else', async () => {
  const context = await stranger()
  const [one, two] = [await openPage(context, server.url), await openPage(context, server.url)]
  await one.bringToFront()
  await signIn(one, ADMIN)
  await waitForText(one, '.people', 'admin')
  await view(one, 'Token')
  await press(one, 'A token of 5 minutes')
  await waitForText(one, '.verdict', 'Only the server knows')
  await press(one, 'This tab', '#engines')
  await press(one, 'A token of 5 minutes')
  await waitForText(one, '.verdict', 'Accepted')
  await view(one, 'Passwords')
  await press(one, 'Let both sign in')
  await press(one, 'Add the new one')
  await waitForText(one, '.steps .is-next', 'Move one')
  const before = await people(one)
  await two.bringToFront()
  await press(two, 'Begin anew')
  await Promise.all([two.waitForNavigation(), press(two, 'Press again to delete all, in every tab')])
  await engineReady(two)
  await one.bringToFront()
  await one.waitForFunction(old => document.querySelector('.person code').textContent !== old, {}, before[0])
  await waitForText(one, '.steps .is-next', 'Begin')
  assert.doesNotMatch(await textOf(one, '.rotation'), /signs in/)
  assert.equal((await one.$$('.key')).length, 1)
  await view(one, 'Time')
  await waitForText(one, '.watched', 'None yet.')
  await view(one, 'Observe')
  assert.doesNotMatch(await textOf(one, '.events'), /password\.add/)
  await view(one, 'Token')
  await waitForText(one, '.picks', 'None yet.')
  assert.equal(await one.$eval('#token', element => element.value), '')
  await press(one, 'Live server', '#engines')
  await waitForText(one, '.people', 'admin')
  await one.waitForSelector('.pick-one')
  one.verify()
  two.verify()
  await context.close()
})

test('what tabs change of one engine at the same time is all kept', async () => {
  const context = await stranger()
  const [one, two] = await Promise.all([openPage(context, server.url), openPage(context, server.url)])
  const changes = (page, name, password, path, body) => page.evaluate(async (person, ...setting) => {
    const { engine } = await moduleOf('js/engines/current.js')
    await Promise.all([engine.remember(person), engine.own('PUT', ...setting)])
  }, { name, password }, path, body)
  for (let round = 1; round <= 5; round += 1) {
    const policy = round % 2 ? 'nist' : 'redis'
    await Promise.all([
      changes(one, 'ada', `ada-${round}`, '/tab/settings', { policy }),
      changes(two, 'ben', `ben-${round}`, '/testing/clock', { advance_secs: 60 }),
    ])
    const kept = await one.evaluate(async () => (await (await moduleOf('js/engines/current.js')).engine.own('GET', '/tab/state')).json)
    assert.deepEqual(kept.people.slice(1).map(({ password }) => password), [`ada-${round}`, `ben-${round}`])
    assert.deepEqual([kept.policy, kept.offset], [policy, round * 60_000])
  }
  one.verify()
  two.verify()
  await context.close()
})

test('a reload in the middle of requests loses nothing that was answered', async () => {
  const context = await stranger()
  const page = await openPage(context, server.url)
  const before = await people(page)
  for (let round = 0; round < 3; round += 1) {
    // The page itself reloads when so many are answered: by the clock it would be before the first, or after the last.
    await Promise.all([page.waitForNavigation(), page.evaluate(async at => {
      const { send } = await moduleOf('js/exchange.js')
      for (let number = 0; number < 6; number += 1) {
        send({ method: 'POST', path: '/v1/users', as: 'password:admin', type: 'json', body: JSON.stringify({ name: `cut-${at}-${number}`, password: 'Quiet-Harbour-Lamp-42' }) }).then(({ ok }) => {
          if (ok) sessionStorage.setItem(`cut-${at}-${number}`, 'made')
          if (Object.keys(sessionStorage).filter(name => name.startsWith(`cut-${at}-`)).length === at + 1) location.reload()
        })
      }
    }, round)])
    await engineReady(page)
  }
  const [told, kept] = await page.evaluate(async () => {
    const { send } = await moduleOf('js/exchange.js')
    const { json } = await send({ method: 'GET', path: '/v1/users', as: 'password:admin' })
    return [Object.keys(sessionStorage), json.map(({ name }) => name)]
  })
  assert.notDeepEqual(told, [], 'nothing was answered before a reload')
  assert.deepEqual(told.filter(name => !kept.includes(name)), [])
  assert.deepEqual(await people(page), before)
  assert.equal(await sendRequest(page), '200 OK')
  page.verify()
  await context.close()
})

test('an engine whose storage is cleared begins anew', async () => {
  const context = await stranger()
  const page = await openPage(context, server.url)
  const before = await people(page)
  const session = await page.createCDPSession()
  await session.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'indexeddb' })
  await sendRequest(page)
  await page.waitForFunction(old => document.querySelector('.person code')?.textContent !== old, {}, before[0])
  assert.equal(await sendRequest(page), '200 OK')
  page.verify()
  await context.close()
})

/** Lets what the page asks of its engine beside the API fail, until `restore` is called in the page. */
const failing = page => page.evaluate(() => {
  const { fetch } = globalThis
  globalThis.fetch = (url, init) => (/\/(tab|admin)\//.test(url) ? Promise.reject(new TypeError('the engine is gone')) : fetch(url, init))
  globalThis.restore = () => { globalThis.fetch = fetch }
})

test('an engine that fails is said to, whatever it was asked', async () => {
  const context = await stranger()
  const page = await openPage(context, server.url)
  await failing(page)
  await view(page, 'Passwords')
  await waitForText(page, '.list', '1 password known to this tab.')
  await view(page, 'Time')
  await waitForText(page, '.watch', 'Who may sign in is not known: the engine is gone.')
  await press(page, 'Begin anew')
  await press(page, 'Press again to delete all, in every tab')
  await waitForText(page, '.where .notice.bad', 'It could not begin anew: the engine is gone')
  page.verify()
  await context.close()
})

test('without WebAssembly the page says so, and the live server can be used', async () => {
  const context = await stranger()
  const page = await context.newPage()
  const wrong = []
  page.on('pageerror', error => wrong.push(error.message))
  await page.evaluateOnNewDocument(() => {
    delete globalThis.WebAssembly
    ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('not here', 'SecurityError'))
  })
  await page.goto(server.url)
  await waitForText(page, '.where', 'This browser, or its settings, has no WebAssembly.')
  assert.equal(await sendRequest(page), 'No answer')
  assert.match(await textOf(page, '.answer'), /has no WebAssembly\. Reload/)
  for (const name of ['Token', 'Passwords', 'Time', 'Observe']) await view(page, name)
  await signIn(page, ADMIN)
  await waitForText(page, '.people', 'admin')
  await view(page, 'Passwords')
  await waitForText(page, '.policies', 'which is not running')
  assert.ok(await page.$eval('.policies li', element => element.clientHeight < 60))
  await view(page, 'Try')
  assert.equal(await sendRequest(page), '200 OK')
  assert.deepEqual(wrong, [])
  await context.close()
})

test('a policy that could not be put in force is not shown as if it were', async () => {
  const context = await stranger()
  const page = await openPage(context, server.url)
  await view(page, 'Passwords')
  await failing(page)
  const chosen = () => page.$eval('.meter input:checked', element => element.value)
  await press(page, 'nist', '.meter')
  await waitForText(page, '.meter .notice.bad', 'The policy stays as it was: the engine is gone')
  assert.equal(await chosen(), 'open')
  await page.evaluate(() => globalThis.restore())
  await press(page, 'nist', '.meter')
  await page.waitForSelector('.meter .notice[hidden]')
  await page.waitForFunction(async () => (await moduleOf('js/engines/tab.js')).state.policy === 'nist')
  assert.equal(await chosen(), 'nist')
  page.verify()
  await context.close()
})

test('without a service worker the engine runs in the page, and says so', async () => {
  const context = await stranger()
  const page = await context.newPage()
  await page.evaluateOnNewDocument(() => {
    ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('not here', 'SecurityError'))
  })
  await page.goto(server.url)
  await engineReady(page)
  assert.match(await textOf(page, '.where'), /refuses a service worker/)
  assert.equal(await sendRequest(page), '200 OK')
  const before = await people(page)
  await page.reload()
  await engineReady(page)
  assert.deepEqual(await people(page), before)
  await context.close()
})

test('on an insecure address the engine runs in the page, and says so', async () => {
  const outside = await launch('chrome', { args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP wax.test 127.0.0.1'] })
  const page = await openPage(outside, `http://wax.test:${server.port}`)
  assert.equal(await page.evaluate(() => isSecureContext), false)
  assert.match(await textOf(page, '.where'), /no service workers on an insecure address/)
  assert.equal(await sendRequest(page), '200 OK')
  for (const name of ['Token', 'Passwords', 'Time', 'Observe']) await view(page, name)
  await waitForText(page, 'tbody', 'token.issue')
  const before = await people(page)
  await page.reload()
  await engineReady(page)
  assert.deepEqual(await people(page), before)
  page.verify()
  await outside.close()
})

test('where the browser keeps nothing, the engine lives as long as the page', async () => {
  const profile = folder()
  mkdirSync(join(profile, 'Default'))
  // "Block all cookies" blocks every other storage, and service workers, too.
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } }
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  const strict = await launch('chrome', { userDataDir: profile })
  const page = await strict.newPage()
  await page.goto(server.url)
  await engineReady(page)
  assert.match(await textOf(page, '.where'), /keeps nothing here/)
  assert.equal(await sendRequest(page), '200 OK')
  for (const name of ['Token', 'Passwords', 'Time', 'Observe']) await view(page, name)
  const before = await people(page)
  await page.reload()
  await engineReady(page)
  assert.notDeepEqual(await people(page), before)
  await strict.close()
})

test('a server that answers nonsense is said to', async () => {
  const answers = ['<html>nonsense', '{"access_token": 7}', '', '{"access_token": "not.a.token"}', `{"access_token": "${'x'.repeat(500_000)}"}`]
  let turn = 0
  const broken = await proxy(server, {
    asked({ url }, response, pass) {
      if (!/^\/(v1|metrics|auth)/.test(url)) return pass()
      turn += 1
      response.writeHead(turn % 3 === 0 ? 500 : 200, { 'content-type': 'application/json' })
      response.end(answers[turn % answers.length])
    },
  })
  const context = await stranger()
  const page = await openPage(context, broken.url)
  await press(page, 'Live server', '#engines')
  for (let tries = 0; tries < 6; tries += 1) {
    await page.evaluate(async () => {
      const { send } = await moduleOf('js/exchange.js')
      await send({ method: 'POST', path: '/v1/users/authorize', as: 'unknown', type: 'json', body: '{}' })
    })
  }
  await view(page, 'Token')
  await view(page, 'Observe')
  await waitForText(page, '#server-title + .prose', 'request')
  await view(page, 'Try')
  await press(page, 'Send', '.editor')
  await answered(page)
  page.verify()
  await context.close()
  await broken.stop()
})

test('ten thousand entries of history are no burden', async () => {
  const context = await stranger()
  const page = await openPage(context, server.url)
  await page.evaluate(async () => {
    const { exchanges } = await moduleOf('js/exchanges.js')
    for (let id = 0; id < 10_050; id += 1) {
      exchanges.add({ id, at: Date.now(), engine: 'tab', why: '', method: 'GET', path: `/v1/users/${id}`, status: 200, headers: [], text: '{"a": 1}', took: 1, ok: true, curl: 'curl' })
    }
  })
  await waitForText(page, '.past .card-head', '10,000 requests')
  assert.ok((await page.$$('.history li')).length <= 50)
  const took = await page.evaluate(async () => {
    const begun = performance.now()
    for (let letters = 0; letters < 20; letters += 1) {
      const body = document.querySelector('#body')
      body.value += 'x'
      body.dispatchEvent(new Event('input', { bubbles: true }))
      await new Promise(resolve => { requestAnimationFrame(resolve) })
    }
    return (performance.now() - begun) / 20
  })
  console.log(`a key typed beside 10,000 entries: ${took.toFixed(1)} ms to the next frame`)
  await press(page, 'Older', '.past')
  assert.equal((await page.$$('.history li')).length, 100)
  await page.click('.history li:nth-child(60) button')
  await waitForText(page, '.answer-head', '/v1/users/9990')
  await press(page, 'As it was', '.editor')
  assert.equal(await sendRequest(page), '200 OK')
  await view(page, 'Observe')
  await waitForText(page, '.beside .card-head', 'requests')
  await view(page, 'Try')
  await press(page, 'Clear', '.past')
  assert.equal((await page.$$('.history li')).length, 0)
  page.verify()
  await context.close()
})

test('signing out forgets who was signed in', async () => {
  const context = await stranger()
  const page = await openPage(context, server.url)
  await signIn(page, ADMIN)
  await waitForText(page, '.people', 'admin')
  const kept = await page.evaluate(secret => JSON.stringify({ ...localStorage, ...sessionStorage }).includes(secret) || document.cookie.includes(secret), ADMIN.password)
  assert.equal(kept, false)
  await page.reload()
  await page.waitForSelector('.sign-in', { visible: true })
  page.verify()
  await context.close()
})

test('a live server is changed by nobody who only looks around', async () => {
  const real = await startServer()
  const context = await stranger()
  const page = await openPage(context, real.url)
  await press(page, 'Live server', '#engines')
  await type(page, '#sign-in-name', 'adm')
  // The engine of the tab may become ready meanwhile.
  await page.evaluate(async () => (await moduleOf('js/engines/tab.js')).state.signals.dispatchEvent(new Event('ready')))
  assert.equal(await page.$eval('#sign-in-name', element => element.value), 'adm')
  await signIn(page, ADMIN)
  await waitForText(page, '.people', 'admin')
  for (let times = 0; times < 6; times += 1) {
    await pressCase(page, 'Wrong password')
    assert.equal(await answered(page), '401 Unauthorized')
  }
  await view(page, 'Time')
  await pressCase(page, 'Lock somebody out')
  await waitForText(page, '.scenes .notice.good', 'scratch-')
  await pressCase(page, 'Passwords expire after 90 days')
  await waitForText(page, '.scenes .cases', 'Press again')
  await view(page, 'Passwords')
  assert.equal(await page.$$eval('[aria-label]', (all, secret) => all.some(({ ariaLabel }) => ariaLabel.includes(secret)), ADMIN.password), false)
  await press(page, 'Replace all')
  assert.equal(await statusOf(real.url, ADMIN), 200)
  const { password_expiration_duration: days } = await page.evaluate(async () => {
    const { send } = await moduleOf('js/exchange.js')
    return (await send({ method: 'GET', path: '/v1/cluster', as: 'password:admin', headers: [] })).json
  })
  assert.equal(days, 0)
  // A rotation is done to the list itself, so the new password is in sight.
  const fresh = await textOf(page, '.rotation p code')
  for (const step of ['Let both sign in', 'Add the new one', 'Move the mail robot', 'Move the nightly job', 'Remove the old one']) {
    await press(page, step)
    await page.waitForFunction(() => !document.querySelector('.rotation button[aria-disabled]'))
  }
  await waitForText(page, '.rotation .notice', 'the old password is refused')
  assert.equal(await textOf(page, '.rotation p code'), fresh)
  assert.equal(await statusOf(real.url, { ...ADMIN, password: fresh }), 200)
  // Signed out, nothing of it can be read.
  await press(page, 'Sign out')
  await page.waitForSelector('.sign-in', { visible: true })
  await view(page, 'Try')
  const kept = await page.evaluate(async secrets => {
    const { exchanges } = await moduleOf('js/exchanges.js')
    const { pocket } = await moduleOf('js/pocket.js')
    return [exchanges.entries.length, pocket.tokens.length, secrets.some(secret => document.body.textContent.includes(secret))]
  }, [ADMIN.password, fresh])
  assert.deepEqual(kept, [0, 0, false])
  // Who comes with another password has another list.
  await signIn(page, { ...ADMIN, password: fresh })
  await waitForText(page, '.people', 'admin')
  await page.evaluate(async () => (await moduleOf('js/engines/current.js')).engine.remember({ name: 'admin', password: 'of another day' }))
  await view(page, 'Passwords')
  await page.waitForFunction(() => document.querySelectorAll('.key').length === 1)
  page.verify()
  await context.close()
  await real.stop()
})

// What the page says of times and tokens must be true, also of odd ones.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forged } from '../js/packed/smoke.mjs'
import { engineReady, openPage, pause, press, pressCase, proxy, sendRequest, startPlainServer, startServer, textOf, type, view, waitForText } from './harness.js'
import { browser, page, server } from './opened.js'

test('a time that the engine cannot have is refused, and said to be', async () => {
  await view(page, 'Time')
  const set = date => page.evaluate(value => {
    document.getElementById('clock-date').value = value
    document.querySelector('form.inline').requestSubmit()
  }, date)
  for (const date of ['1960-01-01T00:00:00', '0001-01-01T00:00:00']) {
    await set(date)
    await waitForText(page, '.clock .notice.bad', 'The clock was not moved: the clock goes from 1970')
    await set('2030-01-01T00:00:00')
    await page.waitForFunction(() => document.querySelector('.clock .notice').hidden && document.querySelector('.clock-day').textContent.includes('2030'))
  }
  // The browser itself says so of what is none, or too late.
  await set('')
  assert.equal(await page.$eval('#clock-date', element => element.validity.valueMissing), true)
  await set('275760-09-12T00:00:00')
  assert.equal(await page.$eval('#clock-date', element => element.validity.rangeOverflow), true)
  assert.match(await textOf(page, '.clock-day'), /2030/)
  const far = await page.evaluate(async () => {
    const { engine } = await moduleOf('js/engines/current.js')
    const { status } = await engine.transport({ method: 'PUT', path: '/testing/clock', headers: [], body: JSON.stringify({ advance_secs: 9_000_000_000_000 }) })
    return status
  })
  assert.equal(far, 400)
  // Nobody's password has expired because the clock was moved back.
  await set(new Date(Date.now() - 12 * 3600_000).toISOString().slice(0, 19))
  await waitForText(page, '.clock', 'behind this device')
  await pause(500)
  assert.doesNotMatch(await textOf(page, '.watch'), /expired/)
  await page.focus('.clock .row button:last-child')
  await page.keyboard.press('Enter')
  await waitForText(page, '.clock', 'As on this device.')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Back to the present')
  await view(page, 'Try')
  assert.equal(await sendRequest(page), '200 OK')
  page.verify()
})

test('what a clock tells that was asked before is not said of the one that answers now', async () => {
  const mute = await proxy(server, { asked({ url }, response, pass) { if (url !== '/testing/clock') pass() } })
  const other = await openPage(browser, mute.url)
  await press(other, 'Live server', '#engines')
  await view(other, 'Time')
  await press(other, 'This tab', '#engines')
  await pause(500)
  assert.equal(await other.$eval('#clock-date', element => element.disabled), false)
  assert.equal(await other.$eval('.clock div.notice', element => element.hidden), true)
  other.verify()
  await other.close()
  await mute.stop()
})

test('whoever may sign in is not said to have an expired password because an administrator has lost his rights', async () => {
  const own = (method, path, body) => page.evaluate(async (...call) => (await moduleOf('js/engines/current.js')).engine.own(...call).then(({ status }) => status), method, path, body)
  const shown = () => page.$$eval('.watched:last-of-type li', all => all.map(element => element.textContent))
  await own('POST', '/admin/users', { name: 'second', password: 'Marble-Lantern-Road-11', role: 'admin' })
  for (const change of [() => own('PATCH', '/admin/users/admin', { role: 'db_viewer' }), () => own('POST', '/admin/users/admin/logout')]) {
    assert.equal(await change(), 200)
    await view(page, 'Try')
    await view(page, 'Time')
    await page.waitForFunction(() => [...document.querySelectorAll('.watched:last-of-type strong')].some(({ textContent }) => textContent === 'second'))
    await pause(300)
    assert.deepEqual((await shown()).filter(text => /expired/.test(text)), [])
  }
  await own('PATCH', '/admin/users/admin', { role: 'admin' })
  await own('DELETE', '/admin/users/second')
  page.verify()
})

test('whose password has expired is known after a reload, and when the clock was set back', async () => {
  const other = await openPage(await browser.createBrowserContext(), server.url)
  const status = name => other.$$eval('.watched:last-of-type li', (all, whose) => all.find(element => element.textContent.startsWith(whose))?.lastChild.textContent, name)
  const says = async all => {
    for (const [name, wanted] of Object.entries(all)) await other.waitForFunction((whose, text) => [...document.querySelectorAll('.watched:last-of-type li')].find(element => element.textContent.startsWith(whose))?.lastChild.textContent === text, {}, name, wanted)
    await pause(500)
    for (const [name, wanted] of Object.entries(all)) assert.equal(await status(name), wanted, name)
  }
  const expired = 'password has expired'
  await view(other, 'Time')
  await pressCase(other, 'Passwords expire after 90 days')
  await waitForText(other, '.scenes .notice.good', 'must replace it')
  await press(other, '+ 1 day')
  await view(other, 'Passwords')
  await press(other, 'Replace all')
  await press(other, 'Press again: only the new one will sign in')
  await waitForText(other, '.list .notice.good', 'Replaced.')
  await view(other, 'Time')
  await press(other, 'Back to the present')
  await says({ admin: 'may sign in', ada: expired, ben: 'may sign in' })
  await press(other, '+ 1 day')
  await says({ ada: 'may sign in' })
  for (let month = 0; month < 5; month += 1) await press(other, '+ 30 days')
  await says({ admin: expired, ada: expired, ben: expired })
  await other.reload()
  await engineReady(other)
  await says({ admin: expired, ada: expired, ben: expired })
  other.verify()
  await other.close()
})

test('a clock that was moved in the tab is not taken for that of the live server', async () => {
  const other = await openPage(await browser.createBrowserContext(), server.url)
  await view(other, 'Time')
  const said = await other.evaluate(async () => {
    const { engine } = await moduleOf('js/engines/current.js')
    const { transport } = engine
    // The tab's engine answers only when the live server has.
    let answer
    engine.transport = request => (request.method === 'PUT' ? new Promise(resolve => { answer = resolve }) : transport.call(engine, request))
    document.querySelector('.jump').click()
    engine.use('live')
    await new Promise(resolve => { setTimeout(resolve, 500) })
    answer({ status: 200, headers: [], text: JSON.stringify({ now_millis: Date.now() + 86_400_000 }) })
    await new Promise(resolve => { setTimeout(resolve, 500) })
    return document.getElementById('announcer').textContent
  })
  assert.doesNotMatch(said, /The clock was moved/)
  assert.match(await textOf(other, '.clock'), /As on this device/)
  other.verify()
  await other.close()
})

test('what was said of one engine is not said of the other', async () => {
  await view(page, 'Time')
  await pressCase(page, 'Lock somebody out')
  await waitForText(page, '.scenes .notice.good', 'refused now, with the right password too.')
  await press(page, 'Live server', '#engines')
  assert.equal(await page.$eval('.scenes .notice', element => element.hidden), true)
  await press(page, 'This tab', '#engines')
  // The lock ends.
  await press(page, '+ 1 hour')
  await page.waitForFunction(() => !document.querySelector('.watch').textContent.includes('locked out'))
  await press(page, 'Back to the present')
})

test('what is not all that there is says so', async () => {
  await view(page, 'Observe')
  const [many, label, points] = await page.evaluate(async () => {
    const { audit } = await moduleOf('js/audit.js')
    const { exchanges } = await moduleOf('js/exchanges.js')
    const event = { time: Date.now(), action: 'x', actor: '', subject: '', detail: '', outcome: 'ok', reason: '', dialect: '' }
    audit.events.push(...Array.from({ length: 61 }, (_, at) => ({ ...event, action: `action.${at}` })))
    audit.dispatchEvent(new Event('change'))
    // The device's clock may be set back.
    exchanges.clear()
    const drawn = () => new Promise(done => { setTimeout(() => done(document.querySelector('.own .spark')), 2500) })
    const { ariaLabel } = await drawn()
    exchanges.add({ engine: 'tab', at: Date.now() + 3600_000, status: 200, took: 1, text: '', method: 'GET', path: '/', headers: [] })
    return [document.querySelector('.events .card-head').textContent, ariaLabel, (await drawn()).outerHTML]
  })
  assert.match(many, /\d+ events, the latest 60 below/)
  assert.equal((await page.$$('.events tbody tr')).length, 60)
  assert.doesNotMatch(await textOf(page, '.events tbody td'), /20\d\d/, 'today goes without saying')
  assert.ok((await page.$$('.events .bars .bar')).length > 60)
  await page.evaluate(async () => {
    const { audit } = await moduleOf('js/audit.js')
    while (audit.events.length < 2000) audit.events.push({ ...audit.events[0], time: 0 })
    audit.dispatchEvent(new Event('change'))
  })
  await waitForText(page, '.events .card-head', 'the latest 2,000 events')
  assert.match(await textOf(page, '.events tbody td'), /19(69|70)/)
  assert.match(label, /at most 0, now 0$/)
  assert.doesNotMatch(points, /NaN/)
})

test('a password that has signed in is not said to be untried', async () => {
  await view(page, 'Passwords')
  const states = () => page.$$eval('.key small', all => all.map(element => element.textContent))
  await page.waitForSelector('.key')
  assert.deepEqual(await states(), ['not tried'])
  await press(page, 'Let both sign in')
  await waitForText(page, '.rotation .notice', 'Both programs sign in.')
  assert.deepEqual(await states(), ['signs in'])
})

test('a password is judged however long it is', async () => {
  await view(page, 'Passwords')
  const judged = text => page.evaluate(value => {
    const input = document.getElementById('judged')
    input.value = value
    input.dispatchEvent(new Event('input'))
  }, text)
  await judged('x'.repeat(70_000))
  await page.waitForFunction(() => [...document.querySelectorAll('.policies li')].filter(line => /1024 octets/.test(line.textContent)).length === 3)
  await judged('\ud83d, and fifteen more')
  await waitForText(page, '.policies', 'half a character')
  await judged('Quiet-Harbour-Lamp-42')
  await page.waitForFunction(() => document.querySelectorAll('.policies .is-yes').length === 3)
})

test('a token can be forged whatever its claims are', async () => {
  await view(page, 'Token')
  const part = json => Buffer.from(json).toString('base64url')
  for (const [sub, other] of [['{"toString": 1}', '1'], ['"1"', '2'], ['1', '2'], ['null', '1'], ['["1"]', '1']]) {
    await type(page, '#token', `${part('{"alg":"HS256"}')}.${part(`{"sub": ${sub}}`)}.${'x'.repeat(43)}`)
    await press(page, 'Forge it')
    const claims = await page.$eval('#token', element => JSON.parse(atob(element.value.split('.')[1])))
    assert.deepEqual(claims, { sub: other, uid: other }, sub)
  }
  page.verify()
})

test('of the clock of a server that is gone nothing is claimed', async () => {
  const mortal = await startServer()
  const other = await openPage(browser, mortal.url)
  await press(other, 'Live server', '#engines')
  await mortal.stop()
  await view(other, 'Time')
  await waitForText(other, '.clock div.notice', 'The server does not tell its clock: no answer.')
  other.verify()
  await other.close()
})

test('of a server whose clock cannot be moved it is said how one could be', async () => {
  const fast = await startPlainServer()
  const other = await openPage(browser, fast.url)
  await press(other, 'Live server', '#engines')
  await view(other, 'Time')
  await waitForText(other, '.clock div.notice', 'cannot be moved')
  other.verify()
  await other.close()
  await fast.stop()
})

test('a list that was replaced many times is tried without locking its user out', async () => {
  await view(page, 'Passwords')
  for (let times = 1; times <= 6; times += 1) {
    await press(page, 'Replace all')
    await press(page, 'Press again: only the new one will sign in')
    await page.waitForFunction(count => document.querySelectorAll('.key.is-refused').length === count, {}, times)
  }
  await press(page, 'Try each')
  await waitForText(page, '.list .notice', '1 of 7 passwords signed in')
  await page.waitForFunction(() => document.querySelectorAll('.key').length === 1)
  await waitForText(page, '.key', 'signs in')
  page.verify()
})

const paste = text => page.evaluate(value => {
  const input = document.getElementById('token')
  input.value = value
  input.dispatchEvent(new Event('input', { bubbles: true }))
}, text)
const base64 = value => Buffer.from(JSON.stringify(value)).toString('base64url')
const tooWide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

test('of a signature that nobody checked nothing is said', async () => {
  await view(page, 'Token')
  await press(page, 'A token of 5 minutes')
  await waitForText(page, '.life', 'of 5 min.')
  const token = await page.$eval('#token', element => element.value)
  await paste([base64({ alg: 'HS256', typ: 'JWT', kid: 'gone' }), ...token.split('.').slice(1)].join('.'))
  await waitForText(page, '.verdict', 'unknown_kid')
  assert.match(await textOf(page, '.verdict'), /Its signature was not checked\./)
  assert.doesNotMatch(await textOf(page, '.verdict'), /does not hold\./)
  await press(page, 'Forge it')
  await paste(forged(token))
  await waitForText(page, '.verdict', 'bad_signature')
  assert.match(await textOf(page, '.verdict'), /The signature does not hold\./)
})

test('a token is found in what it comes in', async () => {
  await press(page, 'A token of 5 minutes')
  await waitForText(page, '.verdict', 'Accepted')
  const token = await page.$eval('#token', element => element.value)
  for (const text of [`Authorization: Bearer ${token}`, `"${token}"`, `{"access_token": "${token}", "expires_in": 300}`, `{"data": {"id": "1", "token": "${token}"}}`]) {
    await paste('x')
    await waitForText(page, '.verdict', 'malformed')
    await paste(text)
    await waitForText(page, '.verdict', 'Accepted')
  }
})

test('how long a token is good for is said alike in all places', async () => {
  await view(page, 'Token')
  await press(page, 'A token of 5 minutes')
  await waitForText(page, '.life', 'of 5 min.')
  const said = await page.evaluate(async () => {
    const all = []
    for (let times = 0; times < 8; times += 1) {
      await new Promise(resolve => { setTimeout(resolve, 230) })
      all.push([/another (.*) of/.exec(document.querySelector('.life').textContent)[1], [...document.querySelectorAll('.claims-list small')].find(note => note.textContent.startsWith('in ')).textContent.slice(3)])
    }
    return all
  })
  for (const [life, claim] of said) assert.equal(life, claim)
})

test('a token that was issued a little ahead is said to be good when it is', async () => {
  await view(page, 'Token')
  const ahead = seconds => page.evaluate(async by => {
    const { engine } = await moduleOf('js/engines/current.js')
    await engine.transport({ method: 'PUT', path: '/testing/clock', headers: [], body: JSON.stringify({ now_millis: Date.now() + by * 1000 }) })
  }, seconds)
  await ahead(8)
  await press(page, 'A token of 5 minutes')
  await waitForText(page, '.verdict', 'Accepted')
  await ahead(0)
  await waitForText(page, '.verdict', 'Refused')
  assert.match(await textOf(page, '.life'), /another 5 min \d s\.$/)
  await waitForText(page, '.verdict', 'Accepted')
  await waitForText(page, '.life', 'of 5 min.')
})

test('a token that has ended meanwhile is said to have', async () => {
  await press(page, 'of 10 seconds')
  await waitForText(page, '.life', 'of 10 s.')
  await waitForText(page, '.verdict', 'Accepted')
  await waitForText(page, '.verdict', 'expired')
  assert.match(await textOf(page, '.picks'), /expired/)
  assert.match(await textOf(page, '.claims-list:last-of-type, .parts'), /ago/)
})

test('a timeline says the day where it is long, and writes nothing over itself', async () => {
  const now = Math.floor(Date.now() / 1000)
  await paste(`${base64({ alg: 'HS256' })}.${base64({ iat: now, nbf: now + 1, exp: now + 86_400 })}.x`)
  await waitForText(page, '.life', 'of 1 day')
  const texts = await page.$$eval('.timeline text', all => all.map(element => element.textContent))
  assert.match(texts.join(), /20\d\d/)
  assert.ok(!texts.includes('good from'))
  assert.match(await page.$eval('.timeline', element => element.ariaLabel), /good from/)
  await paste(`${base64({ alg: 'HS256' })}.${base64({ iat: now - 3610, exp: now - 3600 })}.x`)
  await waitForText(page, '.life', 'It expired 1 h')
  assert.deepEqual((await page.$$eval('.timeline text', all => all.map(element => element.textContent))).filter(text => /issued|expires/.test(text)), ['expires'])
})

test('what a claim says of now goes on, and nothing in it turns around what stands beside it', async () => {
  const now = Math.floor(Date.now() / 1000)
  await paste(`${base64({ alg: 'HS256', kid: 'x' })}.${base64({ sub: '\u202enimda', jti: 'a', iat: now, exp: now + 47 })}.x`)
  await page.waitForFunction(() => [...document.querySelectorAll('.claims-list')].at(-1)?.textContent.includes('\\u202enimda'))
  const claims = () => page.$$eval('.claims-list', all => all.at(-1).textContent)
  const before = /in \d+ s/.exec(await claims())[0]
  await page.waitForFunction(old => ![...document.querySelectorAll('.claims-list')].at(-1).textContent.includes(old), {}, before)
  assert.match(await claims(), /in 4\d s/)
  assert.match(await claims(), /a by this it can be revoked/)
})

test('a text that can be no token is refused at once', async () => {
  const begun = Date.now()
  await paste('x'.repeat(2_000_000))
  await waitForText(page, '.verdict', 'too_long')
  console.log(`2 MB pasted: ${Date.now() - begun} ms`)
  await paste('x'.repeat(8193))
  await waitForText(page, '.verdict', 'too_long')
  await paste('x'.repeat(8192))
  await waitForText(page, '.verdict', 'malformed')
  await paste('\ud83d')
  await waitForText(page, '.verdict', 'malformed')
})

test('a token that lives for ever stays in its card', async () => {
  await page.setViewport({ width: 320, height: 800 })
  for (const exp of [9e99, 8e12, -9e99]) {
    await paste(`${base64({ alg: 'HS256', kid: 'x' })}.${base64({ iat: 1, exp })}.x`)
    await waitForText(page, '.claims-list', 'HS256')
    assert.ok(await tooWide() <= 0, `${exp}`)
    assert.doesNotMatch(await textOf(page, '.opened'), /Invalid/)
  }
  await page.setViewport({ width: 1200, height: 800 })
})

test('of a token that a server was not asked about nothing is claimed', async () => {
  const mortal = await startServer()
  const other = await openPage(browser, mortal.url)
  await press(other, 'Live server', '#engines')
  await mortal.stop()
  await view(other, 'Token')
  await type(other, '#token', `${base64({ alg: 'HS256' })}.${base64({ exp: 9e9 })}.x`)
  await waitForText(other, '.life', 'If it holds')
  await press(other, 'Ask the server')
  await waitForText(other, '.verdict', 'The server does not say: no answer.')
  await waitForText(other, '.life', 'If it holds')
  other.verify()
  await other.close()
})

test('what a live server said of a token is not lost because of what the engine in the tab does', async () => {
  const other = await openPage(browser, server.url)
  await press(other, 'Live server', '#engines')
  await view(other, 'Token')
  await type(other, '#token', `${base64({ alg: 'HS256' })}.${base64({ exp: 9e9 })}.x`)
  await press(other, 'Ask the server')
  await waitForText(other, '.verdict', 'The server refuses it')
  await page.evaluate(() => new BroadcastChannel('waxseal').postMessage({ events: [] }))
  await pause(500)
  assert.match(await textOf(other, '.verdict'), /The server refuses it/)
  other.verify()
  await press(other, 'This tab', '#engines')
  await other.close()
})

test('everything is deleted only when asked twice', async () => {
  const old = await textOf(page, '.person code')
  const anew = await page.waitForSelector('.people > button')
  await anew.click({ count: 2 })
  await waitForText(page, '.people > button', 'Press again')
  assert.equal(await textOf(page, '.person code'), old)
  await page.focus('.people > button')
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  await page.waitForFunction(before => (document.querySelector('.person code')?.textContent ?? before) !== before, {}, old)
})

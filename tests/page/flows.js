// What people do in each view. Every browser must let them.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ADMIN, engineReady, launch, openPage, press, pressCase, sendRequest, signIn, startServer, textOf, type, view, waitForText } from './harness.js'

/** Runs all flows in one browser. */
export function flows(browserName) {
  let server
  let browser
  let page

  before(async () => {
    server = await startServer()
    browser = await launch(browserName)
    page = await openPage(browser, server.url)
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('the engine starts in the tab, with users of its own', async () => {
    const people = await page.$$eval('.person strong', all => all.map(element => element.textContent))
    assert.deepEqual(people, ['admin', 'ada', 'ben'])
    page.verify()
  })

  test('a request is sent as it stands, and its failures with one click', async () => {
    assert.equal(await sendRequest(page), '200 OK')
    assert.match(await textOf(page, 'pre.body'), /"access_token": "ey/)
    for (const [name, status] of [['Wrong password', '401'], ['A life of 0 s', '400'], ['Another method', '405']]) {
      await pressCase(page, name)
      await page.waitForFunction(wanted => document.querySelector('.answer-head .status')?.textContent.startsWith(wanted), {}, status)
    }
    await page.waitForFunction(() => document.querySelectorAll('.history li').length === 4)
    const statuses = await page.$$eval('.history .status', all => all.map(element => element.textContent))
    assert.deepEqual(statuses, ['405', '400', '401', '200'])
    page.verify()
  })

  test('a request can be changed, and put back', async () => {
    await press(page, 'As it was', '.editor')
    await type(page, '#body', '{"ttl": 5}')
    await press(page, 'The same in a shell')
    assert.match(await textOf(page, 'pre.curl'), /^curl -i \\\n {2}-u ada \\\n {2}-H 'Content-Type: application\/json' \\\n {2}--data-raw '\{"ttl": 5\}' \\\n {2}http:\/\/127\.0\.0\.1:\d+\/v1\/users\/authorize$/)
    await page.focus('#path')
    await page.keyboard.down('Control')
    await page.keyboard.press('Enter')
    await page.keyboard.up('Control')
    await page.waitForFunction(() => document.querySelectorAll('.history li').length === 5)
    await press(page, 'As it was', '.editor')
    assert.equal(await page.$eval('#body', element => JSON.parse(element.value).ttl), 600)
    page.verify()
  })

  test('a token is opened, checked and explained', async () => {
    await view(page, 'Token')
    await press(page, 'A token of 5 minutes')
    await page.waitForFunction(() => /Good for another (5 min|4 min 5\d s) of 5 min/.test(document.querySelector('.life')?.textContent))
    await waitForText(page, '.verdict', 'Accepted: the token holds.')
    assert.match(await textOf(page, '.claims-list:last-of-type, .parts'), /Good until/)
    await press(page, 'Forge it')
    await waitForText(page, '.verdict', 'bad_signature')
    await waitForText(page, '.checks .is-no', 'Does the signature hold?')
    for (const [text, code] of [['x', 'malformed'], ['a.b', 'malformed'], ['eyJhbGciOiJub25lIn0.e30.', 'algorithm_not_allowed'], ['0'.repeat(64), 'revoked']]) {
      await type(page, '#token', text)
      await waitForText(page, '.verdict', code)
    }
    await press(page, 'An OpenShift authorization')
    await waitForText(page, '#opened-title', 'An OpenShift authorization')
    await waitForText(page, '.verdict', 'Accepted')
    await press(page, 'An Elasticsearch pair')
    await waitForText(page, '#opened-title', 'A signed token')
    page.verify()
  })

  test('a list of passwords grows, and refuses what it must', async () => {
    await view(page, 'Passwords')
    await type(page, '#fresh', 'Marble-Thimble-Road-41')
    await press(page, 'Add')
    await waitForText(page, '.keys', 'Marble-Thimble-Road-41')
    await waitForText(page, '.prose > .quiet', '2 passwords in the list')
    await type(page, '#fresh', 'Marble-Thimble-Road-41')
    await press(page, 'Add')
    await waitForText(page, '.notice.bad', 'in the list already')
    await press(page, 'Try each')
    await waitForText(page, '.notice.good', '2 of 2 passwords signed in')
    await press(page, 'Remove Marble-Thimble-Road-41')
    await waitForText(page, '.prose > .quiet', '1 password in the list')
    const only = await page.$eval('.key:not(.is-refused) code', element => element.textContent)
    await press(page, `Remove ${only}`)
    await waitForText(page, '.notice.bad', 'the only password')
    page.verify()
  })

  test('two programs move to a new password without a gap', async () => {
    for (const [button, says] of [
      ['Let both sign in', 'Both programs sign in.'],
      ['Add the new one', 'Both programs sign in.'],
      ['Move the mail robot', 'Both programs sign in.'],
      ['Move the nightly job', 'Both programs sign in.'],
      ['Remove the old one', 'Both programs sign in, and the old password is refused.'],
    ]) {
      await press(page, button)
      await page.waitForFunction(wanted => [...document.querySelectorAll('.steps')].every(steps => steps.nextElementSibling) && [...document.querySelectorAll('.notice')].some(notice => notice.textContent === wanted) && !document.querySelector('.steps ~ .row button[aria-disabled]'), {}, says)
    }
    assert.equal(await page.$$eval('.steps .is-done', all => all.length), 5)
    page.verify()
  })

  test('the policies say why, and the cost is measured', async () => {
    const verdicts = () => page.$$eval('.policies li', all => all.map(element => element.className === 'is-yes'))
    const expect = (password, wanted) => type(page, '#judged', password).then(() => page.waitForFunction(
      text => [...document.querySelectorAll('.policies li')].map(element => element.className === 'is-yes').join() === text, {}, wanted.join()))
    await expect('short', [true, false, false])
    assert.match(await textOf(page, '.policies'), /nist refuses it: the password has fewer than 15 characters/)
    await expect('Tr0ub4dor&3', [true, true, false])
    await expect('correct horse battery staple and more', [true, false, true])
    await expect('Quiet-Harbour-Lamp-42', [true, true, true])
    assert.deepEqual(await verdicts(), [true, true, true])
    await press(page, 'Measure')
    await page.waitForFunction(() => document.querySelectorAll('.bars .number').length === 3, { timeout: 60_000 })
    page.verify()
  })

  test('the clock moves, and what it ends is ended', async () => {
    await view(page, 'Time')
    await pressCase(page, 'Tokens of a minute, an hour and a day')
    await waitForText(page, '.notice.good', 'Three tokens are running')
    await pressCase(page, 'Lock somebody out')
    await waitForText(page, '.watched + h3 + .watched, .watched:last-of-type', 'locked out until')
    const over = () => page.$$eval('.watched .is-over code', all => all.length)
    const before = await over()
    await press(page, '+ 1 hour')
    await page.waitForFunction(count => document.querySelectorAll('.watched .is-over code').length >= count + 2, {}, before)
    await page.waitForFunction(() => !document.querySelector('.watched:last-of-type').textContent.includes('locked out'))
    await pressCase(page, 'Passwords expire after 90 days')
    await waitForText(page, '.notice.good', 'must replace it')
    for (let month = 0; month < 4; month += 1) await press(page, '+ 30 days')
    await waitForText(page, '.watched:last-of-type', 'password has expired')
    await press(page, 'Back to the present')
    await page.waitForFunction(() => document.querySelector('.clock').textContent.includes('As on this device.'))
    await pressCase(page, 'Passwords never expire')
    await waitForText(page, '.notice.good', 'do not expire any more')
    page.verify()
  })

  test('what happened is to be seen', async () => {
    await view(page, 'Observe')
    await waitForText(page, 'tbody', 'token.issue')
    await waitForText(page, '.bars', 'login')
    assert.ok((await page.$$('tbody tr')).length > 20)
    assert.match(await textOf(page, '.beside .card-head'), /\d+ requests/)
    page.verify()
  })

  test('all of it stands after a reload', async () => {
    await page.reload()
    await engineReady(page)
    await view(page, 'Try')
    assert.equal(await sendRequest(page), '200 OK')
    page.verify()
  })

  test('the live server takes over with one switch', async () => {
    await signIn(page, { ...ADMIN, password: 'wrong' })
    await waitForText(page, '.sign-in .notice', 'wrong credentials')
    await signIn(page, ADMIN)
    await waitForText(page, '.people', 'admin')
    assert.equal(await sendRequest(page), '200 OK')
    await view(page, 'Token')
    await press(page, 'A token of 5 minutes')
    await waitForText(page, '.life', 'of 5 min.')
    assert.match(await textOf(page, '.life'), /^If it holds/)
    await waitForText(page, '.verdict', 'Only the server knows')
    await press(page, 'Ask the server')
    await waitForText(page, '.verdict', 'The server accepts it.')
    assert.match(await textOf(page, '.life'), /^Good for/)
    await press(page, 'Forge it')
    await waitForText(page, '.verdict', 'Only the server knows')
    await press(page, 'Ask the server')
    await waitForText(page, '.verdict', 'The server refuses it')
    await view(page, 'Observe')
    await waitForText(page, '#server-title + .prose', 'since it was started')
    await view(page, 'Time')
    await press(page, '+ 1 hour')
    await page.waitForFunction(() => /^(1 h|59 min 5\d s)/.test(document.querySelector('.clock .quiet').textContent))
    await press(page, 'Sign out')
    await page.waitForSelector('.sign-in', { visible: true })
    await press(page, 'This tab', '#engines')
    await engineReady(page)
    page.verify()
  })
}

// What the page says of times and tokens must be true, also of odd ones.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, openPage, press, sendRequest, startServer, textOf, type, view, waitForText } from './harness.js'

let server
let browser
let page

before(async () => {
  server = await startServer()
  browser = await launch()
  page = await openPage(browser, server.url)
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

test('a time that the engine cannot have is refused, and said to be', async () => {
  await view(page, 'Time')
  const set = date => page.evaluate(value => {
    document.getElementById('clock-date').value = value
    document.querySelector('form.inline').requestSubmit()
  }, date)
  for (const date of ['1960-01-01T00:00:00', '0001-01-01T00:00:00', '20000-01-01T00:00:00', '275760-09-12T00:00:00']) {
    await set(date)
    await waitForText(page, '.clock .notice.bad', 'The clock was not moved: the clock goes from 1970')
    await set('2030-01-01T00:00:00')
    await page.waitForFunction(() => document.querySelector('.clock .notice').hidden && document.querySelector('.clock-day').textContent.includes('2030'))
  }
  const far = await page.evaluate(async () => {
    const { engine } = await moduleOf('js/engines/current.js')
    const { status } = await engine.own('PUT', '/testing/clock', { advance_secs: 9_000_000_000_000 })
    return status
  })
  assert.equal(far, 400)
  await page.focus('.clock .row button:last-child')
  await page.keyboard.press('Enter')
  await waitForText(page, '.clock', 'As on this device.')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Back to the present')
  await view(page, 'Try')
  assert.equal(await sendRequest(page), '200 OK')
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

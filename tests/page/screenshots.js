// Makes the pictures in `docs/page/`: every view in both themes. `WAXSEAL_BIN=… node screenshots.js`

import { mkdirSync } from 'node:fs'
import { ADMIN, launch, openPage, pause, press, pressCase, sendRequest, signIn, startServer, view, waitForText } from './harness.js'

const FOLDER = new URL('../../docs/page/', import.meta.url)
const WIDE = { width: 1280, height: 860 }
const PHONE = { width: 390, height: 844 }

mkdirSync(FOLDER, { recursive: true })
const server = await startServer()
const browser = await launch()
const page = await openPage(browser, server.url)
const themes = theme => page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' }])

await page.setViewport(WIDE)
await sendRequest(page)
await pressCase(page, 'Wrong password')
await pause(800)
await press(page, 'As it was', '.editor')
await sendRequest(page)
await shoot('try')
await view(page, 'Token')
await press(page, 'A token of 5 minutes')
await waitForText(page, '.verdict', 'Accepted')
await shoot('token')
await press(page, 'Forge it')
await waitForText(page, '.verdict', 'bad_signature')
await shoot('token-refused')
await view(page, 'Passwords')
for (const step of ['Let both sign in', 'Add the new one', 'Move the mail robot']) {
  await press(page, step)
  await page.waitForFunction(() => !document.querySelector('.steps ~ .row button[aria-disabled]'))
  await pause(600)
}
await press(page, 'Measure')
await page.waitForFunction(() => document.querySelectorAll('.bars .number').length === 3, { timeout: 60_000 })
await pause(500)
await shoot('passwords')
await view(page, 'Time')
await pressCase(page, 'Tokens of a minute, an hour and a day')
await waitForText(page, '.notice.good', 'running')
await pressCase(page, 'Lock somebody out')
await waitForText(page, '.watched:last-of-type', 'locked out')
await press(page, '+ 10 min')
await pause(800)
await shoot('time')
await view(page, 'Observe')
await pause(400)
await shoot('observe')
await signIn(page, ADMIN)
await waitForText(page, '.people', 'admin')
await view(page, 'Try')
for (let sent = 0; sent < 3; sent += 1) await sendRequest(page)
await view(page, 'Observe')
await pause(5000)
await shoot('observe-live')
await press(page, 'This tab', '#engines')
await page.setViewport(PHONE)
await view(page, 'Try')
await shoot('try-phone')
await view(page, 'Token')
await shoot('token-phone')
await browser.close()
await server.stop()

async function shoot(name) {
  for (const theme of ['light', 'dark']) {
    await themes(theme)
    await page.evaluate(() => { scrollTo(0, 0); document.activeElement?.blur() })
    await pause(150)
    await page.screenshot({ path: new URL(`${name}-${theme}.webp`, FOLDER).pathname, type: 'webp', quality: 72 })
  }
}

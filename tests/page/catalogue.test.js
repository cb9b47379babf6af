// Every route of the page and every documented case, sent by clicks: the statuses that the page promises are those that come.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ADMIN, launch, openPage, press, sendRequest, signIn, startServer } from './harness.js'

const USER = { name: 'eve', email: 'eve@example.com', password: 'Saddle-Pebble-Road-58', role: 'db_viewer' }
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

for (const engine of ['tab', 'live']) {
  describe(`in the ${engine === 'tab' ? 'engine of the tab' : 'live server'}`, () => {
    let page
    before(async () => {
      page = await openPage(browser, server.url)
      if (engine === 'live') await bothSignIn(page)
    })
    after(() => page.verify())

    for (const dialect of ['redis', 'openshift', 'elasticsearch', 'gateway']) {
      test(`every route of ${dialect}, and its cases`, async () => {
        const routes = await page.evaluate(async id => {
          const { dialects } = await moduleOf('js/catalogue/index.js')
          const { groups } = dialects.find(known => known.id === id)
          return groups.flatMap(group => group.routes).map(({ id: name, expect, cases = [] }) => ({ name, expect, cases: cases.map(({ title, expect: status, code }) => ({ title, status, code })) }))
        }, dialect)
        assert.ok(routes.length > 1)
        const wrong = []
        for (const { name, expect, cases } of routes) {
          await page.evaluate(hash => document.querySelector(`.catalogue a[href="${hash}"]`).click(), `#/try/${dialect}/${name}`)
          await page.waitForFunction(hash => document.querySelector('.catalogue a[aria-current]')?.getAttribute('href') === hash && document.querySelector('.answer-body').textContent.startsWith('Nothing sent'), {}, `#/try/${dialect}/${name}`)
          note(wrong, `${dialect} ${name}`, expect, undefined, await sendRequest(page), await body(page))
          for (const { title, status, code } of cases) {
            const came = await play(page, title)
            note(wrong, `${dialect} ${name}: ${title}`, status, code, came, await body(page))
          }
        }
        assert.deepEqual(wrong, [])
      })
    }
  })
}

/** An administrator makes a user, so that there is one of each. */
async function bothSignIn(page) {
  const basic = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`
  const made = await fetch(`${server.url}/v1/users`, { method: 'POST', headers: { authorization: basic, 'content-type': 'application/json' }, body: JSON.stringify(USER) })
  assert.equal(made.status, 200)
  await signIn(page, ADMIN)
  await page.waitForFunction(() => document.querySelectorAll('.person').length === 1)
  await press(page, 'Sign in as somebody else too')
  await signIn(page, USER)
  await page.waitForFunction(() => document.querySelectorAll('.person').length === 2)
}

async function play(page, title) {
  await page.evaluate(wanted => { [...document.querySelectorAll('.case')].find(button => button.querySelector('span + span').firstChild.textContent === wanted).click() }, title)
  const status = await page.waitForFunction(() => {
    if (document.querySelector('.editor button.primary').ariaDisabled) return undefined
    return document.querySelector('.answer-head .status')?.textContent ?? document.querySelector('.editor .notice.bad:not([hidden])')?.textContent
  }, { timeout: 60_000 })
  return status.jsonValue()
}

const body = page => page.evaluate(() => document.querySelector('pre.body')?.textContent ?? '')

function note(wrong, what, status, code, came, text) {
  if (!came.startsWith(String(status)) || (code && !text.includes(`"${code}"`))) wrong.push(`${what}: ${status} ${code ?? ''} expected, ${came} came with ${text.slice(0, 200)}`)
}

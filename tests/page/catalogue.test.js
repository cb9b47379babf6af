// Every route of the page and every documented case, sent by clicks: the statuses that the page promises are those that come.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ADMIN, answered, basic, launch, openPage, press, pressCase, sendRequest, signIn, startServer } from './harness.js'

const USER = { name: 'eve', email: 'eve@example.com', password: 'Saddle-Pebble-Road-58', role: 'db_viewer' }
/** What a route answers when it is sent as it stands, where that is not 200. */
const STATUSES = { 'redis password-delete': 400, 'redis hashing': 400, 'openshift add': 201, 'openshift key-add': 201, 'gateway verify': 204, 'gateway revocations': 409 }
/** What must stand in the body as well as the status. */
const CODES = {
  'redis authorize: Wrong password': 'unauthorized',
  'redis authorize: Unknown user': 'unauthorized',
  'redis authorize: No credentials': 'unauthorized',
  'redis authorize: A token instead of a password': 'unauthorized',
  'redis authorize: Locked after five wrong passwords': 'unauthorized',
  'redis authorize: A life of 0 s': 'invalid_schema',
  'redis authorize: A life of a day and a second': 'invalid_schema',
  'redis authorize: A life in quotes': 'invalid_schema',
  'redis authorize: A body that is not JSON': 'invalid_schema',
  'redis authorize: Another method': 'method_not_allowed',
  'redis refresh: An expired token': 'unauthorized',
  'redis refresh: A forged token': 'unauthorized',
  'redis refresh: A revoked token': 'unauthorized',
  'redis refresh: A password instead of a token': 'unauthorized',
  'redis password-add: Already in the list': 'new_password_same_as_current',
  'redis password-add: Without a header and a field missing': 'missing_field',
  'redis password-add: A wrong old password': 'unauthorized',
  'redis password-add: Somebody else’s list': 'unauthorized_action',
  'redis password-add: A user who is not there': 'user_not_exist',
  'redis password-add: An empty password': 'invalid_schema',
  'redis password-replace: A wrong old password': 'unauthorized',
  'redis password-replace: The same password again': 'new_password_same_as_current',
  'redis password-replace: No body at all': 'empty_request',
  'redis password-replace: As somebody who may not': 'unauthorized_action',
  'redis password-delete: The last one, without a header': 'cannot_delete_last_password',
  'redis password-delete: One that is not in the list': 'unauthorized',
  'redis users: As somebody who may not': 'unauthorized_action',
  'redis user-create: A name that is taken': 'name_already_exists',
  'redis user-create: An address that is taken': 'email_already_exists',
  'redis user-create: No name': 'missing_field',
  'redis user-create: A role that is none': 'invalid_schema',
  'redis user-create: A member twice': 'invalid_schema',
  'redis user-create: As somebody who may not': 'unauthorized_action',
  'redis user: A number nobody has': 'user_not_exist',
  'redis user: Somebody else': 'unauthorized_action',
  'redis user-change: A role that is none': 'invalid_schema',
  'redis user-change: An address that is taken': 'email_already_exists',
  'redis user-change: One that is not there': 'user_not_exist',
  'redis user-change: The last administrator steps down': 'change_last_admin_role_not_allowed',
  'redis user-delete: The last administrator': 'change_last_admin_role_not_allowed',
  'redis cluster-change: Too short a minimum': 'invalid_schema',
  'redis cluster-change: As somebody who may not': 'unauthorized_action',
  'redis policy-change: A negative time': 'invalid_schema',
  'elasticsearch token: A grant that is none': 'unsupported_grant_type',
  'elasticsearch token: A field of another grant': 'invalid_request',
  'elasticsearch token: A field missing': 'invalid_request',
  'elasticsearch refresh: A refresh token nobody issued': 'invalid_grant',
  'elasticsearch refresh: An access token in its place': 'invalid_grant',
  'elasticsearch users: As somebody who may not': 'security_exception',
  'elasticsearch user-put: A new user without a password': 'action_request_validation_exception',
  'elasticsearch user-put: A password of five characters': 'action_request_validation_exception',
  'elasticsearch user-put: A member nobody knows': 'x_content_parse_exception',
  'elasticsearch user-password: Too short': 'action_request_validation_exception',
  'elasticsearch user-password: Nobody’s': 'validation_exception',
  'elasticsearch disable: Nobody': 'validation_exception',
  'elasticsearch disable: Yourself': 'illegal_argument_exception',
  'elasticsearch role-put: One that is built in': 'illegal_argument_exception',
  'elasticsearch role-put: A list that is none': 'x_content_parse_exception',
  'gateway introspect: No caller': 'invalid_client',
  'gateway introspect: No token named': 'invalid_request',
  'gateway introspect: JSON instead of a form': 'invalid_request',
  'gateway revoke: No token named': 'invalid_request',
}
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

for (const [engine, where] of [['tab', 'in the engine of the tab'], ['live', 'in the live server'], ['alone', 'in the live server, by an administrator alone']]) {
  describe(where, () => {
    let page
    before(async () => {
      page = await openPage(browser, server.url)
      if (engine !== 'tab') await administratorSignsIn(page)
      if (engine === 'live') await anotherSignsIn(page)
    })
    after(async () => {
      page.verify()
      // The next one begins as a stranger.
      await page.evaluate(() => localStorage.clear())
      await page.close()
    })

    for (const dialect of ['redis', 'openshift', 'elasticsearch', 'gateway']) {
      test(`every route of ${dialect}, and its cases`, async () => {
        const routes = await page.evaluate(async id => {
          const all = (await moduleOf('js/catalogue/index.js')).routes.filter(({ dialect: known }) => known.id === id)
          return all.map(({ id: name, cases }) => ({ name, cases: cases.map(({ title, expect, tab, plain }) => ({ title, expect, tab, plain })) }))
        }, dialect)
        assert.ok(routes.length > 1)
        const wrong = []
        for (const { name, cases } of routes) {
          await page.evaluate(hash => document.querySelector(`.catalogue a[href="${hash}"]`).click(), `#/try/${dialect}/${name}`)
          await page.waitForFunction(hash => document.querySelector('.catalogue a[aria-current]')?.getAttribute('href') === hash && document.querySelector('.answer-body').textContent.startsWith('Nothing sent'), {}, `#/try/${dialect}/${name}`)
          note(wrong, `${dialect} ${name}`, STATUSES[`${dialect} ${name}`] ?? 200, await sendRequest(page), await body(page))
          for (const { title, expect, tab, plain } of cases) {
            // A live server may have administrators enough, and they may do what others may not.
            if ((tab && engine !== 'tab') || (plain && engine === 'alone')) {
              if (await pressCase(page, title)) wrong.push(`${dialect} ${name}: ${title} can be pressed`)
              continue
            }
            note(wrong, `${dialect} ${name}: ${title}`, expect, await play(page, title), await body(page))
          }
        }
        assert.deepEqual(wrong, [])
      })
    }
  })
}

test('each failure that is documented has a case, or is the answer itself', async () => {
  const page = await openPage(browser, server.url, { ready: false })
  const bare = await page.evaluate(async () => (await moduleOf('js/catalogue/index.js')).routes.flatMap(({ dialect, id, answers, cases }) => answers
    .filter(([status]) => status > 300 && !cases.some(({ expect }) => expect === status)).map(([status]) => `${dialect.id} ${id} ${status}`)))
  // These take public keys, or revocations by the million.
  const others = bare.filter(what => STATUSES[what.replace(/ \d+$/, '')] !== Number(what.slice(-3)))
  assert.deepEqual(others, ['gateway revocations 304', 'gateway revocations 503'])
  await page.close()
})

async function administratorSignsIn(page) {
  await signIn(page, ADMIN)
  await page.waitForFunction(() => document.querySelectorAll('.person').length === 1)
}

/** Somebody who is no administrator. */
async function anotherSignsIn(page) {
  const made = await fetch(`${server.url}/v1/users`, { method: 'POST', headers: { authorization: basic(), 'content-type': 'application/json' }, body: JSON.stringify(USER) })
  assert.equal(made.status, 200)
  await press(page, 'Sign in as somebody else too')
  await signIn(page, USER)
  await page.waitForFunction(() => document.querySelectorAll('.person').length === 2)
}

async function play(page, title) {
  assert.ok(await pressCase(page, title), `${title} cannot be pressed`)
  return answered(page)
}

const body = page => page.evaluate(() => document.querySelector('pre.body')?.textContent ?? '')

function note(wrong, what, status, came, text) {
  const code = CODES[what]
  if (!came.startsWith(String(status)) || (code && !text.includes(`"${code}"`))) wrong.push(`${what}: ${status} ${code ?? ''} expected, ${came} came with ${text.slice(0, 200)}`)
}

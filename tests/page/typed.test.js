// What somebody may type into a request, and what comes of it: in a shell, in the browser, and when the server is silent.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { ADMIN, openPage, pause, press, proxy, sendRequest, signIn, textOf, until, view, waitForText } from './harness.js'
import { browser, page, server } from './opened.js'

/** Puts values into the fields of the request. */
const put = (subject, values) => subject.evaluate(all => {
  for (const [id, value] of Object.entries(all)) {
    const field = document.getElementById(id)
    field.value = value
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
}, { method: 'POST', path: '/v1/users', as: 'none', raw: '', type: 'json', body: '', headers: '', ...values })

/** The words that a shell makes of a line. */
function words(line, variables = {}) {
  const { stdout, status, stderr } = spawnSync('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${line}`], { env: { PATH: process.env.PATH, HOME: '/somewhere', ...variables }, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.split('\0').slice(0, -1)
}

/** The server behind another one that leaves some of what is asked unanswered. */
const silentAt = isSilent => proxy(server, { asked({ url }, response, pass) { if (!isSilent(url)) pass() } })

test('an address that names no request is corrected', async () => {
  await page.evaluate(() => { location.hash = '#/try/redis/nonexistent' })
  await page.waitForFunction(() => location.hash === '#/try/redis/authorize')
})

test('a shell reads the line for it as it was typed, and fills in nothing but what is meant', async () => {
  const body = '@/etc/hostname $HOME `id` $(id) "a\\" \'b\' ! {{name}}\nsecond'
  await put(page, { as: 'raw', raw: 'Bearer {{token}} $HOME', body, type: '', path: '/v1/users/{{uid}}/$HOME?x=[1-3]&y={a,b}&z={{user.name}}' })
  assert.deepEqual(words(await textOf(page, 'pre.curl'), { TOKEN: 't t', NAME: 'n "n', MY_UID: '7', USER_NAME: 'u' }), [
    '-gi', '-H', 'Authorization: Bearer t t $HOME', '-H', 'Content-Type:', '--data-raw', body.replace('{{name}}', 'n "n'), `${server.url}/v1/users/7/$HOME?x=[1-3]&y={a,b}&z=u`,
  ])
})

test('a name is a name, whatever stands in it', async () => {
  for (const name of ['a; touch x', '$(id)', "it's", '`id`', 'a:b']) {
    await page.evaluate(async added => {
      const { engine } = await moduleOf('js/engines/current.js')
      engine.remember({ name: added, password: 'secret', role: 'db_viewer' })
    }, name)
    await put(page, { as: `password:${name}` })
    const [, , user] = words(await textOf(page, 'pre.curl'), { PASSWORD: 'p' })
    assert.equal(user, name === 'a:b' ? 'a:b:p' : name)
  }
})

test('the line for a shell says what is sent', async () => {
  const line = async values => { await put(page, values); return words(await textOf(page, 'pre.curl')).slice(0, -1) }
  assert.deepEqual(await line({ body: '@file', type: 'json' }), ['-i', '-H', 'Content-Type: application/json', '--data-raw', '@file'])
  assert.deepEqual(await line({ method: 'GET', body: '{}' }), ['-i'])
  assert.equal(await page.$eval('#body', element => element.disabled), true)
  assert.deepEqual(await line({ body: 'x', type: '' }), ['-i', '-H', 'Content-Type:', '--data-raw', 'x'])
  assert.deepEqual(await line({ headers: 'x-empty:\nx-full: 1' }), ['-i', '-X', 'POST', '-H', 'X-Empty;', '-H', 'X-Full: 1'])
  // And that is what goes out.
  const seen = []
  const between = await proxy(server, {
    asked(incoming, response, pass) {
      const chunks = []
      incoming.on('data', chunk => chunks.push(chunk)).on('end', () => seen.push([incoming.headers['content-type'], Buffer.concat(chunks).toString()]))
      pass()
    },
  })
  const other = await openPage(browser, between.url)
  await press(other, 'Live server', '#engines')
  await put(other, { path: '/auth/revoke', body: '@x', type: '' })
  await sendRequest(other)
  assert.deepEqual(seen.at(-1), [undefined, '@x'])
  assert.match(await textOf(other, '.answer pre.curl'), /-H Content-Type: [^]*--data-raw @x/)
  other.verify()
  await other.close()
  await between.stop()
})

test('what is filled in is told wherever it stands', async () => {
  for (const [name, text] of [['path', '/{{random}}'], ['body', '{{random}}'], ['headers', 'x-one: {{random}}']]) {
    await put(page, { [name]: text })
    assert.equal(await page.$eval('#hint', element => element.hidden), false, name)
  }
  await put(page, {})
  assert.equal(await page.$eval('#hint', element => element.hidden), true)
})

test('odd paths are sent as they stand, or it is said what is wrong with them', async () => {
  for (const path of ['//', '//[', '/\\', '//elsewhere.example/x', '/%']) {
    await put(page, { method: 'GET', path })
    assert.match(await sendRequest(page), /^40[04]/, path)
    assert.ok((await textOf(page, 'pre.curl')).includes(server.url))
  }
  const wrong = await page.evaluate(async () => {
    const { send } = await moduleOf('js/exchange.js')
    return send({ method: 'GET', path: 'x', as: 'none' }).then(() => 'sent', ({ message }) => message)
  })
  assert.equal(wrong, 'A path begins with “/”.')
  page.verify()
})

test('a header that cannot be sent is blamed, and not the engine', async () => {
  for (const values of [{ headers: 'bad header: x' }, { headers: 'x-thing: €' }, { as: 'raw', raw: 'Bearer €' }, { headers: 'x-waxseal-tab: 1' }, { headers: 'Cookie: a=b' }]) {
    await put(page, { path: '/auth/introspect', ...values })
    assert.match(await sendRequest(page), /^No page can send this header: /)
  }
  assert.doesNotMatch(await textOf(page, '.answer'), /On its way|did not answer/)
  page.verify()
})

test('the live server is not taken for the engine in the tab', async () => {
  await press(page, 'Live server', '#engines')
  await put(page, { path: '/auth/introspect', headers: 'X-Waxseal-Tab: 1' })
  assert.match(await sendRequest(page), /x-waxseal-tab/)
  await press(page, 'This tab', '#engines')
})

test('who waits for a server that is silent can give up, or switch the engine', async () => {
  const between = await silentAt(path => path.startsWith('/v1'))
  const other = await openPage(browser, between.url)
  await press(other, 'Live server', '#engines')
  await put(other, {})
  await press(other, 'Send', '.editor')
  await press(other, 'Cancel', '.answer')
  await waitForText(other, '.answer', 'The server did not answer: given up.')
  assert.equal(await other.evaluate(() => document.activeElement.className), 'card answer')
  await press(other, 'Send', '.editor')
  await press(other, 'This tab', '#engines')
  await waitForText(other, '.answer', 'The server did not answer')
  await put(other, { method: 'GET', path: '/healthz' })
  assert.match(await sendRequest(other), /^\d/)
  // Or waits no longer than the server itself would.
  await other.evaluate(() => {
    const { timeout } = AbortSignal
    AbortSignal.timeout = millis => timeout.call(AbortSignal, millis / 100)
  })
  await press(other, 'Live server', '#engines')
  await put(other, {})
  assert.equal(await sendRequest(other), 'No answer')
  await view(other, 'Time')
  other.verify()
  await other.close()
  await between.stop()
})

test('a line for a shell says where it would go, and what it still needs', async () => {
  await press(page, 'As it was', '.editor')
  await press(page, 'The same in a shell')
  const hint = '.editor .with-button + .quiet'
  assert.match(await textOf(page, hint), /^In a shell this goes to the live server/)
  await put(page, { path: '/v1/users/{{uid}}' })
  assert.match(await textOf(page, hint), /^Set the \$VARIABLES first.*goes to the live server/)
  await sendRequest(page)
  assert.match(await textOf(page, '.answer .with-button + .quiet'), /goes to the live server/)
  await press(page, 'Live server', '#engines')
  assert.equal((await textOf(page, hint)).includes('live server'), false)
  await press(page, 'This tab', '#engines')
})

test('what was typed and answered is still there after another view', async () => {
  await put(page, { path: '/v1/users/role', body: '{"a": 1}' })
  await sendRequest(page)
  await view(page, 'Time')
  await view(page, 'Try')
  assert.equal(await page.$eval('#path', element => element.value), '/v1/users/role')
  assert.ok(await page.$('.answer-head'))
})

test('a route is found in a section that was closed', async () => {
  const found = await page.evaluate(() => {
    const field = document.querySelector('input[type=search]')
    const narrow = text => { field.value = text; field.dispatchEvent(new Event('input')) }
    document.querySelector('.drawer').open = true
    document.querySelector('.routes > details').open = false
    narrow('my role')
    const seen = document.querySelector('.catalogue a[href="#/try/redis/own-role"]').checkVisibility()
    narrow('')
    return seen
  })
  assert.equal(found, true)
})

test('a credential may be long, and what fails for whatever reason is said to have', async () => {
  const [length, said] = await page.evaluate(async () => {
    const { base64 } = await moduleOf('js/base64.js')
    const { once } = await moduleOf('js/dom.js')
    const missed = []
    await once(document.createElement('button'), () => { throw new RangeError('too much') }, message => missed.push(message)).catch(() => {})
    return [base64('x'.repeat(300_000)).length, missed.join()]
  })
  assert.deepEqual([length, said], [400_000, 'too much'])
})

test('while a request is under way it is not put in place of another', async () => {
  const between = await silentAt(path => path.startsWith('/v1'))
  const other = await openPage(browser, between.url)
  await press(other, 'Live server', '#engines')
  await put(other, {})
  await press(other, 'Send', '.editor')
  await other.evaluate(() => document.querySelector('.case:enabled').click())
  assert.equal(await other.$eval('#path', element => element.value), '/v1/users')
  // It can be given up from another route, too.
  await other.evaluate(() => document.querySelector('.catalogue a[href="#/try/redis/roles"]').click())
  await waitForText(other, '#docs-title', 'All roles')
  await press(other, 'Cancel', '.answer')
  await waitForText(other, '.answer-body', 'Nothing sent')
  other.verify()
  await other.close()
  await between.stop()
})

test('an answer stays with the route that was asked', async () => {
  await page.evaluate(() => {
    document.querySelector('.editor').requestSubmit()
    document.querySelector('.catalogue a[href="#/try/redis/roles"]').click()
  })
  await waitForText(page, '.answer-body', 'Nothing sent')
  await page.waitForFunction(() => !document.querySelector('.editor button.primary').ariaDisabled)
  assert.equal(await page.$('.answer-head'), null)
})

const asked = (subject, draft) => subject.evaluate(async sent => {
  const { send } = await moduleOf('js/exchange.js')
  return send(sent).then(({ status }) => status, ({ message }) => message)
}, draft)

test('a token that was revoked is not used again', async () => {
  assert.equal(await asked(page, { method: 'POST', path: '/auth/revoke', as: 'password:ada', type: 'form', body: 'token={{token}}', fills: true }), 200)
  const verify = { method: 'GET', path: '/auth/verify', as: 'token:ada', headers: [] }
  assert.equal(await asked(page, verify), 401)
  assert.equal(await asked(page, verify), 204)
})

test('who replaced a list goes on with the new password', async () => {
  await asked(page, { method: 'PUT', path: '/v1/users/password', as: 'password:ada', type: 'json', headers: [], body: '{"new_password": "Marble-Saddle-Road-42"}' })
  await waitForText(page, '.people', 'Marble-Saddle-Road-42')
  assert.equal(await asked(page, { method: 'GET', path: '/v1/users/role', as: 'password:ada', headers: [] }), 200)
})

test('the ways of the page itself are no routes', async () => {
  for (const path of ['/admin/users', '/tab/state', '/./admin/users', '/x/../tab/state']) assert.equal(await asked(page, { method: 'GET', path, as: 'none', headers: [] }), 'This path is the page’s own.')
})

test('a suggested password is taken by every policy and guessed by nobody', async () => {
  const [all, verdicts] = await page.evaluate(async () => {
    const { fresh } = await moduleOf('js/fillings.js')
    const { engine } = await moduleOf('js/engines/current.js')
    const some = Array.from({ length: 50 }, fresh)
    const { json } = await engine.own('POST', '/tab/judge', { password: some[0] })
    return [some, Object.values(json).map(({ good }) => good)]
  })
  assert.deepEqual(verdicts, [true, true, true])
  for (const password of all) assert.match(password, /^Wax7(-[0-9a-v]{3}){4}$/)
  assert.equal(new Set(all.flatMap(password => password.slice(5).split('-'))).size > 150, true)
})

test('the metrics are not asked any more when the engine was switched meanwhile', async () => {
  let times = 0
  const between = await silentAt(path => path === '/metrics' && Boolean(times += 1))
  const other = await openPage(browser, between.url)
  await press(other, 'Live server', '#engines')
  await view(other, 'Observe')
  await until(() => times === 1, 'nobody asks for the metrics')
  await press(other, 'This tab', '#engines')
  await pause(2600)
  assert.equal(times, 1)
  await other.close()
  await between.stop()
})

test('what was filled in for one engine is not sent to the other', async () => {
  const sent = await page.evaluate(async () => {
    const { send } = await moduleOf('js/exchange.js')
    const { engine } = await moduleOf('js/engines/current.js')
    const { exchanges } = await moduleOf('js/exchanges.js')
    const going = send({ method: 'POST', path: '/auth/revoke', as: 'password:ada', type: 'form', body: 'token={{revoked}}', fills: true }).then(() => 'sent', ({ message }) => message)
    const before = exchanges.entries.length
    exchanges.addEventListener('add', () => engine.use('live'), { once: true })
    const said = await going
    engine.use('tab')
    return [said, exchanges.entries.slice(before).filter(entry => entry.engine === 'live').length]
  })
  assert.deepEqual(sent, ['The engine was switched, so this was not sent.', 0])
})

test('a password that was replaced in any way is the one that goes on', async () => {
  const ways = [
    ['PUT', '/_security/user/ada/_password', 'admin', { password: 'Saddle-Marble-Road-43' }],
    ['POST', '/_security/user/_password', 'ada', { password: 'Saddle-Marble-Road-44' }],
    ['PUT', '/_xpack/security/user/ada', 'admin', { roles: ['db_viewer'], password: 'Saddle-Marble-Road-45', email: 'ada@example.com' }],
    ['PUT', '/v1/users/2', 'admin', { password: 'Saddle-Marble-Road-46' }],
  ]
  for (const [method, path, who, body] of ways) {
    assert.equal(await asked(page, { method, path, as: `password:${who}`, type: 'json', headers: [], body: JSON.stringify(body) }), 200, path)
    await waitForText(page, '.people', body.password)
    assert.equal(await asked(page, { method: 'GET', path: '/v1/users/role', as: 'password:ada', headers: [] }), 200, path)
  }
  // One that was added stands for nobody yet.
  await asked(page, { method: 'POST', path: '/v1/users/password', as: 'password:ada', type: 'json', headers: [], body: '{"new_password": "Saddle-Marble-Road-47"}' })
  assert.doesNotMatch(await textOf(page, '.people'), /Road-47/)
})

test('why a password was refused is said in the words of who refused it', async () => {
  await page.evaluate(async () => (await moduleOf('js/engines/current.js')).engine.own('PUT', '/tab/settings', { policy: 'nist' }))
  await view(page, 'Passwords')
  await page.evaluate(() => { document.getElementById('fresh').value = 'short' })
  await press(page, 'Add')
  await waitForText(page, '.list .notice.bad', 'fewer than 15 characters')
  await page.evaluate(async () => (await moduleOf('js/engines/current.js')).engine.own('PUT', '/tab/settings', { policy: 'open' }))
  await view(page, 'Try')
})

test('a password that curl would make something else of stands as it was written', async () => {
  await put(page, { as: 'raw', raw: `Basic ${Buffer.from('a:b').toString('base64')}` })
  assert.deepEqual(words(await textOf(page, 'pre.curl')).slice(0, 5), ['-i', '-X', 'POST', '-u', 'a:b'])
  for (const basic of ['YTpi=', 'YTpj77+9Cg', Buffer.from('\ufeffa:b').toString('base64'), Buffer.from('a:\0b').toString('base64')]) {
    await put(page, { as: 'raw', raw: `Basic ${basic}` })
    assert.deepEqual(words(await textOf(page, 'pre.curl')).slice(3, 5), ['-H', `Authorization: Basic ${basic}`])
  }
})

test('a name in an answer turns nothing around that stands beside it', async () => {
  assert.equal(await asked(page, { method: 'PUT', path: '/_security/user/turned', as: 'password:admin', type: 'json', headers: [], fills: true, body: '{"password": "{{fresh}}", "roles": [], "full_name": "\u202Enimda"}' }), 200)
  await put(page, { method: 'GET', path: '/_security/user/turned', as: 'password:admin' })
  assert.equal(await sendRequest(page), '200 OK')
  assert.match(await textOf(page, 'pre.body'), /"full_name": "\\u202enimda"/)
  assert.equal(await page.evaluate(async () => (await moduleOf('js/words.js')).seen('a\x85\xad\u200b\u2028\u2060\ufeff\n')), 'a\\u0085\\u00ad\\u200b\\u2028\\u2060\\ufeff\n')
})

test('that there is no such user is not said to be a dialect that is switched off', async () => {
  await put(page, { method: 'GET', path: '/_security/user/nobody-here', as: 'password:admin' })
  assert.equal(await sendRequest(page), '404 Not Found')
  assert.match(await textOf(page, '.answer-body'), /There is no such thing\./)
})

test('a pair is opened by its access token', async () => {
  await page.evaluate(() => document.querySelector('.catalogue a[href="#/try/elasticsearch/token"]').click())
  await waitForText(page, '.answer-body', 'Nothing sent')
  assert.equal(await sendRequest(page), '200 OK')
  await press(page, 'Open the token')
  await waitForText(page, '#opened-title', 'A signed token')
  await view(page, 'Try')
})

test('the first step back goes back', async () => {
  const other = await openPage(browser, server.url)
  assert.equal(await textOf(other, '#docs-title'), 'Get a token')
  await press(other, 'All roles', '.catalogue').catch(() => other.evaluate(() => document.querySelector('.catalogue a[href="#/try/redis/roles"]').click()))
  await waitForText(other, '#docs-title', 'All roles')
  await other.goBack()
  await waitForText(other, '#docs-title', 'Get a token')
  other.verify()
  await other.close()
})

test('whom the other engine does not know is nobody there', async () => {
  await put(page, { as: 'password:ben' })
  await press(page, 'Live server', '#engines')
  await signIn(page, ADMIN)
  await waitForText(page, '.people', 'admin')
  assert.equal(await page.$eval('#as', element => element.value), 'none')
  await press(page, 'This tab', '#engines')
  assert.equal(await page.$eval('#as', element => element.value), 'password:ben')
  page.verify()
})

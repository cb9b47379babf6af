// The examples in `wasm/examples` and the README of the package, run.

import express from 'express'
import { Hono } from 'hono'
import { Miniflare } from 'miniflare'
import { strict as assert } from 'node:assert'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { generateRootKey, MemoryStore, Waxseal } from 'waxseal'
import { createSigner } from 'waxseal/verify'
import { forWorkerd } from './bundle.mjs'
import { forged } from './packed/smoke.mjs'
import { folder, here, output } from './programs.mjs'
import { site } from './site.mjs'
import { chromium } from './webdriver.mjs'

// A copy beside the packages that the examples import.
const examples = folder()
const sources = join(here, '../../wasm')
before(() => {
  cpSync(join(sources, 'examples'), examples, { recursive: true })
  symlinkSync(join(here, 'node_modules'), join(examples, 'node_modules'))
})
const example = name => import(join(examples, name))
const workerd = { compatibilityDate: '2026-04-01', cf: false }

const key = 'a secret of at least 32 octets, or more'
const jwk = { kty: 'oct', kid: 'k', alg: 'HS256', k: Buffer.from(key).toString('base64url') }
const sign = createSigner({ key, kid: 'k', issuer: 'me', expiresIn: 60 })

async function listening(app) {
  const server = createServer(app)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => new Promise(resolve => (server.closeAllConnections(), server.close(resolve))) }
}

async function guarded(ask) {
  const bearer = token => ({ headers: { authorization: `Bearer ${token}` } })
  const good = await ask(bearer(sign({ sub: 'ann' })))
  assert.deepEqual([good.status, await good.text()], [200, 'hello ann'])
  for (const options of [{}, bearer('x'), bearer(`${sign({ sub: 'ann' })}x`), bearer(createSigner({ key, kid: 'k', issuer: 'other', expiresIn: 60 })({ sub: 'ann' })), { headers: { authorization: 'Basic YTpi' } }]) {
    const refused = await ask(options)
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate'), /^Bearer/)
  }
}

test('a worker guards an origin', async () => {
  const origin = await listening((request, response) => response.end(`hello ${request.headers['x-auth-user']}${request.headers.authorization ?? ''}`))
  const modules = await forWorkerd(join(examples, 'worker-guard/worker.mjs'))
  const miniflare = new Miniflare({ ...workerd, modules, kvNamespaces: ['REVOKED'], bindings: { KEYS: JSON.stringify({ keys: [jwk] }), ISSUER: 'me', ORIGIN: origin.url } })
  try {
    await guarded(options => miniflare.dispatchFetch('http://guard/path', options))
    const token = sign({ sub: 'ann' })
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
    await (await miniflare.getKVNamespace('REVOKED')).put(jti, '')
    assert.equal((await miniflare.dispatchFetch('http://guard/', { headers: { authorization: `Bearer ${token}` } })).status, 401)
  } finally {
    await miniflare.dispose()
    await origin.stop()
  }
})

test('a worker goes nowhere but to its origin, and says who is asking by itself', async () => {
  const asked = []
  const origin = await listening((request, response) => response.end(JSON.stringify({ url: request.url, ...request.headers })))
  const thief = await listening((request, response) => response.end(String(asked.push(request.headers))))
  const modules = await forWorkerd(join(examples, 'worker-guard/worker.mjs'))
  const miniflare = new Miniflare({ ...workerd, modules, kvNamespaces: ['REVOKED'], bindings: { KEYS: JSON.stringify({ keys: [jwk] }), ISSUER: 'me', ORIGIN: `${origin.url}/below?x` } })
  const ask = (path, sub, headers) => miniflare.dispatchFetch(`http://guard${path}`, { headers: { authorization: `Bearer ${sign({ sub })}`, cookie: 'session=1', ...headers } })
  try {
    const host = new URL(thief.url).host
    for (const [path, told] of [[`//${host}/a?b=1`, `//${host}/a?b=1`], [`/\\${host}/a`, `//${host}/a`], ['/a%2f?', '/a%2f'], ['/?b=1', '/?b=1']]) {
      const answer = await ask(path, 'ann')
      assert.equal(answer.status, 200)
      assert.equal((await answer.json()).url, told)
    }
    assert.deepEqual(asked, [])

    const forged = { 'x-auth-user': 'root', 'X-Auth-Role': 'admin', 'x-auth-uid': '1', 'x-auth-email': 'root@example.com', x_auth_role: 'admin', 'x-other': 'kept' }
    const told = await (await ask('/', 'ann of "here", 2', forged)).json()
    assert.deepEqual(Object.entries(told).filter(([name]) => /^x.auth|^x-other/.test(name)).sort(), [['x-auth-user', 'ann of "here", 2'], ['x-other', 'kept']])
    for (const sub of ['\u6f22', 'é', ' ann', 'ann ', 'ann\r\nx-auth-role: admin', 'ann\0', '\t']) {
      const refused = await ask('/', sub)
      assert.deepEqual([refused.status, await refused.text()], [403, ''], sub)
    }
  } finally {
    await miniflare.dispose()
    await Promise.all([origin, thief].map(server => server.stop()))
  }
})

describe('that nobody can decide is not said of the token', () => {
  const shown = () => ({ headers: { authorization: `Bearer ${sign({ sub: 'ann' })}` } })

  /** Asks what `open` gives while its verifier stops and there is no room for another, and once there is. */
  async function withoutRoom(open) {
    const { Instance } = WebAssembly
    let isFull = false
    let memory
    WebAssembly.Instance = function (...args) {
      if (isFull) throw new RangeError('Out of memory')
      const instance = new Instance(...args)
      memory = instance.exports.memory
      return instance
    }
    try {
      const ask = await open()
      assert.equal((await ask()).status, 200)
      new Uint8Array(memory.buffer).fill(0xff)
      isFull = true
      for (let turn = 0; turn < 2; turn++) {
        const { status, headers } = await ask()
        assert.deepEqual([status, headers.get('retry-after'), headers.get('www-authenticate')], [503, '2', null])
      }
      isFull = false
      assert.equal((await ask()).status, 200)
    } finally {
      WebAssembly.Instance = Instance
    }
  }

  test('by the worker', async () => {
    const { default: worker } = await example('worker-guard/worker.mjs')
    const origin = await listening((request, response) => response.end())
    const env = { KEYS: JSON.stringify({ keys: [jwk] }), ISSUER: 'me', ORIGIN: origin.url, REVOKED: { get: async () => null } }
    try {
      await withoutRoom(() => () => worker.fetch(new Request('http://guard/', shown()), env))
    } finally {
      await origin.stop()
    }
  })
  test('by Express', async () => {
    const { guard } = await example('middleware/express.mjs')
    let server
    try {
      await withoutRoom(async () => {
        server = await listening(express().use(guard({ keys: [jwk], issuer: 'me' }), (request, response) => response.end()))
        return () => fetch(server.url, shown())
      })
    } finally {
      await server?.stop()
    }
  })
  test('by Hono', async () => {
    const { guard } = await example('middleware/hono.mjs')
    await withoutRoom(() => {
      const app = new Hono().use(guard({ keys: [jwk], issuer: 'me' })).get('/', context => context.text('good'))
      return () => app.request('/', shown())
    })
  })
})

describe('a worker guards an origin with public keys', () => {
  const admin = { authorization: `Basic ${btoa('admin:Grey-Heron 27 lantern')}`, 'content-type': 'application/json' }

  /** The worker, its issuer, and an origin. `held.up` keeps requests to the issuer waiting. */
  async function setUp() {
    const issuer = new Waxseal({ store: new MemoryStore(), settings: { signing_algorithm: 'ES256', gateway: { revocations_every: 1 } } })
    await issuer.bootstrap({ password: 'Grey-Heron 27 lantern' })
    const call = (path, options) => issuer.fetch(new Request(`http://issuer${path}`, options))
    const held = { up: undefined, asked: 0 }
    const auth = await listening(async (request, response) => {
      held.asked++
      await held.up
      const answer = await call(request.url, { headers: { accept: request.headers.accept } })
      response.writeHead(answer.status, [...answer.headers].flat()).end(await answer.text())
    })
    const origin = await listening((request, response) => response.end(`hello ${request.headers['x-auth-user']}${request.headers.authorization ?? ''}`))
    const modules = await forWorkerd(join(examples, 'worker-guard/public.mjs'))
    const miniflare = new Miniflare({ ...workerd, modules, bindings: { AUTH: auth.url, ISSUER: 'waxseal', ORIGIN: origin.url } })
    const login = async () => (await (await call('/v1/users/authorize', { method: 'POST', headers: admin, body: '{}' })).json()).access_token
    const ask = (token, options) => miniflare.dispatchFetch('http://guard/path', { headers: token && { authorization: `Bearer ${token}` }, ...options })
    const stop = async () => {
      await miniflare.dispose()
      await Promise.all([auth, origin].map(server => server.stop()))
      issuer.close()
    }
    return { call, login, ask, held, stop }
  }

  test('and passes what the issuer would', async () => {
    const { call, login, ask, held, stop } = await setUp()
    try {
      const [token, other] = [await login(), await login()]
      const answers = await Promise.all([token, other, token, other].map(one => ask(one)))
      assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200])
      assert.equal(await answers[0].text(), 'hello 1')
      assert.equal(held.asked, 2, 'keys and snapshot, once')
      for (const bad of [undefined, 'x', forged(token), sign({ sub: 'ann' })]) {
        const refused = await ask(bad)
        assert.equal(refused.status, 401)
        assert.match(refused.headers.get('www-authenticate'), /^Bearer/)
      }
      const headers = { authorization: `Bearer ${other}` }
      assert.equal((await call('/auth/revoke', { method: 'POST', headers, body: new URLSearchParams({ token }) })).status, 200)
      assert.equal((await ask(token)).status, 200, 'it does not know yet')
    } finally {
      await stop()
    }
  })
  test('and says that it cannot tell while the issuer is silent, and no longer', async () => {
    const { login, ask, held, stop } = await setUp()
    try {
      const token = await login()
      let go
      held.up = new Promise(resolve => { go = resolve })
      const waiting = await Promise.all([ask(token), ask(token)])
      assert.deepEqual(waiting.map(({ status, headers }) => [status, headers.get('retry-after')]), [[503, '2'], [503, '2']])
      held.up = undefined
      go()
      for (let tries = 0; (await ask(token)).status !== 200; tries++) {
        assert.ok(tries < 50, 'it does not ask again')
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    } finally {
      await stop()
    }
  })
})

test('a worker is the whole server, and what it knows survives a restart', async () => {
  const modules = await forWorkerd(join(examples, 'worker-server/worker.mjs'))
  const persist = folder()
  const bindings = { ROOT_KEY: Buffer.from(generateRootKey()).toString('base64url'), ADMIN_PASSWORD: 'Grey-Heron 27 lantern' }
  const start = () => new Miniflare({ ...workerd, modules, bindings, durableObjects: { SERVER: { className: 'Server', useSQLite: true } }, durableObjectsPersist: persist })
  const basic = (name, password) => ({ authorization: `Basic ${btoa(`${name}:${password}`)}`, 'content-type': 'application/json' })
  const admin = basic('admin', bindings.ADMIN_PASSWORD)
  const login = (server, headers) => server.dispatchFetch('http://server/v1/users/authorize', { method: 'POST', headers, body: '{}' })

  let server = start()
  const created = await server.dispatchFetch('http://server/v1/users', { method: 'POST', headers: admin, body: JSON.stringify({ name: 'ann', email: 'ann@example.com', password: 'first tea, then work', role: 'db_viewer' }) })
  assert.equal(created.status, 200)
  const { access_token: token } = await (await login(server, basic('ann', 'first tea, then work'))).json()
  assert.equal((await login(server, basic('ann', 'wrong'))).status, 401)
  await server.dispose()

  server = start()
  try {
    assert.equal((await login(server, admin)).status, 200)
    assert.equal((await login(server, basic('ann', 'first tea, then work'))).status, 200)
    const verified = await server.dispatchFetch('http://server/auth/verify', { headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual([verified.status, verified.headers.get('x-auth-user')], [204, 'ann'])
    assert.equal((await server.dispatchFetch('http://server/admin/users')).status, 404)
  } finally {
    await server.dispose()
  }
})

describe('middleware', () => {
  test('Express', async () => {
    const { guard } = await example('middleware/express.mjs')
    const app = express().use(guard({ keys: [jwk], issuer: 'me' }))
    app.get('/', (request, response) => response.send(`hello ${request.claims.sub}`))
    const { url, stop } = await listening(app)
    try {
      await guarded(options => fetch(url, options))
    } finally {
      await stop()
    }
  })
  test('Hono', async () => {
    const { guard } = await example('middleware/hono.mjs')
    const app = new Hono().use(guard({ keys: [jwk], issuer: 'me' })).get('/', context => context.text(`hello ${context.get('claims').sub}`))
    await guarded(options => app.request('/', options))
  })
})

test('a plain page keeps its users over a reload', async () => {
  const root = join(examples, 'page')
  cpSync(join(here, 'node_modules/waxseal'), join(root, 'waxseal'), { recursive: true, dereference: true })
  const { url, stop } = await site({}, { folder: root })
  const browser = await chromium()
  const enter = password => browser.evaluate(`
    document.getElementById('password').value = args[0]
    document.getElementById('verdict').textContent = ''
    document.getElementById('sign-in').requestSubmit()
    for (let i = 0; i < 200 && !document.getElementById('verdict').textContent; i++) await new Promise(go => setTimeout(go, 50))
    return [document.getElementById('verdict').textContent, document.getElementById('token').textContent.split('.').length]`, password)
  try {
    await browser.visit(`${url}/index.html`)
    assert.deepEqual(await enter('a quite long passphrase'), ['The administrator was made, and is signed in.', 3])
    await browser.visit(`${url}/index.html`)
    assert.deepEqual(await enter('another passphrase'), ['Wrong password.', 1])
    assert.deepEqual(await enter('a quite long passphrase'), ['Signed in.', 3])
  } finally {
    await browser.stop()
    await stop()
  }
})

describe('the README of the package', () => {
  const text = readFileSync(join(sources, 'js/README.md'), 'utf8')
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code)
  test('has examples', () => assert.ok(blocks.length >= 4))
  for (const [i, code] of blocks.entries()) {
    // What needs a browser or a file of the reader's is marked so, and run elsewhere.
    const title = code.split('\n')[0]
    test(`block ${i + 1}: ${title}`, async t => {
      if (/indexeddb|\.\/waxseal\/|cloudflare:/.test(code)) return t.diagnostic('covered by the page and worker examples')
      const file = join(examples, `readme-${i}.mjs`)
      mkdirSync(examples, { recursive: true })
      writeFileSync(file, code.replace(/console\.assert\((.*)\)$/gm, 'if (!($1)) throw new Error(`not so: $1`)'))
      await output(process.execPath, [file], { cwd: examples })
    })
  }
  test("lists the owner's routes as the engine has them, with the members of their bodies", async () => {
    const waxseal = new Waxseal({ store: new MemoryStore() })
    const admin = async (method, path, body) => {
      const response = await waxseal.admin(new Request(`http://localhost${path}`, { method, body: body && JSON.stringify(body) }))
      return { status: response.status, allow: response.headers.get('allow'), told: await response.json().catch(() => undefined) }
    }
    const rows = [...text.matchAll(/^\| `([A-Z]+) (\/admin\/\S+)` \| (.*?) ?\| (\d+)/gm)].map(([, method, path, members, status]) => ({ method, path, members, status }))
    const routes = new Map()
    for (const { method, path } of rows) routes.set(path, [...(routes.get(path) ?? []), method])
    for (const [path, methods] of routes) {
      const { status, allow } = await admin('OPTIONS', path.replace('WHO', '1'))
      assert.equal(status, 405, path)
      assert.deepEqual(allow.split(', ').filter(method => method !== 'HEAD').sort(), methods.sort(), path)
    }
    // As core's own tests list them.
    const core = readFileSync(join(here, '../../core/src/dialect/admin/mod.rs'), 'utf8').match(/const ROUTES.*?^ {4}\];/ms)[0]
    const known = [...core.matchAll(/\("([^"%]+)", "[A-Z, ]+"\)/g)].map(([, path]) => `/admin/${path.replace('users/1', 'users/WHO').replace('keys/k/', 'keys/KID/')}`)
    assert.deepEqual([...routes.keys()].sort(), known.sort())
    for (const { method, path, members } of rows.filter(({ method, members }) => method !== 'GET' && method !== 'DELETE' && members)) {
      for (const [, name] of members.matchAll(/`(\w+)`\??(?=,| or| and|$| \()/g)) {
        if (name === 'WHO') continue
        const { told } = await admin(method, path.replace('WHO', '1'), { [name]: [null] })
        assert.notEqual(told.error, 'unknown_member', `${method} ${path}: ${name}`)
      }
      const { told } = await admin(method, path.replace('WHO', '1'), { none: 1 })
      assert.equal(told.error, 'unknown_member', `${method} ${path}`)
    }
  })
})

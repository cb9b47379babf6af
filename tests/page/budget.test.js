// What is sent to a browser that has never been here. Times are printed, not judged: they are the machine's as much as the page's.

import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { after, before, test } from 'node:test'
import { allKept, launch, openPage, proxy, startServer } from './harness.js'

/** The page itself, and with it the whole engine, in octets after brotli. */
const PAGE = 44_500
const ALL = 320_500
/** What the engine in the tab is made of. */
const isEngine = file => /\/(engine\.js|.*\.wasm)$/.test(file)
let server

before(async () => { server = await startServer() })
after(() => server?.stop())

test('the page and the engine stay within their octets', async () => {
  const files = Object.keys(await (await fetch(`${server.url}/files.json`)).json())
  assert.ok(files.includes('index.html') && files.some(isEngine))
  const sizes = await Promise.all(files.map(async file => [file, await octets(`/${file}`)]))
  const sum = some => some.reduce((total, [, size]) => total + size, 0)
  const page = sum(sizes.filter(([file]) => !isEngine(file)))
  const all = sum(sizes)
  for (const [file, size] of sizes.sort(([, a], [, b]) => b - a).slice(0, 5)) console.log(`${size} ${file}`)
  console.log(`the page: ${page} octets in ${files.filter(file => !isEngine(file)).length} files; with the engine: ${all} octets`)
  assert.ok(page <= PAGE, `the page has grown to ${page} octets`)
  assert.ok(all <= ALL, `page and engine have grown to ${all} octets`)
})

test('how long it takes to paint, to be usable, to have an engine', async () => {
  const browser = await launch()
  const times = []
  for (let round = 0; round < 3; round += 1) {
    const context = await browser.createBrowserContext()
    const begun = Date.now()
    const page = await openPage(context, server.url)
    const engine = Date.now() - begun
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)
    const usable = await page.evaluate(() => performance.getEntriesByName('usable')[0]?.startTime ?? 0)
    assert.ok(usable > 0)
    times.push({ paint: Math.round(paint), usable: Math.round(usable), engine })
    page.verify()
    await context.close()
  }
  console.log(`ms to first paint, to a usable page, to a ready engine: ${times.map(({ paint, usable, engine }) => `${paint}, ${usable}, ${engine}`).join('; ')}`)
  await browser.close()
})

test('the first view needs one script and one style sheet, and nothing of the others', async () => {
  const browser = await launch()
  const page = await browser.newPage()
  const asked = []
  page.on('request', request => asked.push(new URL(request.url()).pathname.replace(/^\/page\/[0-9a-f]{16}\//, '')))
  // Without the engine, whose files the service worker asks for.
  await page.evaluateOnNewDocument(() => { delete Navigator.prototype.serviceWorker })
  await page.goto(server.url, { waitUntil: 'networkidle0' })
  assert.deepEqual([...new Set(asked)].filter(path => !/^(engine\.|kdf\.)/.test(path)).sort(), ['/', '/favicon.svg', 'main.js', 'style.css'])
  assert.ok((await page.$$('.catalogue a')).length > 20)
  await browser.close()
})

test('a second visit asks for what names the other files, and for no other', async () => {
  let asked = []
  const between = await proxy(server, {
    asked({ url }, response, pass) {
      asked.push(url)
      pass()
    },
  })
  const browser = await launch()
  const visit = async () => {
    const page = await openPage(browser, between.url)
    await allKept(page)
    await page.waitForNetworkIdle()
    page.verify()
    await page.close()
    return asked
  }
  const first = await visit()
  console.log(`a first visit asks for ${first.join(', ')}`)
  const large = first.filter(path => /\.(wasm|css)$|\/(main|views)\.js$/.test(path))
  assert.deepEqual(large, [...new Set(large)], 'something was sent twice')
  asked = []
  const second = await visit()
  assert.ok(second.includes('/'), second.join(', '))
  assert.deepEqual(second.filter(path => !['/', '/sw.js', '/files.json', '/favicon.svg'].includes(path)), [])
  await browser.close()
  await between.stop()
})

test('the page asks no other host, not even one that it is told of', async () => {
  let asked = 0
  const other = createServer((_, response) => { asked += 1; response.end() })
  await new Promise(resolve => { other.listen(0, '127.0.0.1', resolve) })
  const browser = await launch()
  const page = await openPage(browser, server.url)
  const blocked = await page.evaluate(url => fetch(url, { mode: 'no-cors' }).then(() => 'sent', () => 'blocked'), `http://127.0.0.1:${other.address().port}/`)
  assert.equal(blocked, 'blocked')
  assert.equal(asked, 0)
  await browser.close()
  other.close()
})

/** The octets of a file as a browser gets it. */
function octets(path) {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { headers: { 'accept-encoding': 'br', accept: path === '/index.html' ? 'text/html' : '*/*' } }, response => {
      assert.equal(response.statusCode, 200, path)
      let size = 0
      response.on('data', chunk => { size += chunk.length })
      response.on('end', () => resolve(size))
    })
    sent.on('error', reject).end()
  })
}

// What is sent to a browser that has never been here. Times are printed, not judged: they are the machine's as much as the page's.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { launch, openPage, startServer } from './harness.js'

/** The page itself, and with it the whole engine, in octets after brotli. */
const PAGE = 80_000
const ALL = 420_000
let server

before(async () => { server = await startServer() })
after(() => server?.stop())

test('the page and the engine stay within their octets', async () => {
  const files = Object.keys(await (await fetch(`${server.url}/files.json`)).json())
  assert.ok(files.includes('index.html') && files.includes('engine/wasm/engine.wasm'))
  const sizes = await Promise.all(files.map(async file => [file, await octets(`/${file}`)]))
  const sum = some => some.reduce((total, [, size]) => total + size, 0)
  const page = sum(sizes.filter(([file]) => !file.startsWith('engine/')))
  const all = sum(sizes)
  for (const [file, size] of sizes.sort(([, a], [, b]) => b - a).slice(0, 5)) console.log(`${size} ${file}`)
  console.log(`the page: ${page} octets in ${files.filter(file => !file.startsWith('engine/')).length} files; with the engine: ${all} octets`)
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

test('what the first view needs is loaded at once, and nothing else', async () => {
  const browser = await launch()
  const page = await browser.newPage()
  const asked = new Set()
  page.on('request', request => {
    const { pathname } = new URL(request.url())
    if (request.frame() && pathname.startsWith('/js/')) asked.add(pathname.slice(1))
  })
  // Without the engine, whose files the service worker asks for.
  await page.evaluateOnNewDocument(() => { delete Navigator.prototype.serviceWorker })
  await page.goto(server.url, { waitUntil: 'networkidle0' })
  const own = [...asked].filter(file => file !== 'js/main.js' && !file.startsWith('js/tab/')).sort()
  const named = await page.$$eval('link[rel=modulepreload]', all => all.map(link => link.getAttribute('href')).sort())
  assert.deepEqual(named, own)
  await browser.close()
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

// `cargo xtask bench page`: the tables of docs/page.md. How soon the page paints and can be used, and what is sent for it, on this
// machine's own loopback. WAXSEAL_BIN names the server, ROUNDS how often it is loaded.

import { createServer } from 'node:http'
import { allKept, engineReady, launch, pause, proxy, startServer } from './harness.js'

const ROUNDS = Number(process.env.ROUNDS ?? 9)
const TIMES = [
  ['first contentful paint', 'paint', 100],
  ['interactive: the view Try takes input', 'usable', 300],
  ['the engine in the tab has answered', 'engine', undefined],
]
/** What the browser takes for a page that has nothing to load. */
const BARE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Ten lines</title>
</head>
<body>
  <h1>Ten lines</h1>
</body>
</html>
`
const PARTS = [
  ['the page: markup, style sheet, icon', path => /^\/($|index\.html|favicon\.svg)|\.css$/.test(path)],
  ['the page: scripts', path => /^\/sw\.js|\/(main|views)\.js$/.test(path)],
  ['the engine: script', path => path.endsWith('/engine.js')],
  ['`engine.wasm`', path => path.endsWith('/engine.wasm')],
  ['`kdf.wasm`', path => path.endsWith('/kdf.wasm')],
  ['the list of files', path => path === '/files.json'],
  ['else', () => true],
]

const bare = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html', 'cache-control': 'no-cache' }).end(BARE))
await new Promise(resolve => { bare.listen(0, '127.0.0.1', resolve) })
const server = await startServer()
const browser = await launch()
try {
  // The first page of a browser pays for the start of the browser.
  await visit(await browser.createBrowserContext(), server.url)
  const times = { bare: [], cold: [], warm: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    const context = await browser.createBrowserContext()
    times.bare.push(await painted(context, `http://127.0.0.1:${bare.address().port}`))
    times.cold.push(await visit(context, server.url))
    times.warm.push(await visit(context, server.url))
    await context.close()
  }
  console.log(`Chromium ${(await browser.version()).replace(/^.*\//, '')}, median of ${ROUNDS} loads, in brackets the fastest and the slowest.\n`)
  console.log('| | goal | nothing cached | second visit |\n|---|---|---|---|')
  console.log(`| a page of ten lines: first contentful paint | | ${shown(times.bare)} | |`)
  for (const [what, name, goal] of TIMES) {
    const cells = [times.cold, times.warm].map(list => {
      const ratios = list.map((load, round) => load[name] / times.bare[round]).sort((a, b) => a - b)
      return `${shown(list.map(load => load[name]), goal)}; ${ratios[ratios.length >> 1].toFixed(1)} × ten lines`
    })
    console.log(`| ${what} | ${goal === undefined ? '' : `${goal} ms`} | ${cells.join(' | ')} |`)
  }
  const sent = await octets(server, await browser.createBrowserContext())
  console.log('\n| octets sent, with headers | nothing cached | second visit |\n|---|---|---|')
  for (const [what] of PARTS) {
    if (sent.cold.has(what) || sent.warm.has(what)) console.log(`| ${what} | ${sent.cold.get(what) ?? 0} | ${sent.warm.get(what) ?? 0} |`)
  }
  const all = counts => [...counts.values()].reduce((sum, size) => sum + size, 0)
  console.log(`| all | ${all(sent.cold)} | ${all(sent.warm)} |`)
} finally {
  await browser.close()
  await server.stop()
  bare.close()
}

/** One load of a page without scripts: when it painted. */
async function painted(context, url) {
  const page = await context.newPage()
  await page.goto(url)
  const paint = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
  const when = await paint.jsonValue()
  await page.close()
  return when
}

/** One load: when it painted, could be used and had an engine, in milliseconds since it was asked for. */
async function visit(context, url) {
  const page = await context.newPage()
  await page.evaluateOnNewDocument(text => {
    const look = new MutationObserver(() => {
      if (!document.querySelector('.where')?.textContent.includes(text)) return
      performance.mark('engine')
      look.disconnect()
    })
    look.observe(document, { subtree: true, childList: true, characterData: true })
  }, 'The engine runs in this tab')
  await page.goto(url)
  await engineReady(page)
  const when = await page.evaluate(() => {
    const at = name => performance.getEntriesByName(name)[0]?.startTime
    return { paint: at('first-contentful-paint'), usable: at('usable'), engine: at('engine') }
  })
  for (const [name, time] of Object.entries(when)) if (time === undefined) throw new Error(`the page does not say when it came to \`${name}\``)
  // What is kept for working offline is fetched behind the engine.
  await quiet(page)
  await page.close()
  return when
}

/** Waits until the service worker has kept every file, and is done with it. */
async function quiet(page) {
  await allKept(page)
  await pause(300)
}

/** What the server sends for a first and a second visit, counted between it and the browser; that takes time, so none is measured. */
async function octets(server, context) {
  let counts
  const between = await proxy(server, {
    answered({ url }, answer) {
      const { statusCode, statusMessage, rawHeaders } = answer
      const [what] = PARTS.find(([, holds]) => holds(url.replace(/\?.*/, '')))
      const count = size => counts.set(what, (counts.get(what) ?? 0) + size)
      count(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n\r\n`.length + rawHeaders.reduce((sum, text) => sum + text.length + 2, 0))
      answer.on('data', chunk => { count(chunk.length) })
    },
  })
  const visits = {}
  for (const name of ['cold', 'warm']) {
    counts = visits[name] = new Map()
    await visit(context, between.url)
  }
  await context.close()
  await between.stop()
  return visits
}

function shown(list, goal) {
  const sorted = [...list].sort((a, b) => a - b)
  const median = sorted[sorted.length >> 1]
  const digits = `${Math.round(median)} ms (${Math.round(sorted[0])}–${Math.round(sorted.at(-1))})`
  return goal !== undefined && median >= goal ? `${digits}, missed` : digits
}

// The one list of HTTP cases, through `fetch` in every runtime.

import { describe, test } from 'node:test'
import { caseFiles } from './files.mjs'
import { inChromium, inProcess, inWorkerd, nodeWithSqlite } from './places.mjs'
import { bin, deno, folder, served } from './programs.mjs'

const files = caseFiles()

const places = {
  'node, memory': () => inProcess(process.execPath, ['run.mjs', 'memory']),
  'node, memory, the modules of the page': playWithThePage,
  'node, file': () => inProcess(process.execPath, ['run.mjs', 'file', folder()]),
  ...(nodeWithSqlite ? { 'node, sqlite': () => inProcess(nodeWithSqlite, ['run.mjs', 'sqlite', folder()]) } : {}),
  'deno, memory': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'memory']),
  'deno, sqlite': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'sqlite', folder()]),
  'deno, deno kv': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'deno-kv', folder()]),
  'bun, memory': () => inProcess(bin('bun'), ['run.mjs', 'memory']),
  'bun, file': () => inProcess(bin('bun'), ['run.mjs', 'file', folder()]),
  'workerd, durable object': playInWorkerd,
  'chromium, memory': () => playInChromium('memory'),
  'chromium, indexeddb': () => playInChromium('indexeddb'),
}

for (const [place, run] of Object.entries(places)) {
  // One after another: each of them keeps a core busy.
  const results = await run().catch(error => [{ name: 'it runs', failure: error.stack }])
  describe(place, () => {
    for (const { name, failure } of results) {
      test(name, () => {
        if (failure !== undefined && failure !== null) throw new Error(failure)
      })
    }
    test('every scenario was played', () => {
      const expected = files.reduce((sum, file) => sum + file.scenarios.length, 0)
      if (results.length !== expected) throw new Error(`${results.length} of ${expected}`)
    })
  })
}

async function playWithThePage() {
  const { url, stop } = await served([])
  try {
    return await inProcess(process.execPath, ['run.mjs', 'page', url])
  } finally {
    await stop()
  }
}

async function playInWorkerd() {
  return inWorkerd(async miniflare => {
    const results = []
    for (const file of files) {
      const alone = file.scenarios.map(scenario => ({ ...file, scenarios: [scenario] }))
      if (alone.length === 0) continue
      const response = await miniflare.dispatchFetch('http://localhost/', { method: 'POST', body: JSON.stringify(alone) })
      if (!response.ok) throw new Error(await response.text())
      results.push(...(await response.json()))
    }
    return results
  })
}

async function playInChromium(kind) {
  return inChromium(browser => browser.evaluate('return playCases(args[0], args[1])', files, kind))
}

// The one list of HTTP cases, through `fetch` in every runtime.

import { Miniflare } from 'miniflare'
import { describe, test } from 'node:test'
import { forBrowser, forWorkerd } from './bundle.mjs'
import { caseFiles } from './files.mjs'
import { bin, deno, folder, output } from './programs.mjs'
import { site } from './site.mjs'
import { chromium } from './webdriver.mjs'

const files = caseFiles()
const hasSqlite = Number(process.versions.node.split('.')[0]) >= 24

const places = {
  'node, memory': () => inProcess(process.execPath, ['run.mjs', 'memory']),
  'node, file': () => inProcess(process.execPath, ['run.mjs', 'file', folder()]),
  // Node has it from version 22.13 on; Deno's is the same, by the same name.
  ...(hasSqlite ? { 'node, sqlite': () => inProcess(process.execPath, ['run.mjs', 'sqlite', folder()]) } : {}),
  'deno, memory': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'memory']),
  'deno, sqlite': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'sqlite', folder()]),
  'deno, deno kv': () => inProcess(bin('deno'), [...deno, 'run.mjs', 'deno-kv', folder()]),
  'bun, memory': () => inProcess(bin('bun'), ['run.mjs', 'memory']),
  'bun, file': () => inProcess(bin('bun'), ['run.mjs', 'file', folder()]),
  'workerd, durable object': inWorkerd,
  'chromium, memory': () => inChromium('memory'),
  'chromium, indexeddb': () => inChromium('indexeddb'),
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

async function inProcess(program, args) {
  return JSON.parse(await output(program, args, { env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' } }))
}

async function inWorkerd() {
  const miniflare = new Miniflare({
    modules: await forWorkerd('workers/cases.mjs'), compatibilityDate: '2026-04-01', cf: false,
    durableObjects: { WORLDS: { className: 'World', useSQLite: true } },
  })
  try {
    const results = []
    for (const file of files) {
      const alone = file.scenarios.map(scenario => ({ ...file, scenarios: [scenario] }))
      if (alone.length === 0) continue
      const response = await miniflare.dispatchFetch('http://localhost/', { method: 'POST', body: JSON.stringify(alone) })
      if (!response.ok) throw new Error(await response.text())
      results.push(...(await response.json()))
    }
    return results
  } finally {
    await miniflare.dispose()
  }
}

async function inChromium(kind) {
  const { url, stop } = await site({ '/': '<!doctype html><script type="module" src="cases.js"></script>', '/cases.js': await forBrowser('pages/cases.mjs') })
  const browser = await chromium()
  try {
    await browser.visit(url)
    return await browser.evaluate('return playCases(args[0], args[1])', files, kind)
  } finally {
    await browser.stop()
    await stop()
  }
}

// Where lists of scenarios are played, and how their results come back.

import { Miniflare } from 'miniflare'
import { existsSync } from 'node:fs'
import { forBrowser, forWorkerd } from './bundle.mjs'
import { bin, output } from './programs.mjs'
import { site } from './site.mjs'
import { chromium } from './webdriver.mjs'

/**
 * The oldest Node whose SQLite the package takes: installed beside the other runtimes where npm has it, else the one that runs the tests
 * if it is as new. Deno's SQLite is the same, by the same name.
 */
export const nodeWithSqlite = [bin('node'), ...(isNew() ? [process.execPath] : [])].find(path => existsSync(path))

function isNew() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 13)
}

/** What a program prints, which is JSON. */
export async function inProcess(program, args) {
  return JSON.parse(await output(program, args, { env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' } }))
}

/** What `play` gets from `workers/cases.mjs` in workerd. */
export async function inWorkerd(play, useSQLite = true) {
  const miniflare = new Miniflare({
    modules: await forWorkerd('workers/cases.mjs'), compatibilityDate: '2026-04-01', cf: false,
    durableObjects: { WORLDS: { className: 'World', useSQLite } },
  })
  try {
    return await play(miniflare)
  } finally {
    await miniflare.dispose()
  }
}

/** What `play` gets from `pages/cases.mjs` in Chromium. */
export async function inChromium(play) {
  const { url, stop } = await site({ '/': '<!doctype html><script type="module" src="cases.js"></script>', '/cases.js': await forBrowser('pages/cases.mjs') })
  const browser = await chromium()
  try {
    await browser.visit(url)
    return await play(browser)
  } finally {
    await browser.stop()
    await stop()
  }
}

// One server, one browser and one page for all tests of the file that imports this: each file has a process of its own.

import { after, before } from 'node:test'
import { launch, openPage, startServer } from './harness.js'

export let server
export let browser
export let page

before(async () => {
  server = await startServer()
  browser = await launch()
  page = await openPage(browser, server.url)
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

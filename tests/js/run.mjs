// The cases in this process, for Node, Deno and Bun: `run.mjs STORE [PATH]` prints the results as JSON. `run.mjs purging STORE [PATH]`
// plays the scenarios of `purging.mjs` instead, and `run.mjs long deno-kv PATH` those of `long.mjs`. `run.mjs page URL` plays the cases with
// the modules of the page that is served there, which are made smaller than those of the package.

import { rmSync } from 'node:fs'
import { caseFiles } from './files.mjs'
import { long, overKv } from './long.mjs'
import { purging } from './purging.mjs'
import { runCases } from './run-cases.mjs'

const args = process.argv.slice(2)
const list = ['purging', 'long'].includes(args[0]) ? args.shift() : 'cases'
const [kind, path] = args
const api = kind === 'page' ? await ofPage(path) : await import('waxseal')
let last
let count = 0

async function ofPage(url) {
  const api = await import('waxseal/slim')
  const files = Object.keys(await (await fetch(new URL('/files.json', url))).json())
  const module = name => fetch(new URL(files.find(file => file.endsWith(`/${name}.wasm`)), url))
  await api.init({ engine: module('engine'), kdf: module('kdf') })
  return api
}

const memory = () => new api.MemoryStore()
const stores = {
  memory,
  page: memory,
  async file() {
    const { FileStore } = await import('waxseal/store/file')
    last?.close()
    return (last = new FileStore(`${path}/${count++}.waxseal`))
  },
  async sqlite() {
    const { SqliteStore } = await import('waxseal/store/sqlite')
    last?.close()
    return (last = new SqliteStore(`${path}/${count++}.sqlite`))
  },
  async 'deno-kv'() {
    const { DenoKvStore } = await import('waxseal/store/deno-kv')
    const kv = (last ??= await globalThis.Deno.openKv(`${path}/kv`))
    return new DenoKvStore(kv, `world ${count++}`)
  },
}

const lists = {
  cases: () => runCases(api, caseFiles(), stores[kind]),
  purging: () => purging(stores[kind]),
  async long() {
    const { DenoKvStore } = await import('waxseal/store/deno-kv')
    last = await globalThis.Deno.openKv(`${path}/kv`)
    return long(() => overKv(DenoKvStore, last, `world ${count++}`))
  },
}
const results = await lists[list]()
last?.close()
if (path && kind !== 'page') rmSync(path, { recursive: true, force: true })
process.stdout.write(JSON.stringify(results), () => process.exit(0))

// The cases in this process, for Node, Deno and Bun: `run.mjs STORE [PATH]` prints the results as JSON. `run.mjs purging STORE [PATH]`
// plays the scenarios of `purging.mjs` instead.

import * as api from 'waxseal'
import { rmSync } from 'node:fs'
import { caseFiles } from './files.mjs'
import { purging } from './purging.mjs'
import { runCases } from './run-cases.mjs'

const args = process.argv.slice(2)
const purges = args[0] === 'purging'
const [kind, path] = purges ? args.slice(1) : args
let last
let count = 0

const stores = {
  memory: () => new api.MemoryStore(),
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

const results = await (purges ? purging(stores[kind]) : runCases(api, caseFiles(), stores[kind]))
last?.close()
if (path) rmSync(path, { recursive: true, force: true })
process.stdout.write(JSON.stringify(results), () => process.exit(0))

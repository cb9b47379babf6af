// Opens files as SQLite stores, and prints what comes of it.

import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { SqliteStore } from 'waxseal/store/sqlite'

const path = name => join(argv[2], name)
const mode = name => (statSync(path(name)).mode & 0o777).toString(8)
const write = key => ({ checks: [], writes: [{ key, expect: 0, value: new Uint8Array(1), expires: null }] })
async function codeOf(work) {
  try {
    await work()
  } catch (error) {
    return error.code ?? error.message
  }
}

const store = new SqliteStore(path('new'))
await store.commit(write('a/1'), 1)
store.close()
store.close()
const closed = [() => store.read(['a/1'], 1), () => store.range({ prefix: '', after: '', limit: 1 }, 1), () => store.commit(write('a/2'), 1)]
const codes = { closed: await Promise.all(closed.map(codeOf)) }
const modes = [mode('new')]

chmodSync(path('new'), 0o660)
new SqliteStore(path('new')).close()
modes.push(mode('new'))

const text = 'this is no database at all '.repeat(50)
writeFileSync(path('text'), text)
codes.text = await codeOf(() => new SqliteStore(path('text')))
const isLeft = readFileSync(path('text'), 'utf8') === text

const octets = readFileSync(path('new'))
writeFileSync(path('cut'), octets.fill(0xff, 100, 4096))
codes.damaged = await codeOf(async () => new SqliteStore(path('cut')).read(['a/1'], 1))
codes.nowhere = await codeOf(() => new SqliteStore(path('none/new')))
console.log(JSON.stringify({ codes, modes, isLeft }))

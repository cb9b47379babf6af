// That a SQLite store keeps its lock on a file that is opened again in the same process.

import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { inProcess, nodeWithSqlite } from './places.mjs'
import { bin, deno, folder } from './programs.mjs'

const places = {
  ...(nodeWithSqlite ? { 'node, sqlite': [nodeWithSqlite] } : {}),
  'deno, sqlite': [bin('deno'), ...deno],
}

for (const [place, [program, ...args]] of Object.entries(places)) {
  test(`${place}: a file that is opened twice stays locked`, { skip: !existsSync('/proc/locks') && 'locks are seen on Linux only' }, async () => {
    assert.deepEqual(await inProcess(program, [...args, 'sharing.mjs', folder()]), [true, true])
  })
}

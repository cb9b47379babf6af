// That a store waits for other processes, where it runs.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { inProcess, nodeWithSqlite } from './places.mjs'
import { bin, deno, folder } from './programs.mjs'

const places = {
  ...(nodeWithSqlite ? { 'node, sqlite': [nodeWithSqlite] } : {}),
  'deno, sqlite': [bin('deno'), ...deno],
}

for (const [place, [program, ...args]] of Object.entries(places)) {
  test(`${place}: a new file that another is writing to is opened`, async () => {
    assert.deepEqual(await inProcess(program, [...args, 'busy.mjs', folder()]), { written: true })
  })
}

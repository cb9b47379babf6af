// That a SQLite store tells what is wrong with its file, where it runs.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { inProcess, nodeWithSqlite } from './places.mjs'
import { bin, deno, folder } from './programs.mjs'

const places = {
  ...(nodeWithSqlite ? { 'node, sqlite': [nodeWithSqlite] } : {}),
  'deno, sqlite': [bin('deno'), ...deno],
}

for (const [place, [program, ...args]] of Object.entries(places)) {
  test(`${place}: what is wrong with a file has the code of the file store, and its mode stays`, async () => {
    assert.deepEqual(await inProcess(program, [...args, 'opening.mjs', folder()]), {
      codes: { closed: ['no_store', 'no_store', 'no_store'], text: 'damaged_store', damaged: 'damaged_store', nowhere: 'ENOENT' },
      modes: ['600', '660'],
      isLeft: true,
    })
  })
}

// Opens a new file of SQLite that another thread is writing to, and prints whether it waited for that.

import { join } from 'node:path'
import { argv } from 'node:process'
import { Worker } from 'node:worker_threads'
import { SqliteStore } from 'waxseal/store/sqlite'

const path = join(argv[2], 'busy.sqlite')
const source = `
  import { DatabaseSync } from 'node:sqlite'
  import { parentPort } from 'node:worker_threads'
  const database = new DatabaseSync(${JSON.stringify(path)})
  database.exec('BEGIN IMMEDIATE')
  parentPort.postMessage('begun')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
  database.exec('COMMIT')
  database.close()`
const writer = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
await new Promise(resolve => writer.once('message', resolve))
const store = new SqliteStore(path)
const written = await store.commit({ checks: [], writes: [{ key: 'a/1', expect: 0, value: new Uint8Array(1), expires: null }] }, 1)
store.close()
console.log(JSON.stringify({ written }))

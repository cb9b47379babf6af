// Opens a file of SQLite twice, and prints after each time whether the process still has its lock on it, without which the next process
// that closes the file takes itself for the last and removes the write-ahead log.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { SqliteStore } from 'waxseal/store/sqlite'

const path = join(argv[2], 'shared.sqlite')
const stores = []
const held = []
for (let times = 0; times < 2; times++) {
  const store = new SqliteStore(path)
  stores.push(store)
  await store.read(['a/1'], 1)
  const inode = statSync(path).ino
  held.push(readFileSync('/proc/locks', 'utf8').split('\n').some(line => line.includes(`:${inode} `)))
}
for (const store of stores) store.close()
console.log(JSON.stringify(held))

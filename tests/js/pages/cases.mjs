// Plays the cases, and those of purging, in a page, over memory or IndexedDB.

import * as api from 'waxseal'
import { IndexedDbStore } from 'waxseal/store/indexeddb'
import { purging } from '../purging.mjs'
import { runCases } from '../run-cases.mjs'

let count = 0
const stores = { memory: () => new api.MemoryStore(), indexeddb: () => new IndexedDbStore(`world ${count++}`) }
globalThis.playCases = (files, kind) => runCases(api, files, stores[kind])
globalThis.playPurging = kind => purging(stores[kind])

/** What a store finds in a database that was made before records were dropped; and whether it drops them. */
globalThis.openOld = async () => {
  const request = indexedDB.open('old', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('records').put({ version: 1, value: Uint8Array.of(7), expires: 1000 }, 'key')
    request.result.createObjectStore('secrets')
  }
  await new Promise((resolve, reject) => Object.assign(request, { onsuccess: resolve, onerror: reject }))
  request.result.close()
  const store = new IndexedDbStore('old')
  const [found] = await store.read(['key'], 1)
  for (const hour of [1, 2, 3]) await store.commit({ checks: [], writes: [] }, hour * 3_600_000)
  const [left] = await store.read(['key'], 1)
  await store.close()
  return [found?.version, left]
}

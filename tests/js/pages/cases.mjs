// Plays the cases in a page, over memory or IndexedDB.

import * as api from 'waxseal'
import { IndexedDbStore } from 'waxseal/store/indexeddb'
import { runCases } from '../run-cases.mjs'

let count = 0
const stores = { memory: () => new api.MemoryStore(), indexeddb: () => new IndexedDbStore(`world ${count++}`) }
globalThis.playCases = (files, kind) => runCases(api, files, stores[kind])

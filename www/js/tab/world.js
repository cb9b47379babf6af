// The engine with its store, users and clock. What the notebook says is asked again at each request, so that several tabs agree, and
// an engine whose storage was cleared begins anew.

import { init, MemoryStore, Waxseal } from '../../engine/entry/slim.js'
import { IndexedDbStore } from '../../engine/store/indexeddb.js'
import { openNotebook } from './notebook.js'
import { newPeople } from './seeds.js'

const DATABASE = 'waxseal'
const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('waxseal') : undefined

/** Tells the pages; those of this realm too, whose own channel does not hear itself. */
export const tell = message => channel?.postMessage(message)

const ENGINE = new URL('../../engine/wasm/engine.wasm', import.meta.url)
const KDF = new URL('../../engine/wasm/kdf.wasm', import.meta.url)
let opening
let kept
let engine

/** The engine as it stands now: `{ engine, state, notebook }`. */
export async function present() {
  const { notebook, kdf } = await opened()
  let state = await notebook.read()
  if (state === undefined) state = await alone(() => begun(notebook))
  // An earlier version of the page may have kept somebody of the live server here, whose role it did not know.
  if (!state.people.every(isOurs)) state = (await change(({ people }) => ({ people: people.filter(isOurs) }))).state
  if (engine === undefined || engine.epoch !== state.epoch || engine.policy !== state.policy) engine = make(state, notebook)
  engine.offset = state.offset
  return { ...engine, state, notebook, kdf }
}

/** Writes what `update` gives of the state, if anything, and tells the pages: `{ state, notebook }`. Nobody changes it meanwhile. */
export async function change(update) {
  const { notebook } = await opened()
  return alone(async () => {
    const before = await begun(notebook)
    const changed = update(before)
    if (!changed) return undefined
    const state = { ...before, ...changed }
    await write(notebook, state)
    return { state, notebook }
  })
}

/** What pages may see of it. */
export const shown = ({ epoch, people, offset, policy }, { lasting }) => ({ epoch, people, offset, policy, lasting })

/** Deletes everything; the next request begins anew. */
export async function reset() {
  const { notebook, store } = await present()
  await alone(async () => {
    await store.close?.()
    if (notebook.lasting) await gone(DATABASE)
    kept = undefined
    engine = undefined
    await notebook.forget()
  })
  return present()
}

const isOurs = ({ role }) => role

async function write(notebook, state) {
  await notebook.write(state)
  tell({ state: shown(state, notebook) })
}

const opened = () => (opening ??= open().catch(error => { opening = undefined; throw error }))

async function open() {
  const [notebook, engine, kdf] = await Promise.all([openNotebook(), compiled(ENGINE), compiled(KDF)])
  await init({ engine, kdf })
  return { notebook, kdf }
}

/** From what is kept of the page, as a worker may be started anew offline. Compiled while it arrives if its type says what it is, which
 * many servers of plain files do not tell. */
async function compiled(url) {
  const kept = await globalThis.caches?.match(url).catch(() => undefined)
  const response = kept ?? await fetch(url)
  if (!response.ok) throw new Error(`${url.pathname} cannot be loaded (${response.status})`)
  const isNamed = response.headers.get('content-type') === 'application/wasm'
  return isNamed ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer())
}

function make({ epoch, policy }, notebook) {
  const store = (kept = notebook.lasting ? new IndexedDbStore(DATABASE) : kept ?? new MemoryStore())
  const made = { epoch, policy, store, offset: 0 }
  made.engine = new Waxseal({
    store,
    ...(notebook.lasting && { rootKey: () => store.rootKey() }),
    settings: { passwords: { policy } },
    clock: () => Date.now() + made.offset,
    clientAddress: () => '127.0.0.1',
    audit: event => tell({ events: [event] }),
  })
  return made
}

/** The state, of a new engine where there is none. */
const begun = async notebook => (await notebook.read()) ?? begin(notebook)

/** Seeds an empty engine. What is left of an earlier one goes first. */
async function begin(notebook) {
  if (notebook.lasting) await gone(DATABASE)
  const state = { epoch: crypto.getRandomValues(new Uint32Array(4)).join(), people: newPeople(), offset: 0, policy: 'open' }
  const { engine: fresh } = (engine = make(state, notebook))
  const [admin, ...others] = state.people
  await fresh.bootstrap(admin)
  for (const { name, email, role, password } of others) {
    const body = JSON.stringify({ name, email, role, password })
    const headers = { 'content-type': 'application/json' }
    const answer = await fresh.admin(new Request('http://localhost/admin/users', { method: 'POST', headers, body }))
    if (answer.status !== 201) throw new Error(`a user could not be made: ${await answer.text()}`)
  }
  await write(notebook, state)
  return state
}

/** One at a time, over all tabs where the browser can do that. */
let turn = Promise.resolve()
async function alone(work) {
  if (navigator.locks && (await lockable())) return navigator.locks.request('waxseal', work)
  const mine = turn.then(work)
  turn = mine.catch(() => {})
  return mine
}

/** Where storage is refused, so are locks. */
const lockable = () => navigator.locks.query().then(() => true, () => false)

function gone(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })
}

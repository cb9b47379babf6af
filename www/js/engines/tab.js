// The engine in this tab: answered by a service worker, or by the page itself where there can be none.

/** Marks what the service worker answers; everything else it leaves to the network. The same as in `tab/core.js`. */
export const MARK = 'x-waxseal-tab'
const PATIENCE = 8000

export const state = {
  /** `starting`, `ready`, `failed`. */
  phase: 'starting',
  /** Why it is not as it should be, in a sentence. */
  failure: '',
  /** How it runs, where that is worth a word. */
  way: '',
  /** Whether what it holds outlives the tab. */
  lasting: true,
  /** Another for each engine that was begun. */
  epoch: '',
  /** Those it was seeded with: `{ uid, name, password, role, email }`. */
  people: [],
  /** How far its clock is ahead of the device's, in milliseconds. */
  offset: 0,
  /** The policy for new passwords. */
  policy: 'open',
  signals: new EventTarget(),
}

let ready
let local

/** Starts it, once. Never throws: `state.phase` says how it went. */
export function start() {
  return (ready ??= begin())
}

/** One request to it, answered as `{ status, headers, text }`. */
export async function transport({ method, path, headers, body }) {
  await start()
  if (state.phase === 'failed') throw new Error(state.failure)
  const url = location.origin + path
  const init = { method, headers: [...headers, [MARK, '1']], body: method === 'GET' || method === 'HEAD' ? undefined : body || undefined }
  const response = local ? await local(new Request(url, init)) : await worker(url, init)
  return { status: response.status, headers: [...response.headers].filter(([name]) => name !== MARK), text: await response.text() }
}

async function begin() {
  listen()
  try {
    if (!(await throughWorker())) local = (await import('../tab/core.js')).answer
    await learn()
    state.phase = 'ready'
    // Last, so that it does not hold up the engine.
    if (!local) navigator.serviceWorker.controller?.postMessage('keep')
  } catch (error) {
    state.phase = 'failed'
    state.failure = typeof WebAssembly === 'object' ? `It could not be started: ${error.message}` : 'This browser, or its settings, has no WebAssembly'
  }
  state.signals.dispatchEvent(new Event('people'))
  state.signals.dispatchEvent(new Event('clock'))
  state.signals.dispatchEvent(new Event('ready'))
}

async function worker(url, init) {
  // Without the worker the request would go to the network.
  if (!navigator.serviceWorker.controller) throw new Error('the service worker of this page is gone: reload the page')
  const response = await fetch(url, { ...init, credentials: 'omit', cache: 'no-store', redirect: 'manual' })
  if (!response.headers.has(MARK)) throw new Error('the service worker did not answer')
  return response
}

/** Whether a service worker answers from now on; `state.way` says why not. */
async function throughWorker() {
  const instead = 'The engine runs in the page itself, as'
  if (!('serviceWorker' in navigator)) {
    state.way = `${instead} there are no service workers ${isSecureContext ? 'in this browser' : 'on an insecure address'}.`
    return false
  }
  try {
    const file = new URL('../../sw.js', import.meta.url)
    await navigator.serviceWorker.register(file, { type: 'module', updateViaCache: 'none' })
    await within(PATIENCE, controlled())
    return true
  } catch {
    state.way = `${instead} this browser refuses a service worker here.`
    return false
  }
}

async function controlled() {
  const { serviceWorker } = navigator
  const { active } = await serviceWorker.ready
  if (serviceWorker.controller) return
  const changed = new Promise(resolve => { serviceWorker.addEventListener('controllerchange', resolve, { once: true }) })
  // After a forced reload nobody claims the page unless asked.
  active.postMessage('claim')
  await changed
}

/** Asks who and what it holds. */
async function learn() {
  const url = `${location.origin}/tab/state`
  const init = { headers: [[MARK, '1']] }
  const response = local ? await local(new Request(url, init)) : await worker(url, init)
  if (!response.ok) throw new Error(await response.text())
  Object.assign(state, await response.json())
}

/** What other tabs, or the worker, have changed. */
function listen() {
  if (typeof BroadcastChannel !== 'function') return
  new BroadcastChannel('waxseal').addEventListener('message', ({ data }) => {
    if (data.events) state.signals.dispatchEvent(new CustomEvent('events', { detail: data.events }))
    if (data.state) {
      const { epoch } = state
      Object.assign(state, data.state)
      if (epoch && epoch !== state.epoch) state.signals.dispatchEvent(new Event('anew'))
      state.signals.dispatchEvent(new Event('people'))
      state.signals.dispatchEvent(new Event('clock'))
    }
  })
}

function within(millis, promise) {
  return Promise.race([promise, new Promise((_, reject) => { setTimeout(() => reject(new Error('it took too long')), millis) })])
}

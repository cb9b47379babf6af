// Answers the page's requests to the tab's engine, and its files when there is no network. Whatever else is asked goes its way.

import { answer } from './js/tab/core.js'

const MARK = 'x-waxseal-tab'
const CACHE = 'waxseal-page'
const here = new URL('./', location.href)

addEventListener('install', () => { skipWaiting() })

addEventListener('activate', event => event.waitUntil(clients.claim()))

addEventListener('message', event => {
  if (event.data === 'claim') event.waitUntil(clients.claim())
  if (event.data === 'keep') event.waitUntil(keepFiles())
})

addEventListener('fetch', event => {
  const { request } = event
  const url = new URL(request.url)
  if (url.origin !== location.origin) return
  if (request.headers.has(MARK)) event.respondWith(answer(request))
  else if (request.method === 'GET' && isFile(request, url)) event.respondWith(fresh(request))
})

/** The page's own files; routes of the API are none. */
function isFile(request, url) {
  if (!url.pathname.startsWith(here.pathname)) return false
  const path = url.pathname.slice(here.pathname.length)
  return (path === '' && request.mode === 'navigate') || /^((css|js|engine)\/.*|index\.html|favicon\.svg)$/.test(path)
}

/** From the network, which knows the newest; from the cache when it does not answer. */
async function fresh(request) {
  const name = request.mode === 'navigate' ? here.href : request.url
  const cache = await caches.open(CACHE).catch(() => undefined)
  try {
    const response = await fetch(request)
    if (response.ok) cache?.put(name, response.clone()).catch(() => {})
    return response
  } catch (error) {
    const kept = await cache?.match(name)
    if (kept) return kept
    throw error
  }
}

/** All files, so that the page works offline from its first visit on. Only what has changed is asked for. */
async function keepFiles() {
  try {
    const cache = await caches.open(CACHE)
    const list = new URL('files.json', here)
    const wanted = await (await fetch(list, { cache: 'no-cache' })).json()
    const kept = await (await cache.match(list))?.json() ?? {}
    const changed = Object.keys(wanted).filter(file => kept[file] !== wanted[file])
    await cache.addAll(changed.map(file => new URL(file, here).href))
    if (changed.includes('index.html')) await cache.put(here.href, await cache.match(new URL('index.html', here)))
    await cache.put(list, Response.json(wanted))
  } catch {
    // Storage is refused, or there is no network: the engine works all the same.
  }
}

// Answers the page's requests to the tab's engine, and its files when there is no network. Whatever else is asked goes its way.

import { answer, MARK } from './js/tab/core.js'

const CACHE = 'waxseal-page'
const here = new URL('./', location.href)

addEventListener('install', event => {
  skipWaiting()
  // Where the browser can, it does by itself what `fetch` below does, without waiting until this worker has been started.
  event.addRoutes?.([
    { condition: { urlPattern: `${here.pathname}page/*`, requestMethod: 'GET' }, source: { cacheName: CACHE } },
    { condition: { urlPattern: here.pathname, requestMode: 'navigate' }, source: 'race-network-and-fetch-handler' },
  ]).catch(() => {})
})

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
  else if (request.method === 'GET' && isFile(request, url)) event.respondWith(file(request, url))
})

/** The page's own files; routes of the API are none. */
function isFile(request, url) {
  if (!url.pathname.startsWith(here.pathname)) return false
  const path = url.pathname.slice(here.pathname.length)
  return (path === '' && request.mode === 'navigate') || /^(page\/.*|index\.html|favicon\.svg)$/.test(path)
}

/** What is named by its content is taken from the cache; what names it, from the network when there is one. */
async function file(request, url) {
  // Whatever else the address says, it is one file.
  const name = url.origin + url.pathname
  const kept = () => caches.open(CACHE).then(cache => cache.match(name)).catch(() => undefined)
  if (url.pathname.startsWith(`${here.pathname}page/`)) return (await kept()) ?? fetch(request)
  try {
    return await fetch(request)
  } catch (error) {
    const old = await kept()
    if (old) return old
    throw error
  }
}

/** All files, so that the page works offline from its first visit on. Only what has changed is asked for; what is no more goes. */
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
    for (const file of Object.keys(kept)) if (!Object.hasOwn(wanted, file)) await cache.delete(new URL(file, here))
  } catch {
    // Storage is refused, or there is no network: the engine works all the same.
  }
}

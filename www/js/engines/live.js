// The server this page came from.

/** As long as the server itself takes for an answer, in milliseconds. */
const PATIENCE = 30_000
let waiting = new AbortController()

/** Waits no longer for what has not been answered. */
export function giveUp() {
  waiting.abort(new Error('given up'))
  waiting = new AbortController()
}

/** Sends a request over the network, to the page's own origin and nowhere else. */
export async function transport({ method, path, headers, body }) {
  const response = await fetch(location.origin + path, {
    method,
    headers,
    signal: AbortSignal.any([waiting.signal, AbortSignal.timeout(PATIENCE)]),
    body: method === 'GET' || method === 'HEAD' ? undefined : body || undefined,
    // Cookies stay at home, and so does the browser's own password dialog.
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'manual',
    referrerPolicy: 'no-referrer',
  })
  return { status: response.status, headers: [...response.headers], text: await response.text() }
}

// The server this page came from.

/** Sends a request over the network, to the page's own origin and nowhere else. */
export async function transport({ method, path, headers, body }) {
  const response = await fetch(new URL(path, location.origin), {
    method,
    headers,
    body: method === 'GET' || method === 'HEAD' ? undefined : body || undefined,
    // Cookies stay at home, and so does the browser's own password dialog.
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'manual',
    referrerPolicy: 'no-referrer',
  })
  return { status: response.status, headers: [...response.headers], text: await response.text() }
}

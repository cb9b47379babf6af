// A web server on this machine for pages under test.

import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm' }

/** Serves `files` (path to content) and, for other paths, `folder`, with `headers` on every answer. */
export async function site(files, { folder, headers = {} } = {}) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname
    const content = files[path] ?? (folder && (await readFile(join(folder, normalize(path))).catch(() => undefined)))
    response.writeHead(content === undefined ? 404 : 200, { 'content-type': TYPES[extname(path)] ?? TYPES['.html'], ...headers })
    response.end(content ?? '')
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  // `localhost` is a secure context, as service workers need.
  return { url: `http://localhost:${server.address().port}`, stop: () => new Promise(resolve => (server.closeAllConnections(), server.close(resolve))) }
}

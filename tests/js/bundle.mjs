import { build } from 'esbuild'
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { folder, here } from './programs.mjs'

/** A script for a page, all in one. */
export async function forBrowser(entry, format = 'esm') {
  const { outputFiles } = await build({ entryPoints: [join(here, entry)], bundle: true, write: false, format, platform: 'browser', logLevel: 'error' })
  return outputFiles[0].text
}

/** The modules of a worker, as miniflare takes them. */
export async function forWorkerd(entry) {
  const outdir = folder()
  await build({
    entryPoints: { worker: resolve(here, entry) }, bundle: true, outdir, format: 'esm', platform: 'neutral', mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'], external: ['cloudflare:*', 'node:*'], loader: { '.wasm': 'copy' }, logLevel: 'error',
  })
  const wasm = readdirSync(outdir).filter(name => name.endsWith('.wasm'))
  return [
    { type: 'ESModule', path: 'worker.js', contents: readFileSync(join(outdir, 'worker.js'), 'utf8') },
    ...wasm.map(name => ({ type: 'CompiledWasm', path: name, contents: readFileSync(join(outdir, name)) })),
  ]
}

// The packed package, installed as users install it, in every set-up it promises.

import { Miniflare } from 'miniflare'
import { strict as assert } from 'node:assert'
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'esbuild'
import { bin, deno, folder, freePort, here, output } from './programs.mjs'
import { site } from './site.mjs'
import { chromium } from './webdriver.mjs'

/** `cargo xtask js` says which; else the newest that `cargo xtask npm` has left. */
const target = join(here, '../../target/npm')
const newest = () => readdirSync(target).filter(name => /^waxseal-.*\.tgz$/.test(name)).map(name => join(target, name)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]
const tgz = process.env.WAXSEAL_TGZ ?? newest()
const GOOD = '1 bad_signature 1 bad_signature'
const MAIN = "import * as engine from 'waxseal'\nimport * as tokens from 'waxseal/verify'\nimport * as edge from 'waxseal/verify/public'\nimport { smoke } from './smoke.mjs'\n"
const PAGE = `${MAIN}globalThis.outcome = smoke(engine, tokens, edge).catch(error => String(error.stack))\n`

describe('the packed package', () => {
  const project = folder()
  const write = (name, content) => writeFileSync(join(project, name), content)

  before(async () => {
    write('package.json', '{"private":true}')
    await output('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', tgz], { cwd: project })
    cpSync(join(here, 'packed/smoke.mjs'), join(project, 'smoke.mjs'))
    write('main.mjs', `${MAIN}console.log(await smoke(engine, tokens, edge))\n`)
    write('page.mjs', PAGE)
    write('index.html', '<!doctype html><meta charset="utf-8"><script type="module" src="/page.mjs"></script>')
  })

  const inProject = async (program, args) => (await output(program, args, { cwd: project, env: { ...process.env, NO_COLOR: '1' } })).trim().split('\n').at(-1)

  test('holds no path of the machine it was built on', () => {
    const home = [process.env.HOME, process.env.CARGO_HOME, here.replace(/\/tests\/js\/$/, '')].filter(path => path && path.length > 3)
    for (const file of readdirSync(join(project, 'node_modules/waxseal'), { recursive: true })) {
      const path = join(project, 'node_modules/waxseal', file)
      if (!statSync(path).isFile()) continue
      const content = readFileSync(path, 'latin1')
      for (const trace of home) assert.ok(!content.includes(`${trace}/`), `${file} holds ${trace}`)
    }
  })
  test('Node, ESM', async () => assert.equal(await inProject(process.execPath, ['main.mjs']), GOOD))
  test('Node, CommonJS', async () => {
    write('main.cjs', "const { smoke } = require('./smoke.mjs')\nsmoke(require('waxseal'), require('waxseal/verify'), require('waxseal/verify/public')).then(console.log)\n")
    assert.equal(await inProject(process.execPath, ['--no-warnings', 'main.cjs']), GOOD)
  })
  test('Deno', async () => assert.equal(await inProject(bin('deno'), [...deno, 'main.mjs']), GOOD))
  test('Bun', async () => assert.equal(await inProject(bin('bun'), ['main.mjs']), GOOD))
  test('Bun, CommonJS', async () => assert.equal(await inProject(bin('bun'), ['main.cjs']), GOOD))

  test('Node, slim with files', async () => {
    write('slim.mjs', `import { readFile } from 'node:fs/promises'
      import * as engine from 'waxseal/slim'
      import { withModule } from 'waxseal/verify/slim'
      import { withModule as withEdge } from 'waxseal/verify/public/slim'
      import { smoke } from './smoke.mjs'
      const file = name => readFile(new URL(import.meta.resolve('waxseal/' + name)))
      await engine.init({ engine: file('engine.wasm'), kdf: await WebAssembly.compile(await file('kdf.wasm')) })
      const compiled = async name => WebAssembly.compile(await file(name))
      console.log(await smoke(engine, withModule(await compiled('token.wasm')), withEdge(await compiled('edge.wasm'))))\n`)
    assert.equal(await inProject(process.execPath, ['slim.mjs']), GOOD)
  })
  test('esbuild for Node', async () => {
    await build({ absWorkingDir: project, entryPoints: ['main.mjs'], bundle: true, platform: 'node', format: 'esm', outfile: 'elsewhere/node.mjs', logLevel: 'error' })
    assert.equal(await inProject(process.execPath, ['elsewhere/node.mjs']), GOOD)
  })
  test('esbuild for Node, CommonJS', async () => {
    const outfile = 'elsewhere/node.cjs'
    write('told.mjs', `${MAIN}smoke(engine, tokens, edge).then(console.log)\n`)
    await build({ absWorkingDir: project, entryPoints: ['told.mjs'], bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'error' })
    assert.equal(await inProject(process.execPath, [outfile]), GOOD)
  })
  test('esbuild for workerd', async () => {
    const outdir = join(project, 'workerd')
    write('worker.mjs', `${MAIN}export default { fetch: async () => new Response(await smoke(engine, tokens, edge)) }\n`)
    await build({ absWorkingDir: project, entryPoints: ['worker.mjs'], bundle: true, format: 'esm', outdir, conditions: ['workerd'], loader: { '.wasm': 'copy' }, logLevel: 'error' })
    const modules = readdirSync(outdir).map(path => ({ type: path.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule', path, contents: readFileSync(join(outdir, path)) }))
    modules.sort((a, b) => b.type.localeCompare(a.type))
    const miniflare = new Miniflare({ modules, compatibilityDate: '2026-04-01', cf: false })
    try {
      assert.equal(await (await miniflare.dispatchFetch('http://localhost/')).text(), GOOD)
    } finally {
      await miniflare.dispose()
    }
  })

  // As Next.js bundles and runs what is to be at the edge: modules come from another realm, and none can be compiled there.
  describe('webpack for the edge of Next.js', () => {
    const SLIM = `import * as engine from 'waxseal/slim'
      import { withModule } from 'waxseal/verify/slim'
      import { withModule as withEdge } from 'waxseal/verify/public/slim'
      import main from 'waxseal/engine.wasm?module'
      import kdf from 'waxseal/kdf.wasm?module'
      import token from 'waxseal/token.wasm?module'
      import edge from 'waxseal/edge.wasm?module'
      import { smoke } from './smoke.mjs'
      globalThis.outcome = engine.init({ engine: main, kdf }).then(() => smoke(engine, withModule(token), withEdge(edge))).catch(error => String(error.stack))\n`
    before(() => {
      write('compiled.cjs', "module.exports = function () { return `export default globalThis['${require('node:path').basename(this.resourcePath)}']` }\n")
      write('at-edge.mjs', `import { readFileSync } from 'node:fs'
        import { createContext, runInContext } from 'node:vm'
        const [entry] = process.argv.slice(2)
        const given = { Uint8Array, ArrayBuffer, TextEncoder, TextDecoder, Request, Response, Headers, URL, URLSearchParams, AbortController, Blob, crypto, atob, btoa, console, setTimeout, clearTimeout }
        const context = createContext(given, { codeGeneration: { strings: false, wasm: false } })
        for (const name of ['engine', 'kdf', 'token', 'edge']) context[name + '.wasm'] = new WebAssembly.Module(readFileSync('node_modules/waxseal/wasm/' + name + '.wasm'))
        runInContext(readFileSync('at-edge/' + entry + '.js', 'utf8'), context)
        console.log(await context.outcome)\n`)
    })
    for (const [what, entry, content] of [['the entries as they are', 'entries', PAGE], ['slim, with `?module`', 'slim', SLIM]]) {
      test(what, async () => {
        write(`edge-${entry}.mjs`, content)
        const config = `edge-${entry}.cjs`
        write(config, `module.exports = { mode: 'production', target: ['web', 'es2022'], entry: './edge-${entry}.mjs', output: { path: __dirname + '/at-edge', filename: '${entry}.js' }, resolve: { conditionNames: ['edge-light', '...'] },
          module: { rules: [{ test: /\\.wasm$/, resourceQuery: /module/, type: 'javascript/auto', loader: __dirname + '/compiled.cjs' }] }, performance: { hints: false } }\n`)
        await output(process.execPath, [join(here, 'node_modules/webpack/bin/webpack.js'), '--config', join(project, config), '--context', project], { cwd: here })
        assert.equal(await inProject(process.execPath, ['at-edge.mjs', entry]), GOOD)
      })
    }
  })

  describe('in pages', () => {
    const pages = {
      'esbuild, ESM': async () => {
        await build({ absWorkingDir: project, entryPoints: ['page.mjs'], bundle: true, format: 'esm', outfile: 'esbuild/page.mjs', logLevel: 'error' })
        cpSync(join(project, 'index.html'), join(project, 'esbuild/index.html'))
        return site({}, { folder: join(project, 'esbuild') })
      },
      'esbuild, IIFE for older browsers': async () => {
        await build({ absWorkingDir: project, entryPoints: ['page.mjs'], bundle: true, minify: true, format: 'iife', target: 'es2022', outfile: 'iife/page.js', logLevel: 'error' })
        return site({ '/': '<!doctype html><script src="/page.js"></script>' }, { folder: join(project, 'iife') })
      },
      'webpack': async () => {
        write('webpack.config.cjs', "module.exports = { mode: 'production', entry: './page.mjs', output: { path: __dirname + '/webpack', filename: 'page.mjs' }, performance: { hints: false } }\n")
        await output(process.execPath, [join(here, 'node_modules/webpack/bin/webpack.js'), '--config', join(project, 'webpack.config.cjs'), '--context', project], { cwd: here })
        cpSync(join(project, 'index.html'), join(project, 'webpack/index.html'))
        return site({}, { folder: join(project, 'webpack') })
      },
      'Vite, build': async () => {
        const { build } = await import('vite')
        await build({ root: project, logLevel: 'error', build: { outDir: 'vite' } })
        return site({}, { folder: join(project, 'vite') })
      },
      'Vite, development server': async () => {
        const { createServer } = await import('vite')
        const server = await createServer({ root: project, logLevel: 'error', server: { port: await freePort(), strictPort: true, host: 'localhost' } })
        await server.listen()
        return { url: server.resolvedUrls.local[0], stop: () => server.close() }
      },
      'plain files, strict content security policy': async () => {
        const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src blob:"
        const page = PAGE.replace("'waxseal'", "'./waxseal/entry/inline.js'").replace("'waxseal/verify'", "'./waxseal/verify/inline.js'").replace("'waxseal/verify/public'", "'./waxseal/verify/public/inline.js'")
        mkdirSync(join(project, 'plain'), { recursive: true })
        for (const [from, to] of [['node_modules/waxseal', 'waxseal'], ['smoke.mjs', 'smoke.mjs'], ['index.html', 'index.html']]) {
          cpSync(join(project, from), join(project, 'plain', to), { recursive: true })
        }
        writeFileSync(join(project, 'plain/page.mjs'), page)
        return site({}, { folder: join(project, 'plain'), headers: { 'content-security-policy': policy } })
      },
      'plain files, no workers allowed': async () => {
        const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'"
        return site({}, { folder: join(project, 'plain'), headers: { 'content-security-policy': policy } })
      },
    }
    for (const [what, serve] of Object.entries(pages)) {
      test(what, async () => {
        const { url, stop } = await serve()
        const browser = await chromium()
        try {
          await browser.visit(url.endsWith('/') ? `${url}${what.startsWith('Vite, dev') ? '' : what.includes('IIFE') ? '' : 'index.html'}` : `${url}/${what.includes('IIFE') ? '' : 'index.html'}`)
          assert.equal(await browser.evaluate('for (let i = 0; i < 100 && !globalThis.outcome; i++) await new Promise(go => setTimeout(go, 100)); return outcome'), GOOD)
        } finally {
          await browser.stop()
          await stop()
        }
      })
    }
  })

  for (const [what, entry, names, module, budget] of [
    ['the verifier', 'waxseal/verify', 'createVerifier, createSigner, TokenError', 'token', 19.5],
    ['the verifier with public keys', 'waxseal/verify/public', 'createEdgeVerifier, createRemoteVerifier, TokenError', 'edge', 75],
  ]) {
    // In KiB of brotli: what it takes now and a little more, so that growth is seen.
    test(`${what} is small: wasm and glue, minified and compressed`, async t => {
      write(`${module}.mjs`, `export { ${names} } from '${entry}'\n`)
      const { outputFiles } = await build({ absWorkingDir: project, entryPoints: [`${module}.mjs`], bundle: true, minify: true, format: 'esm', conditions: ['workerd'], external: ['*.wasm'], write: false, logLevel: 'error' })
      const wasm = brotliCompressSync(readFileSync(join(project, `node_modules/waxseal/wasm/${module}.wasm`))).length
      const glue = brotliCompressSync(outputFiles[0].contents).length
      t.diagnostic(`${module}: ${wasm} octets of wasm and ${glue} of glue in brotli`)
      assert.ok(wasm + glue <= budget * 1024, `${wasm} + ${glue}`)
    })
  }
  test('types are as a user reads them', async () => {
    cpSync(join(here, 'packed/types.ts'), join(project, 'types.ts'))
    const checked = (lib, types, rest) => output(bin('tsc'), ['--noEmit', '--strict', '--target', 'es2022', '--lib', lib, '--typeRoots', join(here, 'node_modules/@types'), '--types', types, ...rest], { cwd: project })
    for (const resolution of [['--module', 'nodenext'], ['--module', 'esnext', '--moduleResolution', 'bundler']]) {
      await checked('es2023,dom,dom.iterable', '', [...resolution, join(project, 'types.ts')])
    }
    // Where `require` may not give a module.
    cpSync(join(here, 'packed/types.ts'), join(project, 'types.cts'))
    await checked('es2023,dom,dom.iterable', '', ['--module', 'node18', join(project, 'types.cts')])
    cpSync(join(here, 'packed/slim.ts'), join(project, 'slim.ts'))
    await checked('es2023', 'node', ['--module', 'nodenext', join(project, 'slim.ts')])
    cpSync(join(here, 'packed/verify.ts'), join(project, 'verify.ts'))
    await checked('es2023', '', ['--module', 'nodenext', join(project, 'verify.ts')])
  })
})

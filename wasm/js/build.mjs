// Makes the npm package from `lib/` and the built modules: `node build.mjs --out DIR --version V --engine DIR --kdf FILE …`.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const options = Object.fromEntries(['out', 'version', 'engine', 'kdf'].map(name => [name, { type: 'string' }]))
const { out, version, engine, kdf } = parseArgs({ options }).values

/** What rustc may use for this target, which wasm-opt has to be told. */
const FEATURES = ['bulk-memory', 'bulk-memory-opt', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals', 'reference-types',
  'multivalue', 'call-indirect-overlong', 'simd']

const folder = join(out, 'package')
rmSync(folder, { recursive: true, force: true })
mkdirSync(join(folder, 'wasm'), { recursive: true })
cpSync(join(here, 'lib'), folder, { recursive: true })
for (const file of ['README.md']) cpSync(join(here, file), join(folder, file))
for (const file of ['LICENSE-MIT', 'LICENSE-APACHE']) cpSync(join(here, '../..', file), join(folder, file))

module(join(engine, 'engine_bg.wasm'), 'engine', '-O2')
module(kdf, 'kdf', '-O3')
cpSync(join(engine, 'engine.js'), join(folder, 'wasm/engine.js'))

const worker = ['compute.js', 'worker-tail.js'].map(file => readFileSync(join(here, 'lib/kdf', file), 'utf8')).join('\n').replace('export function', 'function')
text('kdf-worker.js', worker)
rmSync(join(folder, 'kdf/worker-tail.js'))

const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
delete manifest.devDependencies
writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, version }, undefined, 2)}\n`)

const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', out, folder], { encoding: 'utf8' }))
console.log(`${join(out, packed[0].filename)}: ${packed[0].size} octets packed, ${packed[0].unpackedSize} unpacked`)

/** Optimises a module, strips it, and writes it as file and as text. */
function module(from, name, level) {
  const to = join(folder, 'wasm', `${name}.wasm`)
  const flags = FEATURES.map(feature => `--enable-${feature}`)
  const wasmOpt = join(here, 'node_modules/binaryen/bin/wasm-opt')
  execFileSync(process.execPath, [wasmOpt, level, '--strip-debug', '--strip-producers', '--strip-target-features', ...flags, from, '-o', to], { stdio: 'inherit' })
  const bytes = readFileSync(to)
  const packed = gzipSync(bytes, { level: 9 })
  text(`${name}.inline.js`, packed.toString('base64'))
  console.log(`${name}.wasm: ${bytes.length} octets, ${packed.length} in gzip`)
}

function text(file, content) {
  writeFileSync(join(folder, 'wasm', file), `export default ${JSON.stringify(content)}\n`)
}

// Makes the npm package from `lib/` and the built modules: `node build.mjs --out DIR --version V --engine DIR --kdf FILE …`.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const options = Object.fromEntries(['out', 'version', 'engine', 'kdf', 'token', 'edge'].map(name => [name, { type: 'string' }]))
const { out, version, engine, kdf, token, edge } = parseArgs({ options }).values

/** What rustc may use for this target, which wasm-opt has to be told. */
const FEATURES = ['bulk-memory', 'bulk-memory-opt', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals', 'reference-types',
  'multivalue', 'call-indirect-overlong', 'simd']

/** Texts that only the message of a panic shows: where it happened, what the standard library says about it, and its digits. */
const MESSAGES = [
  /\/rustc\/[0-9a-f]{40}\/[\w/]+\.rs/g, /cargo\/registry\/[\w./-]+?\.rs/g, /(?:core|wasm)\/src\/[\w/]+\.rs/g,
  /slice index starts at | but ends at |index out of bounds: the len is | but the index is |range (?:start|end) index | out of range for slice of length /g,
  /copy_from_slice: source slice length \(|\) does not match destination slice length \(|memory allocation of | bytes failed|capacity overflow/g,
  /RefCell already (?:mutably )?borrowed|0001020304(?:\d\d){90}9596979899/g,
]

const folder = join(out, 'package')
rmSync(folder, { recursive: true, force: true })
mkdirSync(join(folder, 'wasm'), { recursive: true })
cpSync(join(here, 'lib'), folder, { recursive: true })
for (const file of ['README.md']) cpSync(join(here, file), join(folder, file))
for (const file of ['LICENSE-MIT', 'LICENSE-APACHE']) cpSync(join(here, '../..', file), join(folder, file))

// wasm-opt makes it a tenth shorter, and a twentieth longer once it is compressed, as it always is on its way.
module(join(engine, 'engine_bg.wasm'), 'engine', undefined, 'gzip')
module(kdf, 'kdf', '-O3', 'gzip')
const FORMATTING = /core3fmt|core\.\.fmt/
const PANICS = /core9panicking|_fail\b|_failed\b|slice_index_fail|len_mismatch_fail|unwrap_failed|expect_failed|capacity_overflow|handle_alloc_error|handle_error/
// Where sets of keys are read as JSON, what is said about one of another shape is left empty: nobody is shown it, but it is said.
for (const [name, from, empty] of [['token', token], ['edge', edge, FORMATTING]]) {
  const quiet = join(out, `${name}-quiet.wasm`)
  writeFileSync(quiet, snipped(name, readFileSync(from), new RegExp(`${FORMATTING.source}|${PANICS.source}`), empty))
  // Low memory is the deep end of the stack, which the linker puts first.
  module(quiet, name, '-O3 --converge --low-memory-unused --reorder-functions', 'plain')
}
writeFileSync(join(folder, 'wasm/engine.js'), takingAnyModule(readFileSync(join(engine, 'engine.js'), 'utf8')))

const worker = ['compute.js', 'worker-tail.js'].map(file => readFileSync(join(here, 'lib/kdf', file), 'utf8')).join('\n').replace('export function', 'function')
text('kdf-worker.js', worker)
rmSync(join(folder, 'kdf/worker-tail.js'))

// The same types once more, for TypeScript where it takes what `require` gives for something else than what `import` gives.
for (const file of readdirSync(folder, { recursive: true })) {
  if (!file.endsWith('.d.ts')) continue
  const types = readFileSync(join(folder, file), 'utf8').replace(/( from '\.[^']*)\.js'/g, "$1.cjs'")
  writeFileSync(join(folder, file.replace(/ts$/, 'cts')), types)
}

const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
delete manifest.devDependencies
writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, version }, undefined, 2)}\n`)

const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', out, folder], { encoding: 'utf8' }))
console.log(`${join(out, packed[0].filename)}: ${packed[0].size} octets packed, ${packed[0].unpackedSize} unpacked`)

/**
 * The glue without its check of what `initSync` is given, which would compile a module of another realm once more. The driver gives compiled
 * modules only.
 */
function takingAnyModule(glue) {
  const check = /\n *if \(!\(module instanceof WebAssembly\.Module\)\) \{\n *module = new WebAssembly\.Module\(module\);\n *\}/g
  if (glue.match(check)?.length !== 1) throw new Error('the glue looks at its module in another way')
  return glue.replace(check, '')
}

/**
 * The module with the bodies of functions whose names match replaced by `unreachable`, and their texts by zeros. A panic ends in a
 * trap either way; this way its message, and the code that would write it, are not shipped. Those of them that match `empty` and
 * give a number give 0 instead, which is `Ok(())`.
 */
function snipped(name, bytes, pattern, empty = /^$/) {
  let at = 8
  const number = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const octet = bytes[at++]
      value += (octet & 127) * 2 ** shift
      if (octet < 128) return value
    }
  }
  const sections = []
  while (at < bytes.length) {
    const id = bytes[at++]
    const size = number()
    sections.push({ id, start: at, end: (at += size) })
  }
  const snip = new Set()
  const wordless = new Set()
  for (const { id, start, end } of sections) {
    if (id !== 0) continue
    at = start
    const title = bytes.toString('latin1', at + 1, (at += 1 + bytes[at]))
    if (title !== 'name') continue
    while (at < end) {
      const kind = bytes[at++]
      const next = number() + at
      if (kind === 1) {
        for (let left = number(); left > 0; left--) {
          const index = number()
          const length = number()
          const called = bytes.toString('latin1', at, (at += length))
          if (pattern.test(called)) snip.add(index)
          if (empty.test(called)) wordless.add(index)
        }
      }
      at = next
    }
  }
  const list = (wanted, item) => {
    at = sections.find(({ id }) => id === wanted).start
    return Array.from({ length: number() }, item)
  }
  const octets = () => Array.from({ length: number() }, () => bytes[at++])
  const [FUNCTION, I32] = [0x60, 0x7f]
  const results = list(1, () => {
    if (bytes[at++] !== FUNCTION) throw new Error('the module has types that are no functions')
    octets()
    return octets()
  })
  const types = list(3, number)
  const body = index => (wordless.has(index) && String(results[types[index]]) === String(I32) ? Buffer.of(4, 0, 0x41, 0, 11) : Buffer.of(3, 0, 0, 11))
  const leb = value => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)])
  const parts = [bytes.subarray(0, 8)]
  for (const { id, start, end } of sections) {
    let content = bytes.subarray(start, end)
    if (id === 2) throw new Error('the module imports something')
    if (id === 10) {
      at = start
      const count = number()
      const bodies = Array.from({ length: count }, (_, index) => {
        const size = number()
        const whole = bytes.subarray(at, (at += size))
        return snip.has(index) ? body(index) : Buffer.concat([Buffer.from(leb(size)), whole])
      })
      content = Buffer.concat([Buffer.from(leb(count)), ...bodies])
    }
    if (id === 11) {
      const texts = content.toString('latin1')
      content = Buffer.from(content)
      for (const { 0: text, index } of MESSAGES.flatMap(message => [...texts.matchAll(message)])) content.fill(0, index, index + text.length)
    }
    parts.push(Buffer.from([id, ...leb(content.length)]), content)
  }
  console.log(`${name}.wasm: ${snip.size} functions of panics left out`)
  return Buffer.concat(parts)
}

/** Optimises a module as `level` says, unless it is undefined, and writes it as file and as text: base64 of the bytes, or of their gzip form. */
function module(from, name, level, form) {
  const to = join(folder, 'wasm', `${name}.wasm`)
  if (level === undefined) cpSync(from, to)
  else {
    const flags = FEATURES.map(feature => `--enable-${feature}`)
    const wasmOpt = join(here, 'node_modules/binaryen/bin/wasm-opt')
    execFileSync(process.execPath, [wasmOpt, ...level.split(' '), '--strip-debug', '--strip-producers', '--strip-target-features', ...flags, from, '-o', to], { stdio: 'inherit' })
  }
  const bytes = readFileSync(to)
  const packed = gzipSync(bytes, { level: 9 })
  text(`${name}.inline.js`, (form === 'gzip' ? packed : bytes).toString('base64'))
  console.log(`${name}.wasm: ${bytes.length} octets, ${packed.length} in gzip, ${brotliCompressSync(bytes).length} in brotli`)
}

function text(file, content) {
  writeFileSync(join(folder, 'wasm', file), `export default ${JSON.stringify(content)}\n`)
}

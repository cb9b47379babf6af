// The package's own interface: stores, options, bad input, lost races, traps, derivations.

import { strict as assert } from 'node:assert'
import { execFileSync, spawn } from 'node:child_process'
import { createHmac, createSecretKey, generateKeyPairSync } from 'node:crypto'
import { getEventListeners, once } from 'node:events'
import fs, { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { generateRootKey, MemoryStore, MovableClock, Waxseal, WaxsealError } from 'waxseal'
import { kdf, Kdf } from 'waxseal/kdf'
import { init } from 'waxseal/slim'
import { FileStore } from 'waxseal/store/file'
import { createSigner, createVerifier, TokenError } from 'waxseal/verify'
import { createEdgeVerifier, createRemoteVerifier } from 'waxseal/verify/public'
import { withMemories } from './memories.mjs'
import { bin, folder, output } from './programs.mjs'

const PASSWORD = 'Grey-Heron 27 lantern'
const CHEAP = { passwords: { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } } } }
const NOW = 1_935_990_489_000
const PEM = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })

async function engine(options = {}) {
  const waxseal = new Waxseal({ store: new MemoryStore(), settings: CHEAP, clock: new MovableClock(NOW), onError: () => {}, ...options })
  await waxseal.bootstrap({ password: PASSWORD })
  return waxseal
}

function login(name = 'admin', password = PASSWORD) {
  const headers = { authorization: `Basic ${btoa(`${name}:${password}`)}`, 'content-type': 'application/json' }
  return new Request('http://localhost/v1/users/authorize', { method: 'POST', headers, body: '{}' })
}

const code = expected => error => {
  assert.equal(error.code, expected, error.stack)
  assert.ok(error instanceof Error)
  return true
}

describe('stores', () => {
  const stores = { memory: () => new MemoryStore(), file: () => new FileStore(join(folder(), 'records')) }
  for (const [name, make] of Object.entries(stores)) {
    test(`${name}: what is written is read, in order, until it expires`, async () => {
      const store = make()
      const write = (key, value, expect = null, expires = null) => ({ key, expect, value: value && Uint8Array.from(value), expires })
      assert.equal(await store.commit({ checks: [], writes: [write('a/2', [2], 0), write('a/1', [1], 0), write('b/1', [9], 0, 100)] }, 1), true)
      assert.deepEqual((await store.read(['a/1', 'none', 'b/1'], 99)).map(record => record && [...record.value]), [[1], null, [9]])
      assert.deepEqual(await store.read(['b/1'], 100), [null])
      assert.deepEqual((await store.range({ prefix: 'a/', after: '', limit: 9 }, 1)).map(({ key }) => key), ['a/1', 'a/2'])
      assert.deepEqual((await store.range({ prefix: 'a/', after: 'a/1', limit: 9 }, 1)).map(({ key }) => key), ['a/2'])
      assert.deepEqual((await store.range({ prefix: 'a/', after: '', limit: 1 }, 1)).map(({ key }) => key), ['a/1'])
      assert.deepEqual(await store.range({ prefix: 'b/', after: '', limit: 9 }, 100), [])
      store.close?.()
    })
    test(`${name}: a prefix is any, and what is gone is gone`, async () => {
      const store = make()
      const write = (key, value = Uint8Array.of(1)) => ({ key, expect: null, value, expires: null })
      const found = async prefix => (await store.range({ prefix, after: '', limit: 9 }, 1)).map(({ key }) => key)
      await store.commit({ checks: [], writes: ['a/x/2', 'a/x/1', 'a/y', 'ab', 'b/', '/c'].map(key => write(key)) }, 1)
      await store.commit({ checks: [], writes: [write('a/x/1', Uint8Array.of(2)), write('b/', null)] }, 1)
      assert.deepEqual(await Promise.all(['a', 'a/', 'a/x/', 'a/x/2', 'b/', '/', 'none/', ''].map(found)), [
        ['a/x/1', 'a/x/2', 'a/y', 'ab'], ['a/x/1', 'a/x/2', 'a/y'], ['a/x/1', 'a/x/2'], ['a/x/2'], [], ['/c'], [], ['/c', 'a/x/1', 'a/x/2', 'a/y', 'ab'],
      ])
      store.close?.()
    })
    test(`${name}: a commit goes in whole or not at all`, async () => {
      const store = make()
      const write = (key, expect, value = Uint8Array.of(1)) => ({ key, expect, value, expires: null })
      assert.equal(await store.commit({ checks: [], writes: [write('a', 0)] }, 1), true)
      const [{ version }] = await store.read(['a'], 1)
      assert.equal(await store.commit({ checks: [], writes: [write('b', 0), write('a', 0)] }, 1), false)
      assert.equal(await store.commit({ checks: [{ key: 'a', version: version + 1 }], writes: [write('b', 0)] }, 1), false)
      assert.deepEqual(await store.read(['b'], 1), [null])
      assert.equal(await store.commit({ checks: [{ key: 'b', version: 0 }], writes: [write('a', version, null)] }, 1), true)
      assert.equal(await store.commit({ checks: [], writes: [write('a', 0)] }, 1), true)
      const [again] = await store.read(['a'], 1)
      assert.notEqual(again.version, version, 'a version comes once')
      store.close?.()
    })
  }
})

test('what lies elsewhere in memory takes a search no time', async () => {
  const store = new MemoryStore()
  const write = key => ({ key, expect: null, value: new Uint8Array(8), expires: null })
  await store.commit({ checks: [], writes: [write('key/1'), ...Array.from({ length: 100_000 }, (_, i) => write(`seen/${i}`))] }, 1)
  const times = []
  for (let i = 0; i < 20; i++) {
    const begun = performance.now()
    assert.equal((await store.range({ prefix: 'key/', after: '', limit: 65 }, 1)).length, 1)
    times.push(performance.now() - begun)
  }
  assert.ok(Math.min(...times) < 1, times.join())
})

describe('the file store', () => {
  const record = (key, value) => ({ key, expect: null, value: Uint8Array.from(value), expires: null })
  test('is there after a restart, and only its owner reads it', async () => {
    const path = join(folder(), 'records')
    const options = { rootKey: generateRootKey(), settings: CHEAP }
    const store = new FileStore(path)
    await engine({ ...options, store })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.throws(() => new FileStore(path), code('store_in_use'))
    store.close()
    const later = new FileStore(path)
    const waxseal = new Waxseal({ ...options, store: later })
    assert.equal((await waxseal.fetch(login())).status, 200)
    assert.equal(await waxseal.bootstrap({ password: PASSWORD }), null)
    later.close()
  })
  test('tells nothing once it is closed, as another may write the file by then', async () => {
    const path = join(folder(), 'records')
    const options = { rootKey: generateRootKey(), settings: CHEAP }
    const store = new FileStore(path)
    const waxseal = await engine({ ...options, store })
    const { access_token: token } = await (await waxseal.fetch(login())).json()
    const headers = { authorization: `Bearer ${token}` }
    const verified = async engine => (await engine.fetch(new Request('http://localhost/auth/verify', { headers }))).status
    assert.equal(await verified(waxseal), 204)
    store.close()
    const later = new FileStore(path)
    const other = new Waxseal({ ...options, store: later, clock: new MovableClock(NOW) })
    assert.equal((await other.fetch(new Request('http://localhost/auth/revoke', { method: 'POST', headers, body: new URLSearchParams({ token }) }))).status, 200)
    assert.deepEqual([await verified(other), await verified(waxseal)], [401, 503])
    await assert.rejects(store.read(['a'], 1), code('no_store'))
    await assert.rejects(store.range({ prefix: '', after: '', limit: 1 }, 1), code('no_store'))
    await assert.rejects(store.commit({ checks: [], writes: [] }, 1), code('no_store'))
    store.close()
    later.close()
  })
  test('forgets a commit that was cut off, as a whole', async () => {
    const path = join(folder(), 'records')
    const store = new FileStore(path)
    await store.commit({ checks: [], writes: [record('a', [1])] }, 1)
    const whole = statSync(path).size
    await store.commit({ checks: [], writes: [record('a', [2]), record('b', [2])] }, 1)
    store.close()
    const full = statSync(path).size
    const bytes = readFileSync(path)
    for (let size = whole; size < full; size += 7) {
      writeFileSync(path, bytes.subarray(0, size))
      const again = new FileStore(path)
      assert.deepEqual((await again.read(['a', 'b'], 1)).map(found => found && [...found.value]), [[1], null])
      await again.commit({ checks: [], writes: [record('c', [3])] }, 1)
      again.close()
      const third = new FileStore(path)
      assert.ok((await third.read(['c'], 1))[0])
      third.close()
    }
  })
  test('does not open when it is damaged before its end', async () => {
    const path = join(folder(), 'records')
    const store = new FileStore(path)
    for (const key of ['a', 'b', 'c']) await store.commit({ checks: [], writes: [record(key, [1])] }, 1)
    store.close()
    const bytes = readFileSync(path)
    bytes[12] ^= 1
    writeFileSync(path, bytes)
    assert.throws(() => new FileStore(path), code('damaged_store'))
  })
  test('does not open when its last line is whole and damaged, and changes nothing', async () => {
    const path = join(folder(), 'records')
    const store = new FileStore(path)
    for (const key of ['a', 'b']) await store.commit({ checks: [], writes: [record(key, [1])] }, 1)
    store.close()
    const bytes = readFileSync(path)
    bytes[bytes.length - 5] ^= 1
    writeFileSync(path, bytes)
    assert.throws(() => new FileStore(path), code('damaged_store'))
    assert.deepEqual(readFileSync(path), bytes)
    assert.ok(!existsSync(`${path}.lock`))
  })
  for (const [what, content] of [['a line of JSON', '{"important":true}\n'], ['one long line', 'A'.repeat(100_000)], ['a checksum of something else', '00000000 [1]\n']]) {
    test(`leaves a file alone that is none of its own: ${what}`, () => {
      const path = join(folder(), 'records')
      writeFileSync(path, content)
      assert.throws(() => new FileStore(path), code('damaged_store'))
      assert.equal(readFileSync(path, 'latin1'), content)
    })
  }
  describe('on a disk that is full', () => {
    /** Calls `work` while the functions of `node:fs` are others. */
    const withDisk = async (others, work) => {
      const before = Object.fromEntries(Object.keys(others).map(name => [name, fs[name]]))
      Object.assign(fs, others)
      syncBuiltinESMExports()
      try {
        await work(before)
      } finally {
        Object.assign(fs, before)
        syncBuiltinESMExports()
      }
    }
    const full = () => { throw Object.assign(new Error('no space is left'), { code: 'ENOSPC' }) }
    test('a commit that is written in pieces is whole, and one that is not is refused', async () => {
      const path = join(folder(), 'records')
      const store = new FileStore(path)
      let room = 10_000
      await withDisk({ writeSync: (file, octets, at) => {
        const count = Math.min(room, 7, octets.length - at)
        if (count === 0) full()
        room -= count
        return write(file, octets, at, count)
      } }, async () => {
        await store.commit({ checks: [], writes: [record('a', [1])] }, 1)
        room = 20
        await assert.rejects(store.commit({ checks: [], writes: [record('b', [2])] }, 1), code('ENOSPC'))
        room = 10_000
        await store.commit({ checks: [], writes: [record('c', [3])] }, 1)
      })
      store.close()
      const again = new FileStore(path)
      assert.deepEqual((await again.read(['a', 'b', 'c'], 1)).map(found => found && [...found.value]), [[1], null, [3]])
      again.close()
    })
    test('what has become shorter is not filled with zeros', async () => {
      const path = join(folder(), 'records')
      const store = new FileStore(path)
      await store.commit({ checks: [], writes: [record('a', [1])] }, 1)
      fs.truncateSync(path, 9)
      await withDisk({ writeSync: full }, () => assert.rejects(store.commit({ checks: [], writes: [record('b', [2])] }, 1), code('ENOSPC')))
      assert.equal(statSync(path).size, 9)
      await assert.rejects(store.commit({ checks: [], writes: [record('b', [2])] }, 1), code('no_store'))
      store.close()
    })
    for (const [what, fault] of [['opened', { openSync: (path, ...rest) => (path.endsWith('.new') ? full() : open(path, ...rest)) }], ['put in place', { renameSync: full }]]) {
      test(`changes hold although a new file cannot be ${what}, and later it is`, async () => {
        const path = join(folder(), 'records')
        const problems = []
        const store = new FileStore(path, { onError: async problem => { throw problems.push(problem) } })
        const large = Array(100_000).fill(7)
        await withDisk(fault, async () => {
          for (let i = 0; i < 12; i++) assert.equal(await store.commit({ checks: [], writes: [record('a', large), record(`b${i}`, [i])] }, 1), true)
        })
        assert.ok(statSync(path).size > 1_500_000)
        assert.deepEqual(problems.map(({ code, cause }) => [code, cause.code]), [['no_store', 'ENOSPC']], 'and why is told')
        assert.deepEqual(readdirSync(join(path, '..')), ['records', 'records.lock'])
        for (let i = 12; i < 24; i++) assert.equal(await store.commit({ checks: [], writes: [record('a', large), record(`b${i}`, [i])] }, 1), true)
        assert.ok(statSync(path).size < 1_500_000)
        assert.equal(problems.length, 1)
        store.close()
        const again = new FileStore(path)
        assert.equal((await again.range({ prefix: 'b', after: '', limit: 100 }, 1)).length, 24)
        again.close()
      })
    }
    test('only a function can be told', () => {
      for (const options of [null, { onError: 5 }, { onEror() {} }]) assert.throws(() => new FileStore(join(folder(), 'records'), options), code('bad_options'))
    })
    test('by default the console is told that there is no new file', async t => {
      const said = []
      t.mock.method(console, 'error', (...line) => said.push(line))
      const store = new FileStore(join(folder(), 'records'))
      await withDisk({ renameSync: full }, () => store.commit({ checks: [], writes: [record('a', Array(1_000_000).fill(7))] }, 1))
      assert.deepEqual(said.map(([, { code, cause }]) => [code, cause.code]), [['no_store', 'ENOSPC']])
      store.close()
    })
    const { openSync: open, writeSync: write } = fs
  })
  describe('is open once', () => {
    const startOf = pid => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[19]
    const inUse = error => code('store_in_use')(error) && /remove .*records\.lock$/.test(error.message)
    const program = `import { FileStore } from ${JSON.stringify(import.meta.resolve('waxseal/store/file'))}
      const opened = path => { try { new FileStore(path); return 'open' } catch (error) { return error.code } }\n`
    /** What six processes say that open the same file at once, sorted: each waits for a line, and none ends before all have said it. */
    const openedAtOnce = async path => {
      const source = `${program}import { once } from 'node:events'
        console.log('ready')
        await once(process.stdin, 'data')
        console.log(opened(${JSON.stringify(path)}))
        process.stdin.resume()`
      const children = Array.from({ length: 6 }, () => spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['pipe', 'pipe', 'inherit'] }))
      const word = async ({ stdout }) => String(await Promise.race([once(stdout, 'data'), once(stdout, 'close').then(() => 'nothing')])).trim()
      const said = () => Promise.all(children.map(word))
      try {
        assert.deepEqual(await said(), Array(6).fill('ready'))
        const answers = said()
        for (const { stdin } of children) stdin.write('go\n')
        return (await answers).sort()
      } finally {
        for (const child of children) child.kill()
      }
    }
    test('by whatever path', () => {
      const place = folder()
      const path = join(place, 'records')
      const store = new FileStore(path)
      symlinkSync(path, join(place, 'link'))
      symlinkSync(place, join(place, 'elsewhere'))
      for (const other of [path, join(place, 'link'), join(place, 'elsewhere/records'), `${place}/./records`]) assert.throws(() => new FileStore(other), inUse)
      assert.ok(existsSync(`${path}.lock`))
      store.close()
      assert.deepEqual(readdirSync(place).sort(), ['elsewhere', 'link', 'records'])
      new FileStore(join(place, 'link')).close()
    })
    test('in all threads of a process', async () => {
      const path = join(folder(), 'records')
      const store = new FileStore(path)
      const source = `${program}import { parentPort } from 'node:worker_threads'; parentPort.postMessage(opened(${JSON.stringify(path)}))`
      const said = await new Promise((resolve, reject) => {
        const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
        thread.on('message', resolve)
        thread.on('error', reject)
      })
      assert.equal(said, 'store_in_use')
      store.close()
    })
    test('by one of many processes that find a dead one\'s lock', async () => {
      const path = join(folder(), 'records')
      execFileSync(process.execPath, ['--input-type=module', '--eval', `${program}opened(${JSON.stringify(path)})`])
      assert.ok(existsSync(`${path}.lock`))
      assert.deepEqual(await openedAtOnce(path), ['open', ...Array(5).fill('store_in_use')])
    })
    for (const [what, lock, isFree] of [
      ['a dead process', () => ({ pid: 2 ** 22 + 1, start: '1', host: hostname(), id: 'a' }), true],
      ['an earlier process with our number', () => ({ pid: process.pid, start: '1', host: hostname(), id: 'a' }), true],
      ['an earlier process with another\'s number', () => ({ pid: process.ppid, start: '1', host: hostname(), id: 'a' }), true],
      ['a process that runs', () => ({ pid: process.ppid, start: startOf(process.ppid), host: hostname(), id: 'a' }), false],
      ['this process', () => ({ pid: process.pid, start: startOf('self'), host: hostname(), id: 'a' }), false],
      ['another host', () => ({ pid: 2 ** 22 + 1, start: '1', host: 'elsewhere', id: 'a' }), false],
      ['nobody', () => '', false],
      ['something else', () => ({ pid: 1, host: hostname(), id: '../a' }), false],
    ]) {
      test(`a lock of ${what} is ${isFree ? 'taken over' : 'kept'}`, { skip: !existsSync('/proc/self/stat') }, () => {
        const path = join(folder(), 'records')
        const content = lock() && JSON.stringify(lock())
        writeFileSync(`${path}.lock`, content)
        if (!isFree) {
          assert.throws(() => new FileStore(path), inUse)
          assert.equal(readFileSync(`${path}.lock`, 'utf8'), content)
          return
        }
        new FileStore(path).close()
        assert.deepEqual(readdirSync(join(path, '..')), ['records'])
      })
    }
    describe('also where one who took a dead one\'s lock over has died of it', { skip: !existsSync('/proc/self/stat') }, () => {
      const dead = id => ({ pid: 2 ** 22 + 1, start: '1', host: hostname(), id })
      const living = id => ({ pid: process.ppid, start: startOf(process.ppid), host: hostname(), id })
      /** A file whose lock is the first owner's, with heirs of whom each is named after the one before. */
      const left = owners => {
        const path = join(folder(), 'records')
        for (const [i, owner] of owners.entries()) writeFileSync(i === 0 ? `${path}.lock` : `${path}.lock.${owners[i - 1].id}`, JSON.stringify(owner))
        return path
      }
      for (const owners of [[dead('a'), dead('b')], [dead('a'), dead('b'), dead('c')]]) {
        test(`${owners.length - 1} times`, () => {
          const path = left(owners)
          const store = new FileStore(path)
          assert.deepEqual(readdirSync(join(path, '..')).sort(), ['records', 'records.lock'])
          assert.equal(JSON.parse(readFileSync(`${path}.lock`)).pid, process.pid)
          store.close()
          assert.deepEqual(readdirSync(join(path, '..')), ['records'])
        })
      }
      for (const [what, owners] of [['lives', [dead('a'), living('b')]], ['is on another host', [dead('a'), { ...dead('b'), host: 'elsewhere' }]], ['has an heir who lives', [dead('a'), dead('b'), living('c')]]]) {
        test(`but not one who ${what}`, () => {
          const path = left(owners)
          const before = readdirSync(join(path, '..')).sort()
          assert.throws(() => new FileStore(path), inUse)
          assert.deepEqual(readdirSync(join(path, '..')).filter(name => name !== 'records').sort(), before)
        })
      }
      test('and of many processes one has it then', async () => {
        const path = left([dead('a'), dead('b')])
        assert.deepEqual(await openedAtOnce(path), ['open', ...Array(5).fill('store_in_use')])
      })
    })
    test('and a lock that is another\'s by now is not removed', () => {
      const path = join(folder(), 'records')
      const store = new FileStore(path)
      writeFileSync(`${path}.lock`, 'another')
      store.close()
      assert.equal(readFileSync(`${path}.lock`, 'utf8'), 'another')
    })
  })
  test('is written anew when it has grown, and loses nothing', async () => {
    const path = join(folder(), 'records')
    const store = new FileStore(path)
    const large = Array(40_000).fill(7)
    for (let i = 0; i < 60; i++) await store.commit({ checks: [], writes: [record('a', large), record(`b${i}`, [i])] }, 1)
    assert.ok(statSync(path).size < 1_500_000)
    store.close()
    const again = new FileStore(path)
    assert.equal((await again.range({ prefix: 'b', after: '', limit: 100 }, 1)).length, 60)
    again.close()
  })
})

describe('options', () => {
  const store = new MemoryStore()
  for (const [what, options, expected] of [
    ['no options', undefined, 'bad_options'],
    ['an unknown option', { store, colour: 'red' }, 'bad_options'],
    ['an unknown option that is inherited', Object.assign(Object.create({ colour: 'red' }), { store }), 'bad_options'],
    ['no store', {}, 'bad_store'],
    ['half a store', { store: { read() {}, range() {} } }, 'bad_store'],
    ['a store that stays, without a root key', { store: { read() {}, range() {}, commit() {} } }, 'bad_root_key'],
    ['a short root key', { store, rootKey: new Uint8Array(31) }, 'bad_root_key'],
    ['a text that is no root key', { store, rootKey: 'secret' }, 'bad_root_key'],
    ['a store that says it is volatile and makes no root key', { store: { volatile: true, read() {}, range() {}, commit() {} } }, 'bad_root_key'],
    ['a clock that is none', { store, clock: 5 }, 'bad_clock'],
    ['an audit that is none', { store, audit: 'log' }, 'bad_options'],
    ['settings in a Map', { store, settings: new Map([['issuer', 'me']]) }, 'bad_settings'],
    ['a lone surrogate in the settings', { store, settings: { issuer: 'a\ud800' } }, 'bad_settings'],
  ]) {
    test(what, () => assert.throws(() => new Waxseal(options), code(expected)))
  }
  test('settings without a JSON form are called that', () => {
    const cyclic = {}
    cyclic.self = cyclic
    for (const settings of [cyclic, { n: 1n }, { toJSON() {} }]) {
      assert.throws(() => new Waxseal({ store, settings }), error => code('bad_settings')(error) && /no JSON form/.test(error.message))
    }
  })
  test('settings that JSON would drop are refused, at any depth', async () => {
    class Settings {
      get leeway() { return 5 }
    }
    for (const settings of [new Settings(), Object.create({ leeway: 5 }), { throttle: new Settings() }, { throttle: new Map([['source_limit', 5]]) }, { gateway: { introspection_roles: new Set(['admin']) } }, { leeway: () => 5 }, { audience: NaN }, { throttle: { source_limit: -Infinity } }, { leeway: Symbol('5') }]) {
      assert.throws(() => new Waxseal({ store, settings }), error => code('bad_settings')(error) && /inherit/.test(error.message))
    }
    for (const settings of [[], ['me'], { dialects: [] }, { passwords: ['nist'] }, { passwords: { scheme: { argon2id: [8, 1, 1] } } }, { redis: { ttl: [1, 2, 3, 'refuse'] } }, { toJSON: () => [] }, { gateway: { introspection_roles: [['admin']] } }]) {
      assert.throws(() => new Waxseal({ store, settings }), code('bad_settings'), JSON.stringify(settings))
    }
    const plain = [runInNewContext('({ leeway: 5, gateway: { introspection_roles: ["admin"] } })'), Object.assign(Object.create(null), { leeway: 5 }), { toJSON: () => ({ leeway: 5 }) }]
    for (const settings of plain) await new Waxseal({ store: new MemoryStore(), settings }).ready()
  })
  test('mistakes show at the start, to who asks for it and to who bootstraps', async () => {
    await new Waxseal({ store: new MemoryStore(), settings: CHEAP }).ready()
    const broken = new MemoryStore()
    broken.range = async () => { throw Object.assign(new Error('gone'), { code: 'EIO' }) }
    const foreign = new MemoryStore()
    await engine({ store: foreign, rootKey: generateRootKey() })
    for (const [options, expected] of [
      [{ store: new MemoryStore(), settings: { nonsense: 1 } }, 'bad_settings'],
      [{ store: new MemoryStore(), rootKey: () => 'short' }, 'bad_root_key'],
      [{ store: new MemoryStore(), clock: () => NaN }, 'bad_clock'],
      [{ store: new MemoryStore(), clock: () => 8.64e15 + 1 }, 'bad_clock'],
      [{ store: foreign, rootKey: generateRootKey() }, 'unreadable_keys'],
      [{ store: broken }, 'EIO'],
    ]) {
      await assert.rejects(new Waxseal(options).ready(), code(expected))
      await assert.rejects(new Waxseal(options).bootstrap({ password: PASSWORD }), code(expected))
    }
  })
  test('a class may be the clock, as Date is', async () => {
    await new Waxseal({ store: new MemoryStore(), settings: CHEAP, clock: Date }).ready()
  })
  test('without a clock, the one that tests put in the place of the system\'s counts', async t => {
    const waxseal = await engine({ clock: undefined, settings: CHEAP })
    const sign = createSigner({ key: 'k'.repeat(32), issuer: 'me', expiresIn: 60 })
    const verify = createVerifier({ key: 'k'.repeat(32), issuer: 'me' })
    const real = Date.now()
    t.mock.timers.enable({ apis: ['Date'], now: real + 3600_000 })
    const answer = await (await waxseal.fetch(login())).json()
    const { iat } = JSON.parse(Buffer.from(answer.access_token.split('.')[1], 'base64url'))
    assert.ok(iat * 1000 > real + 3590_000)
    const token = sign({ sub: '1' })
    assert.ok(verify(token).iat * 1000 > real + 3590_000)
    t.mock.timers.setTime(real + 3600_000 + 61_000)
    assert.throws(() => verify(token), code('expired'))
  })
  test('no modules are none', async () => {
    for (const modules of [undefined, null, {}, { engine: new Uint8Array(), kdf: undefined }]) await assert.rejects(init(modules), code('no_module'))
  })
  test('a clock starts at a time, or at none', () => {
    for (const start of [null, '', '5', true, [], {}, NaN, Infinity, new Date(NaN), Symbol('5'), 5n]) assert.throws(() => new MovableClock(start), code('bad_clock'))
    for (const start of [NOW, new Date(NOW), runInNewContext('new Date(now)', { now: NOW })]) assert.equal(new MovableClock(start).now(), NOW)
    assert.ok(Math.abs(new MovableClock().now() - Date.now()) < 1000)
  })
  test('the last time of a clock is one like any other', async () => {
    const late = new Waxseal({ store: new MemoryStore(), settings: CHEAP, clock: () => 8.64e15 })
    await late.bootstrap({ password: PASSWORD })
    assert.equal((await late.fetch(login())).status, 200)
  })
  test('nobody is no first administrator', async () => {
    for (const first of [undefined, null, {}, { password: 5 }, 'x']) await assert.rejects(new Waxseal({ store: new MemoryStore() }).bootstrap(first), code('bad_options'))
  })
  test('a detached root key', () => {
    const rootKey = generateRootKey()
    structuredClone(rootKey.buffer, { transfer: [rootKey.buffer] })
    assert.throws(() => new Waxseal({ store, rootKey }), code('bad_root_key'))
  })
  const lives = { min: 1, default: 60, max: 100 }
  for (const settings of [{ redis: { ttl: { ...lives, manner: 'clamp' } } }, { openshift: { userinfo: { ...lives, manner: 'refuse' } } }, { no_such: 1 }, { leeway: 61 }, { leeway: 'x' }, { passwords: { scheme: { argon2id: { memory: 1e9, passes: 1, lanes: 1 } } } }, 5, []]) {
    test(`settings ${JSON.stringify(settings)}`, () => assert.rejects(async () => new Waxseal({ store, settings }).fetch(login()), code('bad_settings')))
  }
  test('an empty text says that there is none, as in the configuration of the server', async () => {
    const waxseal = await engine({ settings: { ...CHEAP, audience: '', openshift: { public_url: '' } } })
    const { access_token: token } = await (await waxseal.fetch(login())).json()
    assert.ok(!('aud' in JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))))
  })
  test('a root key that the store makes is looked at, too', async () => {
    for (const made of [undefined, null, { length: 32 }, 'x'.repeat(32), new Uint8Array(31), 7]) {
      const vague = Object.assign(new MemoryStore(), { rootKey: async () => made })
      await assert.rejects(new Waxseal({ store: vague, settings: CHEAP }).ready(), code('bad_root_key'))
    }
  })
  test('a root key may be text, or come later', async () => {
    const rootKey = Buffer.from(generateRootKey()).toString('base64url')
    const shared = new MemoryStore()
    await engine({ store: shared, rootKey })
    assert.equal((await (await engine({ store: shared, rootKey: async () => rootKey })).fetch(login())).status, 200)
  })
  test('a root key may come from another realm', async () => {
    const shared = new MemoryStore()
    const rootKey = generateRootKey()
    await engine({ store: shared, rootKey })
    const other = runInNewContext('Uint8Array.from(octets)', { octets: [...rootKey] })
    assert.equal((await (await engine({ store: shared, rootKey: other })).fetch(login())).status, 200)
  })
  test('another root key opens nothing', async () => {
    const shared = new MemoryStore()
    await engine({ store: shared, rootKey: generateRootKey() })
    const problems = []
    const other = new Waxseal({ store: shared, rootKey: generateRootKey(), settings: CHEAP, onError: problem => problems.push(problem.code) })
    assert.equal((await other.fetch(login())).status, 503)
    assert.deepEqual(problems, ['unreadable_keys'])
  })
})

describe('requests', () => {
  for (const [what, request, expected] of [
    ['nothing', undefined, 'bad_request'],
    ['a text', 'http://localhost/', 'bad_request'],
    ['a relative URL', { method: 'GET', url: '/v1/users', headers: [] }, 'bad_request'],
    ['headers that are none', { method: 'GET', url: 'http://localhost/', headers: [1] }, 'bad_request'],
    ['a body that is a text', { method: 'POST', url: 'http://localhost/', headers: [], body: '{}' }, 'bad_request'],
    ['a body that is octets', { method: 'POST', url: 'http://localhost/', headers: [], body: new TextEncoder().encode('{}') }, 'bad_request'],
    ['a getter that throws', { get method() { throw new Error('no') } }, 'bad_request'],
  ]) {
    test(what, async () => assert.rejects((await engine()).fetch(request), code(expected)))
  }
  test('a body that has been read', async () => {
    const request = login()
    await request.text()
    await assert.rejects((await engine()).fetch(request), code('body_used'))
  })
  test('a body that is being read', async () => {
    const request = login()
    request.body.getReader()
    await assert.rejects((await engine()).fetch(request), code('body_used'))
  })
  for (const [what, request, status] of [
    ['a huge body', () => new Request('http://localhost/v1/users', { method: 'POST', body: 'x'.repeat(100_000) }), 413],
    ['a body that is not gzip, as it says', () => new Request('http://localhost/v1/users', { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: '{}' }), 400],
    ['a body packed otherwise', () => new Request('http://localhost/v1/users', { method: 'POST', headers: { 'content-encoding': 'br' }, body: '{}' }), 415],
    ['a small body that is huge unpacked', () => new Request('http://localhost/v1/users', { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(1 << 20)) }), 413],
    ['an endless body', () => new Request('http://localhost/v1/users', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull: to => to.enqueue(new Uint8Array(1000)) }) }), 413],
    ['a body of nothing that never ends', () => new Request('http://localhost/v1/users', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull: to => to.enqueue(new Uint8Array()) }) }), 413],
    ['a body that breaks off', () => new Request('http://localhost/v1/users', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull: to => to.error(new Error('gone')) }) }), 400],
    ['two types of a body', () => new Request('http://localhost/auth/verify', { headers: [['content-type', 'application/json'], ['content-type', 'text/plain']] }), 400],
    ['a body of no octets', () => new Request('http://localhost/v1/users', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull: to => to.enqueue('text') }) }), 400],
    ['a long path', () => new Request(`http://localhost/${'x'.repeat(9000)}`), 414],
    ['many headers', () => new Request('http://localhost/', { headers: Array.from({ length: 70 }, (_, i) => [`x-${i}`, '1']) }), 431],
    ['many headers that nobody may say of himself', () => ({ method: 'GET', url: 'http://localhost/', headers: Array(65).fill(['x-forwarded-for', '1']), body: null }), 431],
    ['many headers, one of them of the packing', () => new Request('http://localhost/', { headers: [['content-encoding', 'gzip'], ...Array.from({ length: 64 }, (_, i) => [`x-${i}`, '1'])] }), 431],
    ['as many headers as may be', () => new Request('http://localhost/v1/none', { headers: [['x-real-ip', '1'], ...Array.from({ length: 63 }, (_, i) => [`x-${i}`, '1'])] }), 404],
    ['a long header that nobody may say of himself', () => new Request('http://localhost/', { headers: { 'x-forwarded-for': 'x'.repeat(20_000) } }), 431],
    ['a long header', () => new Request('http://localhost/', { headers: { 'x-long': 'x'.repeat(20_000) } }), 431],
    ['a header beyond Latin-1', () => ({ method: 'GET', url: 'http://localhost/', headers: [['x', '\u{1f600}']], body: null }), 400],
    ['a header with a lone surrogate', () => ({ method: 'GET', url: 'http://localhost/', headers: [['x', '\ud800']], body: null }), 400],
    ['a request without a body', () => ({ method: 'GET', url: 'http://localhost/auth/verify', headers: [] }), 401],
    ['a method that is none', () => ({ method: '\ud800', url: 'http://localhost/v1/users', headers: [], body: null }), 405],
  ]) {
    test(what, async () => assert.equal((await (await engine()).fetch(request())).status, status))
  }
  test('a body that does not end is incomplete once its request is aborted', async () => {
    const waxseal = await engine()
    const endless = signal => new Request('http://localhost/v1/users', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull: () => new Promise(() => {}) }), signal })
    const controller = new AbortController()
    const answer = waxseal.fetch(endless(controller.signal))
    setTimeout(() => controller.abort(), 10)
    assert.equal((await answer).status, 400)
    assert.equal((await waxseal.fetch(endless(AbortSignal.abort()))).status, 400)
    const { url, method, headers, body } = endless()
    const later = new AbortController()
    const buffered = { url, method, headers, signal: later.signal, arrayBuffer: () => new Response(body).arrayBuffer() }
    setTimeout(() => later.abort(), 10)
    assert.equal((await waxseal.fetch(buffered)).status, 400)
  })
  test('nothing is left behind at the signal of a request', async () => {
    const { signal } = new AbortController()
    const waxseal = await engine()
    for (const [body, status] of [['{}', 200], ['x'.repeat(70_000), 413]]) {
      const { url, headers } = login()
      const { body: stream } = new Response(body)
      assert.equal((await waxseal.fetch({ method: 'POST', url, headers, body: stream, signal })).status, status)
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    }
  })
  test('the signal that Deno.serve warns of is not asked for', async t => {
    const waxseal = await engine()
    const ask = context => {
      const request = login()
      t.mock.getter(request, 'signal', () => assert.fail('asked for'))
      return waxseal.fetch(request, context)
    }
    const info = { remoteAddr: { hostname: '192.0.2.7' } }
    assert.equal((await ask(info)).status, 400, 'elsewhere it is, and the body counts as incomplete')
    globalThis.Deno = {}
    try {
      assert.deepEqual([(await ask(info)).status, (await ask()).status], [200, 400])
    } finally {
      delete globalThis.Deno
    }
  })
  describe('a body that cannot be read is refused in the words of the server', () => {
    const post = (path, init) => new Request(`http://localhost${path}`, { method: 'POST', ...init })
    const large = { body: 'x'.repeat(65_537) }
    const packed = coding => ({ headers: { 'content-encoding': coding }, body: '{}' })
    const broken = { duplex: 'half', body: new ReadableStream({ pull: to => to.error(new Error('gone')) }) }
    const read = async response => [response.status, response.headers.get('cache-control'), response.headers.get('accept-encoding'), await response.text()]
    for (const [what, path, init, status, told] of [
      ['too large', '/v1/users', large, 413, { error_code: 'content_too_large', message: 'the body is too large' }],
      ['packed otherwise', '/_security/oauth2/token', packed('br'), 415, { status: 415 }],
      ['not packed as it says', '/auth/introspect', packed('gzip'), 400, { error: 'invalid_request', error_description: 'the body is not what its Content-Encoding says' }],
      ['broken off', '/broker/rest/user', broken, 400, { status: 'bad_request' }],
    ]) {
      test(what, async () => {
        const [got, store, coding, body] = await read(await (await engine()).fetch(post(path, init)))
        assert.deepEqual([got, store, coding], [status, 'no-store', status === 415 ? 'gzip' : null])
        const refusal = JSON.parse(body)
        for (const [name, value] of Object.entries(told)) assert.equal(refusal[name], value, body)
      })
    }
    test('nothing is there of a dialect that is off', async () => {
      const waxseal = await engine({ settings: { ...CHEAP, dialects: { openshift: false } } })
      for (const init of [large, packed('br'), packed('gzip')]) {
        assert.deepEqual(await read(await waxseal.fetch(post('/broker/rest/user/authorizations', init))), [404, 'no-store', null, ''])
      }
      assert.equal((await waxseal.fetch(post('/v1/users', large))).status, 413)
    })
    test('administration has words for its owner only', async () => {
      const waxseal = await engine()
      assert.deepEqual(await read(await waxseal.fetch(post('/admin/users', large))), [404, 'no-store', null, ''])
      assert.equal((await waxseal.admin(post('/admin/users', large))).status, 413)
    })
  })
  for (const [lines, status] of [
    [['gzip'], 200], [['gzip, identity'], 200], [[' ,Identity,\tX-GZip ,, '], 200], [['identity', 'gzip'], 200], [['gzip', ''], 200],
    [['gzip, gzip'], 415], [['gzip', 'x-gzip'], 415], [['br', 'gzip'], 415], [['gzip', 'br'], 415], [['gz ip'], 415],
  ]) {
    test(`a body packed as ${JSON.stringify(lines)} says`, async () => {
      const { method, url, headers } = login()
      const packed = [...headers, ...lines.map(line => ['content-encoding', line])]
      const waxseal = await engine()
      assert.equal((await waxseal.fetch({ method, url, headers: packed, body: new Blob([gzipSync('{}')]).stream() })).status, status)
      if (lines.length > 1) return
      assert.equal((await waxseal.fetch(new Request(url, { method, headers: packed, body: gzipSync('{}') }))).status, status)
    })
  }
  test('whoever asks about a token may pack a body in any way, as nobody unpacks it', async () => {
    const waxseal = await engine()
    const { access_token: token } = await (await waxseal.fetch(login())).json()
    const ask = (path, coding, body) => waxseal.fetch(new Request(`http://localhost${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-encoding': coding }, body }))
    for (const path of ['/auth/verify', '/auth/verify/', '/auth/verify/v1/users?a', '/auth/envoy/v1/users']) {
      for (const coding of ['br', 'gzip', 'gzip, gzip']) assert.equal((await ask(path, coding, 'no gzip')).status, path.startsWith('/auth/verify') ? 204 : 200, `${path} ${coding}`)
      assert.equal((await ask(path, 'br', 'x'.repeat(65_537))).status, 413)
    }
    for (const path of ['/auth/verifying', '/auth/introspect', '/v1/auth/verify']) assert.equal((await ask(path, 'br', 'x')).status, 415, path)
  })
  for (const line of ['', 'identity', ' , identity,IDENTITY']) {
    test(`a body packed by nothing, as ${JSON.stringify(line)} says`, async () => {
      const { method, url, headers } = login()
      const plain = new Request(url, { method, headers: [...headers, ['content-encoding', line]], body: '{}' })
      assert.equal((await (await engine()).fetch(plain)).status, 200)
    })
  }
  test('administration is not there from outside', async () => {
    const waxseal = await engine()
    const request = () => new Request('http://localhost/admin/users')
    assert.equal((await waxseal.fetch(request(), { local: true })).status, 404)
    assert.equal((await waxseal.admin(request())).status, 200)
  })
  test('an address is one and bare', async () => {
    const seen = []
    const told = async address => {
      const waxseal = await engine({ audit: ({ source }) => seen.push(source), clientAddress: () => address })
      seen.length = 0
      await waxseal.fetch(login())
      return seen[0]
    }
    assert.deepEqual([await told('192.0.2.7'), await told('fe80::1%eth0'), await told(null), await told(undefined)], ['192.0.2.7', 'fe80::1', null, null])
    // As Bun and Node have it, which listen for both at once.
    assert.deepEqual([await told('::ffff:192.0.2.7'), await told('::FFFF:192.0.2.7%eth0'), await told('::ffff:1')], ['192.0.2.7', '192.0.2.7', '::ffff:1'])
    for (const address of ['1.2.3.4, 10.0.0.1', '1.2.3.4:80', '[::1]', 'localhost', '', 5, Promise.resolve('1.2.3.4')]) await assert.rejects(told(address), code('bad_address'))
  })
  test('a function for addresses that fails is a mistake like others', async () => {
    const gone = new Error('gone')
    const waxseal = await engine({ clientAddress: () => { throw gone } })
    await assert.rejects(waxseal.fetch(login()), error => code('bad_address')(error) && error instanceof WaxsealError && error.cause === gone)
  })
  test('a client cannot say where it comes from', async () => {
    const seen = []
    const waxseal = await engine({ audit: event => seen.push(event.source), clientAddress: () => '192.0.2.7' })
    seen.length = 0
    const request = login('admin', 'wrong')
    request.headers.set('x-forwarded-for', '198.51.100.1')
    assert.equal((await waxseal.fetch(request)).status, 401)
    assert.deepEqual([...new Set(seen)], ['192.0.2.7'])
  })
  test('what Deno, Bun and Cloudflare say of the client counts, and a header only with the last', async () => {
    const seen = []
    const waxseal = await engine({ audit: event => seen.push(event.source ?? null) })
    const told = async (context, userAgent) => {
      seen.length = 0
      const request = login('admin', 'wrong')
      request.headers.set('cf-connecting-ip', '198.51.100.1')
      const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
      Object.defineProperty(globalThis, 'navigator', { value: { userAgent }, configurable: true })
      try {
        assert.equal((await waxseal.fetch(request, context)).status, 401)
      } finally {
        if (before) Object.defineProperty(globalThis, 'navigator', before)
        else delete globalThis.navigator
      }
      return seen[0]
    }
    assert.equal(await told({ remoteAddr: { hostname: '192.0.2.8', port: 1 } }), '192.0.2.8')
    assert.equal(await told({ requestIP: () => ({ address: '192.0.2.9' }) }), '192.0.2.9')
    assert.equal(await told({}, 'Cloudflare-Workers'), '198.51.100.1')
    assert.equal(await told(undefined, 'Node.js/22'), null)
  })
})

describe('a store that fails', () => {
  const failing = (verb, fault) => {
    const store = new MemoryStore()
    const good = store[verb].bind(store)
    const state = { failing: false }
    store[verb] = (...args) => (state.failing ? fault(...args) : good(...args))
    return { store, state }
  }
  const throws = () => { throw new Error('the disk is gone') }
  for (const [what, verb, fault] of [
    ['read throws', 'read', throws],
    ['range throws', 'range', throws],
    ['commit throws', 'commit', throws],
    ['read rejects with nothing', 'read', () => Promise.reject()],
    ['read gives too few', 'read', async () => []],
    ['read gives no records', 'read', async keys => keys.map(() => 5)],
    ['read gives a fraction as version', 'read', async keys => keys.map(() => ({ version: 1.5, value: new Uint8Array() }))],
    ['read gives garbage', 'read', async keys => keys.map(() => ({ version: 1, value: Uint8Array.of(1, 2, 3) }))],
    ['read gives what is no record', 'read', async keys => keys.map(() => ({ version: 1, value: 'text' }))],
    ['range gives no values', 'range', async () => [{ key: 'key/a', version: 1 }]],
    ['range gives holes', 'range', async () => [undefined]],
    ['range gives too many', 'range', async ({ limit }) => Array(limit + 1).fill({ key: 'a', version: 1, value: new Uint8Array() })],
    ['commit never holds', 'commit', async () => false],
    ['commit gives no verdict', 'commit', async () => undefined],
  ]) {
    test(what, async () => {
      const problems = []
      const { store, state } = failing(verb, fault)
      const waxseal = await engine({ store, onError: problem => problems.push(problem) })
      state.failing = true
      const response = await waxseal.fetch(login())
      assert.equal(response.status, 503)
      assert.equal(response.headers.get('retry-after'), '1')
      assert.equal(problems.length, 1, 'and somebody is told')
      state.failing = false
      assert.equal((await waxseal.fetch(login())).status, 200, 'and then it goes on')
    })
  }
})

test('whoever begins after a key has gone is not answered with it, whichever look at the keys comes last', async () => {
  const store = new MemoryStore()
  const waxseal = await engine({ store })
  const { access_token: token } = await (await waxseal.fetch(login())).json()
  const verify = async () => (await waxseal.fetch(new Request('http://localhost/auth/verify', { headers: { authorization: `Bearer ${token}` } }))).status
  const range = store.range.bind(store)
  const held = []
  store.range = async (...args) => {
    const found = await range(...args)
    await new Promise(resolve => held.push(resolve))
    return found
  }
  const tick = () => new Promise(resolve => setTimeout(resolve, 5))
  const before = verify()
  await tick()
  const [deliverBefore] = held
  store.range = range
  const rotation = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"end_tokens":true}' }
  assert.equal((await waxseal.admin(new Request('http://localhost/admin/keys/rotate', rotation))).status, 201)
  store.range = async (...args) => {
    const found = await range(...args)
    await new Promise(resolve => held.push(resolve))
    return found
  }
  const after = verify()
  await tick()
  store.range = range
  held[1]()
  deliverBefore()
  assert.equal(await after, 401)
  assert.equal(await before, 401)
})

test('what has begun before the keys ended commits nothing under them', async () => {
  let meanwhile = () => {}
  const kdf = { derive: async () => (await meanwhile(), new Uint8Array(32).fill(7)), close() {} }
  const waxseal = await engine({ kdf })
  const admin = (path, body) => waxseal.admin(new Request(`http://localhost/admin/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }))
  const ask = (path, token, init) => waxseal.fetch(new Request(`http://localhost${path}`, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } }))
  const token = async response => (await response.json()).access_token
  const ended = async () => {
    meanwhile = () => {}
    assert.equal((await admin('keys/rotate', '{"end_tokens":true}')).status, 201)
  }
  const before = await token(await waxseal.fetch(login()))
  meanwhile = ended
  const user = '{"name":"evil","password":"evil password","role":"admin"}'
  assert.equal((await ask('/v1/users', before, { method: 'POST', body: user })).status, 401)
  meanwhile = ended
  const issued = await token(await waxseal.fetch(login()))
  assert.equal((await ask('/auth/verify', issued)).status, 204)
})

test('what writes nothing is neither signed nor told under keys that have gone meanwhile', async () => {
  const store = new MemoryStore()
  const waxseal = await engine({ store })
  const { access_token: token } = await (await waxseal.fetch(login())).json()
  const kid = text => JSON.parse(atob(text.split('.')[0])).kid
  const read = store.read.bind(store)
  let commits = 0
  const commit = store.commit.bind(store)
  store.commit = (...args) => (commits++, commit(...args))
  const asked = async (method, path, rotation) => {
    commits = 0
    store.read = async (...args) => {
      store.read = read
      const response = await waxseal.admin(new Request('http://localhost/admin/keys/rotate', { method: 'POST', body: rotation }))
      assert.deepEqual([response.status, commits], [201, 1])
      return read(...args)
    }
    const response = await waxseal.fetch(new Request(`http://localhost${path}`, { method, headers: { authorization: `Bearer ${token}` } }))
    assert.equal(commits, 1, 'only the keys were written')
    return response
  }
  const refreshed = await asked('POST', '/v1/users/refresh_jwt', '{}')
  const { access_token: fresh } = await refreshed.json()
  assert.notEqual(kid(fresh), kid(token))
  assert.equal((await asked('GET', '/auth/verify', '{}')).status, 204, 'the first key still verifies')
  assert.equal((await asked('GET', '/auth/verify', '{"end_tokens":true}')).status, 401)
})

test('an engine that was made while the clock was ahead lacks no key when it is put right', async () => {
  const [store, rootKey, clock] = [new MemoryStore(), generateRootKey(), new MovableClock(NOW)]
  const first = await engine({ store, rootKey, clock })
  const { access_token: token } = await (await first.fetch(login())).json()
  assert.equal((await first.admin(new Request('http://localhost/admin/keys/rotate', { method: 'POST' }))).status, 201)
  clock.advance(2 * 86_400)
  const second = new Waxseal({ store, rootKey, settings: CHEAP, clock })
  await second.ready()
  clock.advance(60 - 2 * 86_400)
  for (const waxseal of [first, second]) {
    assert.equal((await waxseal.fetch(new Request('http://localhost/auth/verify', { headers: { authorization: `Bearer ${token}` } }))).status, 204)
  }
})

/** A record that passes for one, and stops the engine that reads it. */
function stopping() {
  let reads = 0
  return { key: 'key/a', version: 1, get value() { return reads++ === 0 ? new Uint8Array(3) : assert.fail('once too often') } }
}

test('a trap in one engine is none in another', async () => {
  const sick = new MemoryStore()
  const [good, bad] = [await engine(), await engine({ store: sick })]
  sick.range = async () => [stopping()]
  const ask = () => new Request('http://localhost/auth/verify')
  for (let round = 0; round < 20; round++) {
    const answers = [good.fetch(ask()), bad.fetch(ask()), good.fetch(ask())]
    assert.deepEqual((await Promise.all(answers)).map(({ status }) => status), [401, 503, 401])
  }
})

test('the first root key counts, also after a trap, however many calls have asked for one', async () => {
  const store = new MemoryStore()
  let asked = 0
  const rootKey = async () => {
    const pause = 20 * asked++
    await new Promise(resolve => setTimeout(resolve, pause))
    return generateRootKey()
  }
  const waxseal = new Waxseal({ store, rootKey, settings: CHEAP, clock: new MovableClock(NOW), onError: () => {} })
  await Promise.all([waxseal.ready(), waxseal.ready(), waxseal.bootstrap({ password: PASSWORD })])
  assert.equal(asked, 3)
  const { range } = store
  store.range = async () => [stopping()]
  assert.equal((await waxseal.fetch(login())).status, 503)
  store.range = range
  assert.equal((await waxseal.fetch(login())).status, 200)
  assert.equal(asked, 3)
})

test('an engine that keeps stopping does not keep another one waiting for ever', async () => {
  const [store, sick, problems] = [new MemoryStore(), new MemoryStore(), []]
  const [good, bad] = [await engine({ store, onError: problem => problems.push(problem.message) }), await engine({ store: sick })]
  sick.range = async () => [stopping()]
  const ask = () => new Request('http://localhost/auth/verify')
  const { range } = store
  store.range = async (...args) => {
    assert.equal((await bad.fetch(ask())).status, 503)
    return range.apply(store, args)
  }
  assert.equal((await good.fetch(ask())).status, 503)
  assert.deepEqual(problems, ['another engine of this process keeps stopping'])
  store.range = range
  assert.equal((await good.fetch(ask())).status, 401)
})

test('what the engine cannot answer is reported without what may be a token', async () => {
  const [store, problems] = [new MemoryStore(), []]
  const waxseal = await engine({ store, onError: problem => problems.push(problem.message) })
  const { access_token: token } = await (await waxseal.fetch(login())).json()
  const read = store.read.bind(store)
  store.read = async (keys, now) => (await read(keys, now)).map((record, at) => (keys[at].startsWith('user/') ? { ...record, value: new Uint8Array([0]) } : record))
  const headers = { authorization: `Bearer ${token}` }
  const response = await waxseal.fetch(new Request('http://localhost/v1/users/1?token=b', { headers }))
  assert.equal(response.status, 503)
  assert.deepEqual(problems, ['the engine answered 503 to GET /v1/users'])
})

test('a body may be octets of another realm', async () => {
  const waxseal = await engine()
  const octets = runInNewContext('new Uint8Array([123, 125])')
  const body = new ReadableStream({ start(stream) { stream.enqueue(octets); stream.close() } })
  const { headers } = login()
  const request = new Request('http://localhost/v1/users/authorize', { method: 'POST', headers, body, duplex: 'half' })
  assert.equal((await waxseal.fetch(request)).status, 200)
})

test('a promise is no address and no verdict, and may fail', async () => {
  const lost = []
  const note = error => lost.push(error)
  process.on('unhandledRejection', note)
  try {
    const fails = async () => { throw new Error('no database') }
    await assert.rejects((await engine({ clientAddress: fails })).fetch(login()), code('bad_address'))
    const key = 'x'.repeat(32)
    const token = createSigner({ key, issuer: 'me', expiresIn: 60 })({ sub: '1' })
    assert.throws(() => createVerifier({ key, issuer: 'me', revoked: fails })(token), code('bad_options'))
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.deepEqual(lost, [])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test('what is no address is not repeated at length', async () => {
  const rejected = (await engine({ clientAddress: () => 'x'.repeat(5000) })).fetch(login())
  await assert.rejects(rejected, error => code('bad_address')(error) && error.message.length < 200)
})

test('who is told of errors may fail, later too', async () => {
  const lost = []
  const note = error => lost.push(error)
  process.on('unhandledRejection', note)
  try {
    for (const onError of [async () => { throw new Error('no log') }, () => { throw new Error('no log') }]) {
      const store = new MemoryStore()
      const waxseal = await engine({ store, onError })
      store.read = async () => { throw new Error('gone') }
      assert.equal((await waxseal.fetch(login())).status, 503)
    }
    const remote = createRemoteVerifier({ origin: 'https://issuer.example', issuer: 'me', fetch: async () => { throw new Error('gone') }, onError: async () => { throw new Error('no log') } })
    await assert.rejects(remote.refresh(), code('unreachable'))
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.deepEqual(lost, [])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test('a flood of errors gets ten lines a second, and the next says how many it was', async t => {
  const lines = []
  t.mock.method(console, 'error', (...line) => line[0] === 'waxseal:' && lines.push(line))
  t.mock.timers.enable({ apis: ['Date'], now: NOW })
  const [store, gone] = [new MemoryStore(), new Error('gone')]
  const waxseal = await engine({ store, onError: undefined })
  store.read = async () => { throw gone }
  const flood = times => Promise.all(Array.from({ length: times }, () => waxseal.fetch(login())))
  await flood(25)
  assert.deepEqual(lines.splice(0), Array(10).fill(['waxseal:', gone]))
  t.mock.timers.setTime(NOW + 1000)
  await flood(2)
  assert.deepEqual(lines, [['waxseal:', gone, '(15 before it left out)'], ['waxseal:', gone]])
})

test('what is wrong with the answer of a store is told', async () => {
  const [value, octets] = [undefined, new Uint8Array(1)]
  for (const [verb, answer, expected, message] of [
    ['read', () => [], 'bad_store', /one entry for each key/],
    ['read', () => undefined, 'bad_store', /one entry for each key/],
    ['read', keys => keys.map(() => ({ version: 1, value })), 'bad_store', /has no octets/],
    ['read', keys => keys.map(() => ({ version: 'one', value: octets })), 'bad_answer', /./],
    ['range', ({ limit }) => Array(limit + 1).fill({ key: 'a', version: 1, value: octets }), 'bad_store', /within its limit/],
    ['range', () => [{ key: 'a', version: 1, value }], 'bad_store', /has no octets/],
    ['range', () => [null], 'bad_store', /has no octets/],
  ]) {
    const problems = []
    const store = new MemoryStore()
    const waxseal = await engine({ store, onError: problem => problems.push(problem) })
    store[verb] = async asked => answer(asked)
    assert.equal((await waxseal.fetch(login())).status, 503)
    assert.equal(problems.length, 1)
    assert.ok(code(expected)(problems[0]) && message.test(problems[0].message), problems[0].stack)
  }
})

test('a store that does not say whether it has written is not asked to write again', async () => {
  for (const [verdict, expected] of [[undefined, 'bad_store'], [1, 'bad_store'], ['ok', 'bad_store'], [null, 'bad_store'], [true, undefined]]) {
    const [store, codes] = [new MemoryStore(), []]
    const waxseal = await engine({ store, onError: error => codes.push(error.code) })
    const commit = store.commit.bind(store)
    let commits = 0
    store.commit = async (...args) => (commits++, await commit(...args), verdict)
    const { status } = await waxseal.fetch(login())
    assert.deepEqual([status, commits, codes], [expected ? 503 : 200, 1, expected ? [expected] : []], String(verdict))
  }
})

describe('races and traps', () => {
  test('a lost race starts over without deriving again', async () => {
    let [derivations, commits, losing] = [0, 0, 0]
    const store = new MemoryStore()
    const commit = store.commit.bind(store)
    store.commit = async (...args) => (commits++, losing-- > 0 ? false : commit(...args))
    const waxseal = await engine({ store, kdf: { derive: derivation => (derivations++, kdf.derive(derivation)) } })
    ;[derivations, commits, losing] = [0, 0, 5]
    assert.equal((await waxseal.fetch(login())).status, 200)
    assert.deepEqual([derivations, commits], [1, 6])
  })
  test('of two first administrators one is made', async () => {
    const waxseal = new Waxseal({ store: new MemoryStore(), settings: CHEAP })
    const made = await Promise.all(['a', 'b', 'c'].map(name => waxseal.bootstrap({ name, password: PASSWORD })))
    assert.equal(made.filter(user => user !== null).length, 1)
  })
  test('a trap ends one call, and those beside it go on', async () => {
    let trapping = false
    const store = new MemoryStore()
    const read = store.read.bind(store)
    // The module asks for the version of a record, and what is thrown then stops it in the middle of a call.
    const hostile = { get version() { throw new WebAssembly.RuntimeError('unreachable') }, value: new Uint8Array() }
    store.read = async (keys, now) => {
      await new Promise(resolve => setTimeout(resolve, 5))
      const records = await read(keys, now)
      if (!trapping) return records
      trapping = false
      return records.map(() => hostile)
    }
    const waxseal = await engine({ store })
    const beside = [login(), login(), login()].map(request => waxseal.fetch(request))
    trapping = true
    const statuses = (await Promise.all([...beside, waxseal.fetch(login())])).map(({ status }) => status)
    assert.equal(statuses.filter(status => status === 503).length, 1)
    assert.equal(statuses.filter(status => status === 200).length, 3)
    assert.equal((await waxseal.fetch(login())).status, 200)
  })
  test('a real trap ends one call, and those beside it go on', async () => {
    // The package's own glue, which gives the instance in force.
    const { initSync } = await import(new URL('wasm/engine.js', import.meta.resolve('waxseal/package.json')))
    const problems = []
    const store = new MemoryStore()
    const read = store.read.bind(store)
    let large = 0
    store.read = async (keys, now) => {
      await new Promise(resolve => setTimeout(resolve, 5))
      const records = await read(keys, now)
      return large-- > 0 ? records.map(() => ({ version: 1, value: new Uint8Array(1 << 24) })) : records
    }
    const waxseal = await engine({ store, onError: problem => problems.push(problem) })
    for (let round = 0; round < 3; round++) {
      const { memory } = initSync()
      // No page is left, so the next large answer of the store finds no room and ends at an `unreachable`.
      for (let pages = 1 << 15; pages > 0; pages >>= 1) while (grows(memory, pages));
      large = 1
      const answers = await Promise.all([login(), login(), login()].map(request => waxseal.fetch(request)))
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 503])
      assert.equal(answers.find(({ status }) => status === 503).headers.get('retry-after'), '1')
      const trap = problems.pop()
      assert.equal(trap.name, 'Trap')
      assert.ok(trap.cause instanceof WebAssembly.RuntimeError && /unreachable/.test(trap.cause.message), trap.stack)
      assert.deepEqual(problems, [])
      assert.notEqual(initSync().memory, memory, 'another instance')
      assert.equal((await waxseal.fetch(login())).status, 200)
    }

    function grows(memory, pages) {
      try {
        return memory.grow(pages) >= 0
      } catch {
        return false
      }
    }
  })
  test('audit events come after the commit and before the response, and a failing audit fails nothing', async () => {
    const order = []
    const store = new MemoryStore()
    const commit = store.commit.bind(store)
    store.commit = async (...args) => (order.push('commit'), commit(...args))
    const waxseal = await engine({ store, audit: async ({ action }) => { order.push(action); throw new Error('full') } })
    order.length = 0
    assert.equal((await waxseal.fetch(login())).status, 200)
    assert.deepEqual(order, ['commit', 'login', 'token.issue'])
  })
  test('audit events tell requests apart, also where a page has an insecure address', async () => {
    const requests = []
    const waxseal = await engine({ audit: ({ request }) => requests.push(request) })
    requests.length = 0
    // Only secure contexts have it.
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true })
    try {
      for (let times = 0; times < 2; times++) assert.equal((await waxseal.fetch(login())).status, 200)
    } finally {
      delete crypto.randomUUID
    }
    const [one, , other] = requests
    assert.notEqual(one, other)
    assert.deepEqual(requests, [one, one, other, other])
  })
})

describe('derivations', () => {
  const salt = Uint8Array.from({ length: 16 }, (_, i) => i)
  const password = new TextEncoder().encode('password')
  const hex = octets => Buffer.from(octets).toString('hex')
  test('Argon2id as everybody computes it', async () => {
    const { argon2id } = await import('hash-wasm')
    for (const [memory, passes, lanes] of [[64, 2, 1], [256, 3, 4], [19456, 2, 1]]) {
      const expected = await argon2id({ password, salt, memorySize: memory, iterations: passes, parallelism: lanes, hashLength: 32, outputType: 'hex' })
      assert.equal(hex(await kdf.derive({ scheme: { argon2id: { memory, passes, lanes } }, salt, password })), expected)
    }
  })
  test('PBKDF2 as the platform computes it', async () => {
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const expected = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 5000 }, key, 256)
    assert.equal(hex(await kdf.derive({ scheme: { pbkdf2_sha256: { iterations: 5000 } }, salt, password })), hex(expected))
  })
  for (const [what, derivation] of [
    ['nothing', undefined],
    ['no scheme', { scheme: {}, salt, password }],
    ['too much memory', { scheme: { argon2id: { memory: 2 ** 31, passes: 1, lanes: 1 } }, salt, password }],
    ['no numbers', { scheme: { argon2id: { memory: '8', passes: 1, lanes: 1 } }, salt, password }],
    ['a short salt', { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt: new Uint8Array(3), password }],
    ['a huge password', { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt, password: new Uint8Array(1e6) }],
    ['text', { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt: 'salt', password: 'password' }],
    ['an empty scheme', { scheme: { argon2id: null, pbkdf2_sha256: null }, salt, password }],
  ]) {
    test(`${what} is refused`, () => assert.rejects(kdf.derive(derivation), code('bad_derivation')))
  }
  test('what else an object holds does not matter, nor where its octets were made', async () => {
    const scheme = { argon2id: { memory: 8, passes: 1, lanes: 1, check() {} }, check() {} }
    const others = runInNewContext('[Uint8Array.from(salt), Uint8Array.from(password)]', { salt, password })
    assert.equal(hex(await kdf.derive({ scheme, salt: others[0], password: others[1] })), hex(await kdf.derive({ scheme, salt, password })))
  })
  test('closing in the middle of logins ends none of them, nor those of others', async () => {
    const [one, other] = [await engine({ settings: {} }), await engine({ settings: {} })]
    for (let round = 0; round < 3; round++) {
      const answers = [one.fetch(login()), other.fetch(login())]
      for (let i = 0; i < 5; i++) {
        await new Promise(resolve => setTimeout(resolve, 10))
        one.close()
      }
      assert.deepEqual((await Promise.all(answers)).map(({ status }) => status), [200, 200])
    }
  })
  test('a worker that is lost is replaced, and what it had to do is done here', async t => {
    const said = []
    t.mock.method(console, 'error', (...line) => said.push(line))
    const file = new URL(import.meta.resolve('waxseal/kdf.wasm'))
    const derivation = { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt, password }
    const expected = await kdf.derive(derivation)
    let [spawned, failing] = [0, true]
    const spawn = () => {
      spawned++
      let [told, lost] = []
      return {
        listen: (...both) => { [told, lost] = both },
        postMessage: ({ id }) => setImmediate(() => (failing ? lost(new Error('gone')) : told({ id, code: 0, bits: expected }))),
        terminate() {},
      }
    }
    const own = new Kdf({ module: () => WebAssembly.compile(readFileSync(file)), bytes: () => readFileSync(file), spawn })
    for (let i = 0; i < 2; i++) assert.equal(hex(await own.derive(derivation)), hex(expected))
    failing = false
    assert.equal(hex(await own.derive(derivation)), hex(expected))
    assert.equal(spawned, 3)
    own.close()
    assert.deepEqual(said, [])
    failing = true
    for (let i = 0; i < 9; i++) assert.equal(hex(await own.derive(derivation)), hex(expected))
    assert.equal(spawned, 6, 'and where there are never any, no more are tried')
    assert.deepEqual(said.map(([, { code, cause }]) => [code, cause.message]), [['no_worker', 'gone']], 'of which the console is told once')
  })
  test('there is a worker whatever flags the process has', async () => {
    const source = `import { kdf } from ${JSON.stringify(import.meta.resolve('waxseal/kdf'))}
      process.on('worker', worker => worker.on('message', ({ code }) => console.log('answered', code)))
      await kdf.derive({ scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt: new Uint8Array(16), password: new Uint8Array(8) })`
    assert.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' }).trim(), 'answered 0')
  })
  describe('the module is read from beside the script', () => {
    const copied = () => {
      const place = join(folder(), 'waxseal')
      cpSync(dirname(fileURLToPath(import.meta.resolve('waxseal/package.json'))), place, { recursive: true })
      const source = `import { Waxseal, MemoryStore } from './entry/node.js'
        import { kdf } from './kdf/entry-node.js'
        const said = async work => work().then(() => 'good', ({ code, cause }) => code === 'no_module' ? cause.code : code)
        const derivation = { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt: new Uint8Array(16), password: new Uint8Array(8) }
        console.log(await said(() => new Waxseal({ store: new MemoryStore() }).ready()), await said(() => kdf.derive(derivation)))`
      writeFileSync(join(place, 'main.mjs'), source)
      return place
    }
    const outcome = async (place, program = process.execPath, args = []) => (await output(program, [...args, 'main.mjs'], { cwd: place })).trim()
    const modules = place => ['engine', 'kdf'].map(name => join(place, `wasm/${name}.wasm`))
    test('and where there is none, from its text', async () => {
      const place = copied()
      assert.equal(await outcome(place), 'good good')
      for (const file of modules(place)) rmSync(file)
      assert.equal(await outcome(place), 'good good')
    })
    test('also where Deno may read nothing', async () => assert.equal(await outcome(copied(), bin('deno'), ['run', '--quiet', '--no-prompt']), 'good good'))
    test('but what keeps it from being read is told', async () => {
      const place = copied()
      for (const file of modules(place)) {
        rmSync(file)
        mkdirSync(file)
      }
      assert.equal(await outcome(place), 'EISDIR EISDIR')
    })
  })
  test('a flood waits in a bounded queue', async () => {
    const scheme = { argon2id: { memory: 8, passes: 1, lanes: 1 } }
    const settled = await Promise.allSettled(Array.from({ length: 200 }, () => kdf.derive({ scheme, salt, password })))
    const refused = settled.filter(({ status }) => status === 'rejected')
    assert.ok(refused.length > 0 && refused.length < 200)
    assert.ok(refused.every(({ reason }) => reason.code === 'kdf_busy'))
    await kdf.derive({ scheme, salt, password })
  })
  test('one source alone leaves room for others', async () => {
    const scheme = { argon2id: { memory: 8, passes: 1, lanes: 1 } }
    const derive = address => kdf.derive({ scheme, salt, password }, address)
    const refused = async addresses => {
      const settled = await Promise.allSettled(addresses.map(derive))
      return settled.flatMap(({ status, reason }, at) => (status === 'rejected' ? [`${reason.code} ${addresses[at]}`] : []))
    }
    const many = (times, address) => Array.from({ length: times }, (_, i) => (typeof address === 'string' ? address : address(i)))
    assert.deepEqual(await refused([...many(33, '192.0.2.66'), '::ffff:192.0.2.66', ...many(32, '198.51.100.7')]), ['kdf_busy 192.0.2.66', 'kdf_busy ::ffff:192.0.2.66'])
    assert.deepEqual(await refused([...many(32, i => `2001:db8:7:${i}::1`), '2001:db8:7::', '2001:db8:8::']), ['kdf_busy 2001:db8:7::'])
    assert.deepEqual(await refused([...many(32, i => (i % 2 ? '2001:db8::1' : '2001:db8:0:1::')), '2001:db8::2', '2001::1', '::1']), ['kdf_busy 2001:db8::2'])
    assert.deepEqual(await refused([...many(40, () => undefined), ...many(24, '192.0.2.66')]), [], 'who has no address counts for nobody')
  })
  test('a flood of logins from one place does not keep others out', async () => {
    const waxseal = await engine({ clientAddress: request => request.headers.get('x-peer'), settings: {} })
    const from = (address, name, password) => {
      const request = login(name, password)
      request.headers.set('x-peer', address)
      return waxseal.fetch(request)
    }
    // As Bun has it, for every second one.
    const flood = Array.from({ length: 80 }, (_, i) => from(i % 2 ? '192.0.2.66' : '::ffff:192.0.2.66', `nobody${i}`, 'x'))
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.equal((await from('198.51.100.7')).status, 200)
    assert.ok((await Promise.all(flood)).some(({ status }) => status === 503))
  })
  test('whoever else computes is told for whom', async () => {
    const addresses = []
    const waxseal = await engine({ clientAddress: () => '::ffff:192.0.2.7', kdf: { derive: (derivation, address) => (addresses.push(address), kdf.derive(derivation)) } })
    await waxseal.fetch(login())
    assert.deepEqual(addresses.slice(-2), [null, '192.0.2.7'])
  })
  test('without a worker it is computed here', async t => {
    const said = []
    t.mock.method(console, 'error', (...line) => said.push(line))
    const file = new URL(import.meta.resolve('waxseal/kdf.wasm'))
    const here = new Kdf({ module: () => WebAssembly.compile(readFileSync(file)), bytes: () => readFileSync(file), spawn: () => { throw new Error('forbidden') } })
    const derivation = { scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt, password }
    for (let i = 0; i < 4; i++) assert.equal(hex(await here.derive(derivation)), hex(await kdf.derive(derivation)))
    assert.deepEqual(said.map(([, { code, cause }]) => [code, cause.message]), [['no_worker', 'forbidden']])
  })
  describe('where there is no worker', () => {
    const file = name => readFileSync(new URL(import.meta.resolve(`waxseal/${name}.wasm`)))
    const logins = async slim => {
      await slim.init({ engine: file('engine'), kdf: file('kdf') })
      const waxseal = new slim.Waxseal({ store: new MemoryStore(), settings: CHEAP })
      await waxseal.bootstrap({ password: PASSWORD })
      const answers = await Promise.all(Array.from({ length: 20 }, () => waxseal.fetch(login())))
      assert.ok(answers.every(({ status }) => status === 200))
    }
    test('others are answered between two derivations', async () => {
      let turns = 0
      let turning = setImmediate(function turn() {
        turns++
        turning = setImmediate(turn)
      })
      // A store in memory lets nobody else have a turn.
      await logins(await import('waxseal/slim'))
      clearImmediate(turning)
      assert.ok(turns >= 20, `${turns} turns of the event loop`)
    })
    for (const [name, value] of [['navigator', { userAgent: 'Cloudflare-Workers' }], ['EdgeRuntime', 'edge-runtime']]) {
      test(`none waits for a timer where it may end with the request that has set it, as by ${name}`, async t => {
        const before = Object.getOwnPropertyDescriptor(globalThis, name)
        Object.defineProperty(globalThis, name, { value, configurable: true })
        try {
          const slim = await import(`${import.meta.resolve('waxseal/slim')}?${name}`)
          const { setTimeout } = globalThis
          // Those that start over after a lost race wait with one of their own, for a time.
          t.mock.method(globalThis, 'setTimeout', (work, millis) => (millis === undefined ? assert.fail('a timer') : setTimeout(work, millis)))
          await logins(slim)
        } finally {
          if (before) Object.defineProperty(globalThis, name, before)
          else delete globalThis[name]
        }
      })
    }
  })
})

describe('verify', () => {
  const key = 'a secret of at least 32 octets, or more'
  const sign = createSigner({ key, issuer: 'me', audience: 'you', expiresIn: 60 })
  const verify = createVerifier({ key, issuer: 'me', audience: 'you' })

  test('what is signed is good, with a fresh id', () => {
    const [one, other] = [sign({ sub: '1', scope: 'a' }), sign({ sub: '1', scope: 'a' })]
    assert.notEqual(verify(one).jti, verify(other).jti)
    const { iat, exp, jti, ...rest } = verify(one)
    assert.deepEqual(rest, { iss: 'me', aud: 'you', sub: '1', scope: 'a' })
    assert.equal(exp - iat, 60)
    assert.match(jti, /^[\w-]{22}$/)
  })
  test('ids do not repeat over many tokens', () => {
    const ids = new Set(Array.from({ length: 2000 }, () => verify(sign({ sub: '1' })).jti))
    assert.equal(ids.size, 2000)
  })
  test('claims may replace what is fixed, but neither times nor id', () => {
    const claims = createVerifier({ key, issuer: 'other', audience: 'you' })(sign({ sub: '2', iss: 'other', exp: 1, iat: 2, jti: 'x' }))
    assert.equal(claims.sub, '2')
    assert.ok(claims.exp > 1e9 && claims.jti !== 'x')
  })
  test('a signer is a verifier with other options', () => {
    const subject = createSigner({ key, issuer: 'me', audience: 'you', subject: 'é"\\', expiresIn: 5 })
    assert.equal(verify(subject()).sub, 'é"\\')
    assert.equal(verify(subject({})).sub, 'é"\\')
  })
  for (const [what, token, expected] of [
    ['nothing', undefined, 'not_a_string'], ['a number', 5, 'not_a_string'], ['an object', {}, 'not_a_string'], ['empty', '', 'malformed'],
    ['huge', 'a'.repeat(10_000_000), 'too_long'], ['long by octets', `${'é'.repeat(4097)}`, 'too_long'], ['as long as may be', 'a'.repeat(8192), 'malformed'],
    ['a lone surrogate', '\ud800.\udfff.a', 'bad_base64'],
  ]) {
    test(`${what} is refused`, () => assert.throws(() => verify(token), error => error instanceof TokenError && code(expected)(error)))
  }
  test('revoked by id, by list and by function', () => {
    const token = sign({ sub: '1' })
    const { jti } = verify(token)
    for (const revoked of [new Set([jti]), [jti], new Map([[jti, 1]]), claims => claims.sub === '1']) {
      assert.throws(() => createVerifier({ key, issuer: 'me', audience: 'you', revoked })(token), code('revoked'))
    }
    // A list is copied.
    const list = []
    const early = createVerifier({ key, issuer: 'me', audience: 'you', revoked: list })
    list.push(jti)
    assert.equal(early(token).sub, '1')
    const live = new Set()
    const watching = createVerifier({ key, issuer: 'me', audience: 'you', revoked: live })
    watching(token)
    live.add(jti)
    assert.throws(() => watching(token), code('revoked'))
  })
  test('times by a clock of its own', () => {
    const clock = new MovableClock(NOW)
    const token = createSigner({ key, issuer: 'me', expiresIn: 60, clock })({ sub: '1' })
    const strict = createVerifier({ key, issuer: 'me', clock })
    const lenient = createVerifier({ key, issuer: 'me', clock, leeway: 5 })
    strict(token)
    clock.advance(60)
    assert.throws(() => strict(token), code('expired'))
    lenient(token)
    clock.advance(5)
    assert.throws(() => lenient(token), code('expired'))
  })
  const issuer = 'me'
  for (const [what, make, expected] of [
    ['no options', () => createVerifier(), 'bad_options'],
    ['no key', () => createVerifier({ issuer }), 'bad_options'],
    ['key and keys', () => createVerifier({ issuer, key, keys: [] }), 'bad_options'],
    ['no issuer', () => createVerifier({ key }), 'bad_options'],
    ['an unknown option', () => createVerifier({ key, issuer, ignoreExpiration: true }), 'bad_options'],
    ['a short secret', () => createVerifier({ key: 'short', issuer }), 'short_secret'],
    ['an empty secret', () => createVerifier({ key: '', issuer }), 'short_secret'],
    ['a lone surrogate', () => createVerifier({ key: '\ud800'.repeat(40), issuer }), 'bad_key'],
    ['a number as key', () => createVerifier({ key: 5, issuer }), 'bad_key'],
    ['algorithm none', () => createVerifier({ key, issuer, algorithms: ['none'] }), 'bad_algorithm'],
    ['two algorithms for one secret', () => createVerifier({ key, issuer, algorithms: ['HS256', 'HS512'] }), 'bad_options'],
    ['too much leeway', () => createVerifier({ key, issuer, leeway: 61 }), 'bad_options'],
    ['a kid twice', () => createVerifier({ issuer, keys: [{ kty: 'oct', kid: 'a', alg: 'HS256', k: 'A'.repeat(43) }, { kty: 'oct', kid: 'a', alg: 'HS256', k: 'A'.repeat(43) }] }), 'repeated_kid'],
    ['keys without names', () => createVerifier({ issuer, keys: [key, key] }), 'nameless_key'],
    ['mixed keys', () => createVerifier({ issuer, keys: [{ kty: 'oct', kid: 'a', alg: 'HS256', k: 'A'.repeat(43) }, { kty: 'EC', kid: 'b', alg: 'ES256' }] }), 'mixed_key_set'],
    ['a JWK that is none', () => createVerifier({ issuer, key: { kid: 'a' } }), 'bad_jwk'],
    ['a JWK with a stray `keys`', () => createVerifier({ issuer, keys: { kty: 'oct', alg: 'HS256', k: 'A'.repeat(43), keys: 5 } }), 'bad_jwk'],
    ['a set within a set', () => createVerifier({ issuer, keys: [{ kty: 'oct', alg: 'HS256', k: 'A'.repeat(43), keys: [] }] }), 'bad_jwk'],
    ['a JWK with loose base64', () => createVerifier({ issuer, key: { kty: 'oct', alg: 'HS256', k: `${'A'.repeat(42)}B` } }), 'bad_jwk'],
    ['a thousand keys', () => createVerifier({ issuer, keys: Array.from({ length: 1000 }, (_, i) => ({ kty: 'oct', kid: `${i}`, alg: 'HS256', k: 'A'.repeat(43) })) }), 'too_many_keys'],
    ['revocations that are none', () => createVerifier({ key, issuer, revoked: 5 }), 'bad_options'],
    ['a public key as secret', () => createVerifier({ key: PEM, issuer }), 'bad_key'],
    ['a public key as secret, behind a byte order mark', () => createVerifier({ key: `\ufeff${PEM}`, issuer }), 'bad_key'],
    ['a public key as secret, in octets', () => createVerifier({ keys: [Buffer.from(`\n${PEM}`)], issuer }), 'bad_key'],
    ['what only says that it is octets', () => createVerifier({ key: { [Symbol.toStringTag]: 'Uint8Array', length: 32 }, issuer }), 'bad_key'],
    ['what only says that it is a buffer', () => createVerifier({ key: { [Symbol.toStringTag]: 'ArrayBuffer', length: 32 }, issuer }), 'bad_key'],
    ['an object with a secret', () => createVerifier({ key: createSecretKey(Buffer.from(key)), issuer }), 'bad_jwk'],
    ['a signer for ever', () => createSigner({ key, issuer, expiresIn: 1e15 }), 'bad_options'],
    ['a signer without end', () => createSigner({ key, issuer }), 'bad_options'],
    ['a signer with a key for encryption', () => createSigner({ issuer, expiresIn: 1, key: { kty: 'oct', use: 'enc', alg: 'HS256', k: 'A'.repeat(43) } }), 'no_signing_key'],
  ]) {
    test(`${what} is a mistake`, () => assert.throws(make, error => error instanceof TokenError && code(expected)(error)))
  }
  describe('what is published is no secret', () => {
    const pairs = { Ed25519: ['ed25519'], 'P-256': ['ec', { namedCurve: 'P-256' }], RSA: ['rsa', { modulusLength: 2048 }] }
    for (const [name, [type, options]] of Object.entries(pairs)) {
      const { publicKey } = generateKeyPairSync(type, options)
      const spki = format => publicKey.export({ type: 'spki', format })
      const jwk = { kid: 'a', use: 'sig', ...publicKey.export({ format: 'jwk' }) }
      for (const [what, text] of Object.entries({
        'a set': JSON.stringify({ keys: [jwk] }), 'a set with line breaks': `\ufeff\n${JSON.stringify({ keys: [jwk] }, undefined, 2)}`,
        'a list': JSON.stringify([jwk]), 'a key': JSON.stringify(jwk), 'a PEM': spki('pem'), 'a PEM in JSON': JSON.stringify({ a: spki('pem') }),
        'base64': spki('der').toString('base64'), 'the body of a PEM': spki('pem').split('\n').slice(1, -2).join('\n'),
      })) {
        test(`${name}, ${what} as text or octets`, () => {
          for (const key of [text, new TextEncoder().encode(text), new TextEncoder().encode(text).buffer, Buffer.from(text, 'utf16le')]) {
            for (const make of [() => createVerifier({ key, issuer }), () => createVerifier({ keys: [key], issuer }), () => createSigner({ key, issuer, expiresIn: 60 })]) {
              assert.throws(make, code('bad_key'))
            }
            assert.throws(() => createVerifier({ keys: key, issuer }), code('bad_options'))
          }
        })
      }
      test(`${name}, DER`, () => assert.throws(() => createVerifier({ key: new Uint8Array(spki('der')), issuer }), code('bad_key')))
    }
    test('but what only looks like it at first is one', () => {
      for (const key of ['{"a":"as good a secret as any other"}', '[0123456789012345678901234567890]', '0123456789012345678901234567890123', `M${'IIBIjAN'.repeat(5)}`]) {
        createVerifier({ key, issuer })(createSigner({ key, issuer, expiresIn: 60 })({ sub: '1' }))
      }
    })
    test('`keys` is no secret, however it is given', () => {
      for (const keys of [key, new TextEncoder().encode(key), new ArrayBuffer(32)]) assert.throws(() => createVerifier({ keys, issuer }), code('bad_options'))
    })
  })
  describe('options that are inherited', () => {
    class Config {
      get key() { return key }
      get issuer() { return issuer }
      get audience() { return 'you' }
      get typ() { return 'at+jwt' }
    }
    const both = { key, issuer, audience: 'you', typ: 'at+jwt' }
    const inherited = { 'by a class with getters': new Config(), 'from defaults': Object.create(both), 'in part': Object.assign(Object.create({ audience: 'you', typ: 'at+jwt' }), { key, issuer }) }
    for (const [how, options] of Object.entries(inherited)) {
      test(`${how} count like own ones`, () => {
        const verify = createVerifier(options)
        const signed = other => createSigner({ ...both, ...other, expiresIn: 60 })({ sub: '1' })
        assert.equal(verify(signed()).sub, '1')
        assert.throws(() => verify(signed({ audience: undefined })), code('wrong_audience'))
        assert.throws(() => verify(signed({ typ: undefined })), code('wrong_typ'))
        const sign = createSigner(Object.assign(Object.create(options), { expiresIn: 60, subject: '2' }))
        assert.equal(verify(sign()).sub, '2')
      })
    }
    test('and unknown are a mistake like own ones', () => {
      const options = Object.assign(Object.create({ audiance: 'you' }), { key, issuer })
      assert.throws(() => createVerifier(options), code('bad_options'))
      assert.throws(() => createSigner(Object.assign(Object.create(options), { expiresIn: 60 })), code('bad_options'))
    })
    test('are asked for once, so that what is checked is what counts', () => {
      const asked = []
      const told = new Proxy({ key, issuer: 'me', audience: 'you' }, { get: (options, name) => (asked.push(name), options[name]) })
      createVerifier(told)
      assert.equal(new Set(asked).size, asked.length, asked.join())
    })
  })
  const cyclic = {}
  cyclic.self = cyclic
  for (const [what, claims, expected] of [['a cycle', cyclic, 'bad_claims'], ['a bigint', { n: 1n }, 'bad_claims'], ['a list', [], 'bad_claims'], ['null', null, 'bad_claims'],
    ['what turns into a text', { toJSON: () => 'x' }, 'bad_claims'],
    ['what turns into a list', { toJSON: () => [] }, 'bad_claims'], ['nothing about whom', {}, 'bad_claims'], ['an empty subject', { sub: '' }, 'bad_claims'],
    ['a number as subject', { sub: 5 }, 'bad_claims'], ['no issuer', { sub: '1', iss: null }, 'bad_claims'], ['no audience', { sub: '1', aud: null }, 'bad_claims'],
    ['audiences of none', { sub: '1', aud: [] }, 'bad_claims'], ['audiences that are none', { sub: '1', aud: ['you', 5] }, 'bad_claims'],
    ['a text as time', { sub: '1', nbf: '5' }, 'bad_claims'], ['a begin after the end', { sub: '1', nbf: 9e9 }, 'bad_claims'],
    ['a number as user', { sub: '1', uid: 5 }, 'bad_claims'], ['half a generation', { sub: '1', gen: 0.5 }, 'bad_claims'],
    ['a lone surrogate', { sub: '1', note: '\\\ud800' }, 'bad_claims'], ['a lone surrogate in a name', { sub: '1', '\udc00': 1 }, 'bad_claims'],
    ['what nests too deep', { sub: '1', deep: JSON.parse('['.repeat(128) + ']'.repeat(128)) }, 'bad_claims'],
    ['what nests far too deep', { sub: '1', deep: JSON.parse('{"a":'.repeat(1000) + '1' + '}'.repeat(1000)) }, 'bad_claims'],
    ['too much', { sub: 'x'.repeat(9000) }, 'too_long'], ['far too much', { sub: 'x'.repeat(1e7) }, 'too_long']]) {
    test(`${what} cannot be signed`, () => assert.throws(() => sign(claims), code(expected)))
  }
  test('what nests as deep as may be is signed and taken', () => {
    const deep = JSON.parse('['.repeat(127) + ']'.repeat(127))
    assert.deepEqual(verify(sign({ sub: '1', deep })).deep, deep)
  })
  test('a token without an id is none that could be looked up, whatever all objects have', () => {
    const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'HS256' })}.${part({ iss: 'me', sub: '1', exp: 9_999_999_999 })}`
    const token = `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
    Object.prototype.jti = 'x'
    try {
      assert.throws(() => createVerifier({ key, issuer: 'me', revoked: [] })(token), code('bad_jti'))
    } finally {
      delete Object.prototype.jti
    }
  })
  test('an instance that there is no room for is a trap', () => {
    const { Instance } = WebAssembly
    WebAssembly.Instance = function () { throw new RangeError('Out of memory') }
    try {
      assert.throws(() => createVerifier({ key, issuer }), error => error instanceof TokenError && code('trap')(error) && error.cause instanceof RangeError)
    } finally {
      WebAssembly.Instance = Instance
    }
  })
  test('where no module can be compiled, there is none', async () => {
    const fresh = path => import(new URL(`${path}?nowhere`, import.meta.resolve('waxseal/package.json')))
    const [tokens, edges, { kdf: derivations }] = [await fresh('verify/inline.js'), await fresh('verify/public/inline.js'), await fresh('kdf/entry-inline.js')]
    const { Module, compile } = WebAssembly
    const fail = function () { throw new WebAssembly.CompileError('forbidden') }
    const failed = expected => error => code(expected)(error) && error.cause instanceof WebAssembly.CompileError
    try {
      WebAssembly.Module = WebAssembly.compile = fail
      assert.throws(() => tokens.createVerifier({ key, issuer: 'me' }), failed('no_module'))
      assert.throws(() => edges.createEdgeVerifier({ keys: [], issuer: 'me' }), failed('no_module'))
      const salt = new Uint8Array(16)
      await assert.rejects(derivations.derive({ scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt, password: salt }), failed('kdf_failed'))
    } finally {
      Object.assign(WebAssembly, { Module, compile })
    }
    assert.equal(typeof tokens.createVerifier({ key, issuer: 'me' }), 'function')
  })
  test('what looks like the escape of a lone surrogate is signed', () => {
    const claims = { sub: '1', note: '\\ud800 \\\\ud800 \u{1f600} \\', '\\udfff': 1 }
    const { iss, aud, iat, exp, jti, ...rest } = verify(sign(claims))
    assert.deepEqual(rest, claims)
  })
  test('claims are what JSON makes of them, and nothing twice', () => {
    const token = sign({ toJSON: () => ({ sub: '7', exp: 9_999_999_999, iat: 1, jti: 'mine', aud: ['you', 'others'] }) })
    const text = Buffer.from(token.split('.')[1], 'base64url').toString()
    for (const name of ['iss', 'aud', 'sub', 'iat', 'exp', 'jti']) assert.equal(text.split(`"${name}":`).length, 2, text)
    const { sub, aud, exp, iat, jti } = verify(token)
    assert.deepEqual([sub, aud, exp - iat, jti === 'mine'], ['7', ['you', 'others'], 60, false])
    assert.equal(verify(sign({ sub: '1', iss: undefined, aud: undefined, nbf: undefined })).iss, 'me')
  })
  test('a clock that tells no time decides and signs nothing', () => {
    const token = sign({ sub: '1' })
    const long = 'https://issuer.example'
    for (const time of [undefined, null, NaN, -1, Infinity, 8.64e15 + 1, 1e300, '5', 5n, {}, new Date(), Promise.resolve(5)]) {
      for (const clock of [() => time, { now: () => time }]) {
        assert.throws(() => createVerifier({ key, issuer: 'me', audience: 'you', clock })(token), code('bad_clock'))
        assert.throws(() => createSigner({ key, issuer: 'me', expiresIn: 60, clock })({ sub: '1' }), code('bad_clock'))
        const edge = createEdgeVerifier({ keys: [], issuer: long, stale: 'accept', clock })
        assert.throws(() => edge.verify(token), code('bad_clock'))
        assert.throws(() => edge.take(token), code('bad_clock'))
      }
    }
    for (const clock of [5, {}, 'now', { now: 5 }, null]) assert.throws(() => createVerifier({ key, issuer: 'me', clock }), code('bad_options'))
    assert.equal(createVerifier({ key, issuer: 'me', audience: 'you', clock: Date })(token).sub, '1')
  })
  test('nor does the module by what is no time', () => {
    const { Instance } = WebAssembly
    let guest
    WebAssembly.Instance = function (...args) {
      const instance = new Instance(...args)
      guest = instance.exports
      return instance
    }
    try {
      createVerifier({ key, issuer: 'me', audience: 'you' })
    } finally {
      WebAssembly.Instance = Instance
    }
    const buffer = new Uint8Array(guest.memory.buffer, guest.buffer(), guest.room())
    const verdict = now => {
      const { written } = new TextEncoder().encodeInto(sign({ sub: '1' }), buffer)
      const length = guest.verify(written, now)
      return length < 0 ? Buffer.from(buffer.subarray(0, -1 - length)).toString() : 'good'
    }
    assert.deepEqual([Date.now(), NaN, -1, -Infinity, Infinity].map(verdict), ['good', 'expired', 'expired', 'expired', 'expired'])
  })
  test('a promise is no verdict on what is revoked', () => {
    const token = sign({ sub: '1' })
    for (const revoked of [async () => false, async () => true, { has: async () => false }]) {
      assert.throws(() => createVerifier({ key, issuer: 'me', audience: 'you', revoked })(token), code('bad_options'))
    }
  })
  test('octets of another realm are a key', () => {
    for (const make of ['Uint8Array.from(octets)', 'Uint8Array.from(octets).buffer']) {
      const other = runInNewContext(make, { octets: [...new TextEncoder().encode(key)] })
      assert.equal(createVerifier({ key: other, issuer: 'me', audience: 'you' })(sign({ sub: '1' })).sub, '1')
    }
  })
  test('issuer too long for a verifier', () => {
    for (const long of ['x'.repeat(65_536), 'x'.repeat(70_000)]) {
      assert.throws(() => createEdgeVerifier({ keys: [], issuer: long }), code('bad_options'))
      assert.throws(() => createVerifier({ key, issuer: long }), code('bad_options'))
    }
  })
  test('algorithms can be narrowed', () => {
    const long = 'x'.repeat(64)
    const other = createSigner({ key: long, algorithm: 'HS512', issuer, expiresIn: 60 })({ sub: '1' })
    assert.equal(createVerifier({ key: long, algorithms: ['HS512'], issuer })(other).sub, '1')
    assert.throws(() => createVerifier({ key: long, issuer })(other), code('wrong_algorithm'))
  })
  test('a detached key is refused', () => {
    const octets = new Uint8Array(40)
    structuredClone(octets.buffer, { transfer: [octets.buffer] })
    assert.throws(() => createVerifier({ key: octets, issuer }), code('bad_key'))
  })
  test('many verifiers may live side by side', () => {
    const all = Array.from({ length: 200 }, (_, i) => createVerifier({ key: `${key}${i}`, issuer, audience: 'you' }))
    const token = createSigner({ key: `${key}150`, issuer, audience: 'you', expiresIn: 9 })({ sub: '1' })
    assert.deepEqual(all.map((verify, i) => { try { verify(token); return i } catch { return -1 } }).filter(i => i >= 0), [150])
  })
  test('a real trap ends one call, with its own code, and the next ones are answered', () => {
    withMemories(memories => {
      const own = { key, issuer: 'me', audience: 'you' }
      const [signs, verifies] = [createSigner({ ...own, expiresIn: 60 }), createVerifier(own)]
      for (let round = 0; round < 3; round++) {
        const token = signs({ sub: '1' })
        for (const [work, of] of [[() => signs({ sub: '1' }), 0], [() => verifies(token), 1]]) {
          // What guards its buffer is now taken for a borrow that has not ended.
          new Uint8Array(memories[of].buffer).fill(0xff)
          assert.throws(work, error => error instanceof TokenError && code('trap')(error)
            && error.cause instanceof WebAssembly.RuntimeError && /unreachable/.test(error.cause.message))
          assert.equal(memories.length, 2)
          work()
          assert.equal(memories.length, 3, 'another instance')
          memories[of] = memories.pop()
        }
        assert.equal(verifies(token).sub, '1')
        assert.throws(() => verifies(`${token}x`), code('bad_signature'), 'and no verdict is lost')
      }
    })
  })
  test('what the server issues, it accepts', async () => {
    const waxseal = await engine({ clock: undefined })
    const { access_token: token } = await (await waxseal.fetch(login())).json()
    const keys = await (await waxseal.admin(new Request('http://localhost/admin/keys/export'))).json()
    assert.equal(createVerifier({ keys, issuer: 'waxseal' })(token).uid, '1')
  })
})

// Checked by the TypeScript compiler, never run. A line that must not compile is preceded by `@ts-expect-error`.

import { generateRootKey, MemoryStore, MovableClock, Waxseal, WaxsealError, type AuditEvent, type Settings, type Store, type WaxsealCode } from 'waxseal'
import { Kdf, kdf } from 'waxseal/kdf'
import { init, Waxseal as Slim } from 'waxseal/slim'
import { DenoKvStore } from 'waxseal/store/deno-kv'
import { DurableObjectStore } from 'waxseal/store/durable-object'
import { FileStore } from 'waxseal/store/file'
import { IndexedDbStore } from 'waxseal/store/indexeddb'
import { SqliteStore } from 'waxseal/store/sqlite'
import { createSigner, createVerifier, TokenError, type Claims, type TokenCode } from 'waxseal/verify'
import { createEdgeVerifier, createRemoteVerifier, TokenError as EdgeError, type RemoteVerifier, type Snapshot, type SnapshotCode } from 'waxseal/verify/public'
import { withModule as withEdge } from 'waxseal/verify/public/slim'
import { withModule } from 'waxseal/verify/slim'

const settings: Settings = { issuer: 'me', redis: { ttl: { min: 1, default: 300, max: 3600, manner: 'refuse' } } }
const audit = (event: AuditEvent): string => `${event.time} ${event.outcome satisfies 'success' | 'refused'}`
const waxseal = new Waxseal({ store: new MemoryStore(), settings, clock: new MovableClock(new Date()), audit: event => void audit(event), rootKey: generateRootKey() })
const answered: Promise<Response> = waxseal.fetch(new Request('http://localhost/'))
const handler: (request: Request) => Promise<Response> = waxseal.fetch
waxseal.ready() satisfies Promise<void>
waxseal.bootstrap({ password: 'x' }).then(user => user?.uid satisfies number | undefined)

// @ts-expect-error: a store is needed
new Waxseal({})
// @ts-expect-error: no such setting
new Waxseal({ store: new MemoryStore(), settings: { isuer: 'me' } })
// @ts-expect-error: not one of the policies
new Waxseal({ store: new MemoryStore(), settings: { passwords: { policy: 'lax' } } })
// @ts-expect-error: a text is no request
waxseal.fetch('http://localhost/')
// @ts-expect-error: a password is needed
waxseal.bootstrap({ name: 'admin' })

// As the platforms' own types have them.
declare const kv: {
  getMany<T extends readonly unknown[]>(keys: readonly [...{ [K in keyof T]: readonly KvPart[] }], options?: { consistency?: string }): Promise<{ [K in keyof T]: KvFound<T[K]> }>
  list<T = unknown>(selector: { prefix: readonly KvPart[] } | { start: readonly KvPart[]; end: readonly KvPart[] }, options?: { limit?: number }): AsyncIterableIterator<KvFound<T>>
  atomic(): KvOperation
}
type KvPart = Uint8Array | string | number | bigint | boolean | symbol
type KvFound<T> = { key: readonly KvPart[]; value: T; versionstamp: string } | { key: readonly KvPart[]; value: null; versionstamp: null }
declare class KvOperation {
  check(...checks: { key: readonly KvPart[]; versionstamp: string | null }[]): this
  set(key: readonly KvPart[], value: unknown, options?: { expireIn?: number }): this
  delete(key: readonly KvPart[]): this
  commit(): Promise<{ ok: true; versionstamp: string } | { ok: false }>
}
declare const storage: ObjectEntries & { transaction<T>(closure: (txn: ObjectEntries & { rollback(): void }) => Promise<T>): Promise<T> }
interface ObjectEntries {
  get<T = unknown>(key: string, options?: { noCache?: boolean }): Promise<T | undefined>
  get<T = unknown>(keys: string[], options?: { noCache?: boolean }): Promise<Map<string, T>>
  list<T = unknown>(options?: { start?: string; startAfter?: string; prefix?: string; limit?: number }): Promise<Map<string, T>>
  put<T>(key: string, value: T, options?: { noCache?: boolean }): Promise<void>
  put<T>(entries: Record<string, T>, options?: { noCache?: boolean }): Promise<void>
  delete(key: string, options?: { noCache?: boolean }): Promise<boolean>
  delete(keys: string[], options?: { noCache?: boolean }): Promise<number>
}
// @ts-expect-error: no Deno KV
new DenoKvStore({})
// @ts-expect-error: no storage of a Durable Object
new DurableObjectStore({})

const stores: Store[] = [new IndexedDbStore(), new FileStore('a', { onError: error => console.error(error) }), new SqliteStore('a'), new DenoKvStore(kv), new DurableObjectStore(storage), new MemoryStore()]
const own: Store = { read: async keys => keys.map(() => null), range: async () => [], commit: async ({ checks, writes }) => checks.length + writes.length > 0 }
new Slim({ store: own, rootKey: async () => 'x' })
init({ engine: fetch('a'), kdf: new Uint8Array() })

const verify = createVerifier({ key: 'x', issuer: 'me', audience: 'you', algorithms: ['HS256'], leeway: 5, revoked: new Set(['a']) })
const claims: Claims = verify('a.b.c')
const subject: string = claims.sub
declare const exported: JsonWebKey
createVerifier({ key: exported, issuer: 'me' })
createVerifier({ keys: { keys: [exported] }, issuer: 'me' })
createEdgeVerifier({ keys: [exported], issuer: 'me' }).setKeys({ keys: [exported] })
interface Mine { sub: string; scope: string }
const scope: string = verify<Mine>('a.b.c').scope
// @ts-expect-error: who issued it must be said
createVerifier({ key: 'x' })
const algorithms: readonly ['HS256'] = ['HS256']
const jwks: readonly { kty: string }[] = []
createVerifier({ key: 'x', issuer: 'me', algorithms })
createVerifier({ keys: jwks, issuer: 'me', revoked: ['a'] })
createEdgeVerifier({ keys: { keys: jwks }, issuer: 'me', algorithms: ['ES256'] as const })
// @ts-expect-error: a key is needed
createVerifier({ issuer: 'me' })
// @ts-expect-error: one key or a set, not both
createVerifier({ key: 'x', keys: ['x'], issuer: 'me' })
// @ts-expect-error: a key is needed for signing, too
createSigner({ issuer: 'me', expiresIn: 60 })
// @ts-expect-error: a text is no list, though it has its letters
createVerifier({ key: 'x', issuer: 'me', revoked: 'abc' })
// @ts-expect-error: no such algorithm
createVerifier({ key: 'x', issuer: 'me', algorithms: ['none'] })
// @ts-expect-error: every token ends
createSigner({ key: 'x', issuer: 'me' })
const token: string = createSigner({ key: 'x', issuer: 'me', expiresIn: 60 })({ sub: '1' })
withModule({} as WebAssembly.Module).createVerifier({ keys: { keys: [{ kty: 'oct', k: 'x' }] }, issuer: 'me' })

const edge = createEdgeVerifier({ keys: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'x', alg: 'EdDSA' }] }, issuer: 'me', algorithms: ['EdDSA'], stale: 'accept', leeway: 5 })
const seen: string = edge.verify<Mine>('a.b.c').scope
const snapshot: Snapshot = edge.take('a.b.c')
const held: number | undefined = edge.held?.expires
edge.setKeys('{"keys":[]}')
const remote: RemoteVerifier = createRemoteVerifier({ origin: 'https://auth.example', issuer: 'me', fetch: (url, init) => fetch(url, init), onError: error => void (error.code satisfies string) })
const later: Promise<Claims> = remote.verify('a.b.c')
const refreshed: Promise<void> = remote.refresh()
withEdge({} as WebAssembly.Module).createRemoteVerifier({ origin: 'https://auth.example', issuer: 'me', revocationsEvery: 5 })
// @ts-expect-error: keys are needed
createEdgeVerifier({ issuer: 'me' })
// @ts-expect-error: a secret's algorithm
createEdgeVerifier({ keys: [], issuer: 'me', algorithms: ['HS256'] })
// @ts-expect-error: one of two
createEdgeVerifier({ keys: [], issuer: 'me', stale: 'ignore' })
// @ts-expect-error: it has none to hand in
createRemoteVerifier({ origin: 'https://auth.example', issuer: 'me', keys: [] })
// @ts-expect-error: nobody changes what is held
snapshot.expires = 1
const snapshotCode: SnapshotCode = 'not_newer'

try {
  verify(token)
} catch (error) {
  if (error instanceof TokenError) {
    switch (error.code) {
      case 'expired': break
      // @ts-expect-error: no such code
      case 'exspired': break
    }
  }
  if (error instanceof TokenError && (error.code === 'revocations_stale' || error.code === 'not_newer' || error.code === 'unreachable')) error.message satisfies string
  if (error instanceof EdgeError && error.code === 'revocations_stale') error.message satisfies string
  if (error instanceof WaxsealError) error.code satisfies WaxsealCode | string
}
const code: TokenCode = 'revoked'
const mistakes: WaxsealCode[] = ['bad_address', 'kdf_busy', 'damaged_store']
// @ts-expect-error: no such code
mistakes.push('bad_adress')
// @ts-expect-error: there is one for all
new Kdf()
new WaxsealError('bad_kdf', 'it rains', { cause: 5 }).code satisfies string
for (const made of [new TokenError('revoked', 'gone'), new EdgeError('ended')]) made.message satisfies string
const oneError: typeof TokenError = EdgeError
// As WebCrypto takes octets.
const imported: Promise<CryptoKey> = crypto.subtle.importKey('raw', generateRootKey(), 'HKDF', false, ['deriveBits'])
kdf.derive({ scheme: { pbkdf2_sha256: { iterations: 1 } }, salt: new Uint8Array(16), password: new Uint8Array() }).then(derived => crypto.subtle.digest('SHA-256', derived))
const derive = async ({ salt }: { salt: Parameters<typeof crypto.subtle.digest>[1] }) => new Uint8Array(await crypto.subtle.digest('SHA-256', salt))
new Waxseal({ store: new MemoryStore(), kdf: { derive: ({ salt }) => derive({ salt }) } })
new Waxseal({ store: new MemoryStore(), kdf })
const bits: Promise<Uint8Array> = kdf.derive({ scheme: { argon2id: { memory: 8, passes: 1, lanes: 1 } }, salt: new Uint8Array(16), password: new Uint8Array() })
export { answered, bits, code, handler, held, imported, Kdf, later, oneError, refreshed, scope, seen, snapshotCode, stores, subject }

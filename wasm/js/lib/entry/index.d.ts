/** The whole engine behind one `fetch`: tokens, lists of passwords, three REST dialects. */
export class Waxseal {
  constructor(options: WaxsealOptions)

  /**
   * Answers a request from outside; bound, so that it can be passed on as it is (`Deno.serve(waxseal.fetch)`). Further arguments go
   * to `clientAddress` only. What the request changes is stored before the response is returned.
   *
   * Rejects with a {@link WaxsealError} for a caller's mistake, such as passing something that is not a request. Whatever a stranger
   * can send is answered; when the store or the engine cannot do its part, with 503 and nothing allowed.
   */
  readonly fetch: (request: Request, ...context: any[]) => Promise<Response>

  /**
   * Answers a request of the owner: the routes under `/admin/`, which the README of the package lists, exist and need no password. Never
   * pass a stranger's request here.
   */
  admin(request: Request): Promise<Response>

  /**
   * Makes sure that requests can be answered, so that a mistake shows at the start: rejects with `bad_settings`, `bad_root_key`,
   * `unreadable_keys`, `no_module`, or what the store throws. `bootstrap` does the same first; no other call has to wait for it.
   */
  ready(): Promise<void>

  /** Makes the first administrator (`admin` unless named) and the first signing key. `null` if there has ever been a user. */
  bootstrap(first: { name?: string; password: string }): Promise<User | null>

  /** Ends the worker that derives passwords, if there is one, once no login waits for it. The next login starts another. */
  close(): void
}

export interface WaxsealOptions {
  /** Where users, keys and tokens are stored. */
  store: Store
  /**
   * The secret of 32 octets that is kept apart from the store: as octets, as base64url text, or as a function that returns
   * either; the function is asked by each call that comes before its first answer, and that answer counts from then on. Needed by every
   * store that outlives the process; see {@link generateRootKey}. Whoever has store and secret has every signing key.
   */
  rootKey?: RootKey | (() => RootKey | Promise<RootKey>)
  /**
   * The settings, under the names of the server's configuration file. Each has a default, except the members of `Bounds`, which must
   * all be given. Only plain objects, which inherit nothing, and no list but `introspection_roles`.
   */
  settings?: Settings
  /** Tells the time in milliseconds since the epoch. The system's clock by default. */
  clock?: (() => number) | { now(): number }
  /**
   * Takes each line of the audit trail, once the change is committed and before the response is returned. What it throws goes to `onError`.
   */
  audit?: (event: AuditEvent) => void | Promise<void>
  /**
   * The address a request came from, for limits on failed logins. By default, what `Deno.serve`, `Bun.serve` and Cloudflare's workers
   * report. Where nothing is known, all clients count as one, so that whoever fails five times locks everybody out of that account:
   * behind Node's servers and behind proxies, supply it here. It must be one bare IP address without port (a zone is cut off), or nothing;
   * otherwise `fetch` rejects with `bad_address`. So of a header such as `x-forwarded-for`, take only the part that your own proxy wrote.
   */
  clientAddress?: (request: Request, ...context: any[]) => string | null | undefined
  /**
   * Computes password derivations instead of the package's own module. It is also told the address that the request came from, `null` if
   * that is unknown, so that it can keep one source from taking all there is.
   */
  kdf?: { derive(derivation: Derivation & { salt: Octets; password: Octets }, address: string | null): Promise<Uint8Array> | Uint8Array }
  /**
   * Is told why a request was answered with 503, and what `audit` throws, where the request is answered as usual. By default it writes ten
   * lines a second to the console at most, as anybody can cause a 503. What it throws is dropped.
   */
  onError?: (error: unknown) => void
}

export type RootKey = Uint8Array | string

/** Octets as WebCrypto takes them: newer versions of TypeScript tell them from those in shared memory. */
export type Octets = ReturnType<typeof Uint8Array.of>

/**
 * Where records are stored. Three functions; anything they throw ends the request with 503, except a {@link WaxsealError} with the code of
 * a caller's mistake, such as `bad_request`: that is thrown to the caller.
 */
export interface Store {
  /** The records under `keys`, in the same order; `null` where there is none, or where it expired at or before `now`. */
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>

  /** The live records whose key starts with `prefix` and comes after `after`, in octet order of the keys, at most `limit`. */
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>

  /**
   * Checks every condition, then writes everything, durably: all or nothing. `false` when a condition did not hold and nothing
   * was written. An expired record counts as absent.
   */
  commit(commit: Commit, now: number): Promise<boolean>

  /** The store is lost with the process, and keeps the root key itself if none is given. */
  readonly volatile?: boolean
  rootKey?(make: () => Uint8Array): Uint8Array | Promise<Uint8Array>
}

export interface StoredRecord {
  /** A positive safe integer that no other state of this key has had. */
  version: number
  value: Uint8Array
}

export interface Commit {
  /** Records that must still be at this version; 0 for "absent". */
  checks: { key: string; version: number }[]
  writes: {
    key: string
    /** The version that must be there, 0 for "absent"; `null` for any or none. */
    expect: number | null
    /** `null` deletes. */
    value: Uint8Array | null
    /** The time from which the record counts as absent, in milliseconds since the epoch. */
    expires: number | null
  }[]
}

export interface Derivation {
  scheme: { argon2id: { memory: number; passes: number; lanes: number } } | { pbkdf2_sha256: { iterations: number } }
  salt: Uint8Array
  password: Uint8Array
}

/** One line of the audit trail. Never holds a secret. */
export interface AuditEvent {
  /** Milliseconds since the epoch. */
  time: number
  /** The address that the request came from, without a zone, and of IPv4 as such: `192.0.2.7`, not `::ffff:192.0.2.7`. */
  source: string | null
  /** The same for all events of one request. */
  request: string
  /** `login`, `token.issue`, `password.add`, … */
  action: string
  actor: string
  subject: string
  /** What changed, where the action alone does not say; left out otherwise. */
  detail?: string
  outcome: 'success' | 'refused'
  /** The stable code of the refusal; empty on success. */
  reason: string
  dialect: string
}

export interface User {
  uid: number
  name: string
  email: string
  role: string
  disabled: boolean
  locked: boolean
  locked_until: string | null
  passwords: number
  password_issued: string
  created: string
  last_login: string | null
}

/** What an operator may configure; the names and meanings are those of the server's configuration file. */
export interface Settings {
  issuer?: string
  /** None if it is empty or `null`. */
  audience?: string | null
  /** 0 to 60 seconds. */
  leeway?: number
  /** How the first key signs. `HS256` unless given. */
  signing_algorithm?: 'HS256' | 'HS384' | 'HS512' | 'EdDSA' | 'ES256' | 'Ed25519'
  service?: string
  dialects?: { redis?: boolean; openshift?: boolean; elasticsearch?: boolean }
  passwords?: {
    policy?: 'open' | 'redis' | 'nist'
    /** How new passwords are hashed; 19456 KiB, 2 passes and 1 lane unless given. Less is for tests: the server refuses it. */
    scheme?: { argon2id: { memory: number; passes: number; lanes: number } }
    max_per_user?: number
  }
  throttle?: {
    vendor_lockout?: boolean
    account_ceiling?: number
    account_pause?: number
    source_limit?: number
    source_window?: number
    ipv4_prefix?: number
    ipv6_prefix?: number
  }
  redis?: { ttl?: Bounds; require_old_password?: boolean }
  /** No `public_url` if it is empty or `null`. */
  openshift?: { public_url?: string | null; session?: Bounds; read?: Bounds; userinfo?: Bounds; password_change_revokes?: boolean }
  elasticsearch?: { token_timeout?: number; family_max?: number; password_grant?: boolean; version?: string }
  gateway?: {
    introspection_roles?: readonly string[]
    /** Seconds for which a new public key is published before it signs. 600 unless given. */
    key_lead?: number
    /** Seconds after which a revocation snapshot is too old to go by. 600 unless given. */
    revocations_max_age?: number
    /** Seconds for which one revocation snapshot is given to all who ask. 5 unless given. */
    revocations_every?: number
  }
}

/** `1 <= min <= default <= max`, in seconds. */
export interface Bounds {
  min: number
  default: number
  max: number
  /**
   * What happens to a requested lifetime outside the bounds. Must be `refuse` for `redis.ttl`, and `clamp` (too long becomes the maximum,
   * too short the default) for OpenShift's lifetimes.
   */
  manner: 'refuse' | 'clamp'
}

/** Records in memory, for tests and for trying things out: gone with the process. */
export class MemoryStore implements Store {
  readonly volatile: true
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
  rootKey(make: () => Uint8Array): Uint8Array
}

/** A clock that can be moved. Given a start it stands still there; without one it runs with the system's. */
export class MovableClock {
  constructor(start?: number | Date)
  now(): number
  advance(seconds: number): void
}

/** Thrown for what a caller did wrong, and for what the platform cannot do. The `code` is stable, the message is not. */
export class WaxsealError extends Error {
  constructor(code: string, message?: string, options?: { cause?: unknown })
  /** One of the codes listed or, from `bootstrap`, that of a refusal of the server. */
  readonly code: WaxsealCode | (string & {})
}

export type WaxsealCode =
  /** Something wrong was given to a constructor or a function; `bad_store` also when a store's answer has not the right shape. */
  | 'bad_options' | 'bad_store' | 'bad_settings' | 'bad_root_key' | 'bad_clock'
  /** What `fetch` rejects with: not a request, a request whose body was read or is being read, a wrong result of `clientAddress`. */
  | 'bad_request' | 'body_used' | 'bad_address'
  /** The WebAssembly module cannot be had; a signing key is damaged or belongs to another root key; the server answered 503. */
  | 'no_module' | 'unreadable_keys' | 'unavailable'
  /** The version of a record from a store is no number; this package called the engine with something of a wrong shape, or too early. */
  | 'bad_answer' | 'bad_call' | 'not_open'
  /** Derivations. `no_worker` is on the console only: no more workers are tried, and the thread that asks derives passwords itself. */
  | 'no_worker' | 'bad_kdf' | 'bad_derivation' | 'kdf_busy' | 'kdf_failed' | 'out_of_memory'
  /** Stores. */
  | 'no_store' | 'store_in_use' | 'damaged_store' | 'too_large'

/** A new secret of 32 octets for {@link WaxsealOptions.rootKey}. */
export function generateRootKey(): Octets

import type { Commit, Store, StoredRecord } from '../entry/index.js'

/** What is called of a `Deno.Kv`, as `Deno.openKv()` gives it. */
export interface DenoKv {
  getMany(keys: DenoKvKey[]): Promise<DenoKvEntry[]>
  list(selector: { start: DenoKvKey; end: DenoKvKey }): AsyncIterable<DenoKvEntry>
  atomic(): DenoKvChanges
}

/** Of a `Deno.AtomicOperation`. */
export interface DenoKvChanges {
  check(...checks: { key: DenoKvKey; versionstamp: string | null }[]): DenoKvChanges
  set(key: DenoKvKey, value: unknown, options?: { expireIn?: number }): DenoKvChanges
  delete(key: DenoKvKey): DenoKvChanges
  commit(): Promise<{ ok: boolean }>
}

export type DenoKvKey = (string | number)[]

export interface DenoKvEntry {
  key: readonly unknown[]
  value: unknown
  versionstamp: string | null
}

/**
 * Records in Deno KV, shared by every isolate that opens it. What is too long for one of its values is split over several. `commit` rejects
 * with `too_large` for more than Deno KV takes at once.
 */
export class DenoKvStore implements Store {
  /**
   * @param kv what `Deno.openKv()` gives
   * @param space the first part of every key; `waxseal` if not given
   */
  constructor(kv: DenoKv, space?: string)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
}

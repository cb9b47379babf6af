import type { Commit, Store, StoredRecord } from '../entry/index.js'

/**
 * Records in Deno KV, shared by every isolate that opens it. What is too long for one of its values is split over several. `commit` rejects
 * with `too_large` for more than Deno KV takes at once.
 */
export class DenoKvStore implements Store {
  /**
   * @param kv what `Deno.openKv()` gives
   * @param space the first part of every key; `waxseal` if not given
   */
  constructor(kv: object, space?: string)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
}

import type { Commit, Store, StoredRecord } from '../entry/index.js'

/**
 * Records in the storage of one Cloudflare Durable Object, with SQLite or without, whose output gate holds the answer back until they are
 * on disk. What is longer than one of its values may be stands in several.
 */
export class DurableObjectStore implements Store {
  /** @param storage `ctx.storage` of the object */
  constructor(storage: object)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
}

import type { Commit, Store, StoredRecord } from '../entry/index.js'

/**
 * Records in the storage of one Cloudflare Durable Object, with SQLite or without, whose output gate holds the response back until they are
 * on disk. What is too long for one of its values is split over several.
 */
export class DurableObjectStore implements Store {
  /** @param storage `ctx.storage` of the object */
  constructor(storage: object)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
}

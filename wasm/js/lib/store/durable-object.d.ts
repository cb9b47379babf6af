import type { Commit, Store, StoredRecord } from '../entry/index.js'

/** What is called of a `DurableObjectStorage`, within a transaction. */
export interface DurableObjectEntries {
  get(keys: string[]): Promise<Map<string, unknown>>
  list(options: { prefix: string; startAfter?: string; limit: number }): Promise<Map<string, unknown>>
  put(key: string, value: unknown): Promise<unknown>
  put(entries: Record<string, unknown>): Promise<unknown>
  delete(keys: string[]): Promise<unknown>
}

/** What is called of a `DurableObjectStorage`. */
export interface DurableObjectRecords extends DurableObjectEntries {
  transaction<T>(work: (entries: DurableObjectEntries) => Promise<T>): Promise<T>
}

/**
 * Records in the storage of one Cloudflare Durable Object, with SQLite or without, whose output gate holds the response back until they are
 * on disk. What is too long for one of its values is split over several.
 */
export class DurableObjectStore implements Store {
  /** @param storage `ctx.storage` of the object */
  constructor(storage: DurableObjectRecords)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
}

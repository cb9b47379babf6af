import type { Commit, Octets, Store, StoredRecord } from '../entry/index.js'

/** Records in the browser's IndexedDB: one database, shared by every tab and worker of the origin. */
export class IndexedDbStore implements Store {
  /** @param name the database; `waxseal` if not given */
  constructor(name?: string)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
  /**
   * A root key beside the records, made at the first call: `rootKey: () => store.rootKey()`. Whoever can run script in this
   * origin can read it, so it is for throw-away keys only.
   */
  rootKey(): Promise<Octets>
  /** Closes the database; the next call opens it again. */
  close(): Promise<void>
}

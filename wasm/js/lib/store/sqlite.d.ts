import type { Commit, Store, StoredRecord } from '../entry/index.js'

/** Records in a SQLite file, which several processes of one machine may share. Needs Node 22.13 or Deno 2.2, or later. */
export class SqliteStore implements Store {
  /**
   * Throws with `damaged_store` for a file that is damaged or no database, and leaves it as it is.
   *
   * @param path the file, made with mode 0600 if it is not there
   */
  constructor(path: string)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
  /** Closes the file: whatever the store is asked from then on, it throws `no_store`. */
  close(): void
}

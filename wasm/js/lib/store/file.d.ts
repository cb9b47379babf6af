import type { Commit, Store, StoredRecord } from '../entry/index.js'

/**
 * Records in one file, in memory besides: for one process of Node, Deno or Bun. A commit is on disk before it is answered; one that
 * was cut off by a crash is forgotten as a whole.
 */
export class FileStore implements Store {
  /** @param path the file, made with mode 0600 if it is not there; `PATH.lock` beside it says who has it open */
  constructor(path: string)
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
  /** Closes the file. */
  close(): void
}

import type { Commit, Store, StoredRecord } from '../entry/index.js'

/**
 * Records in one file, and in memory as well: for one process of Node, Deno or Bun. A commit is on disk before it is answered; one that
 * was cut off by a crash is discarded as a whole.
 */
export class FileStore implements Store {
  /**
   * Throws with `store_in_use` while another process, or another thread of this one, has the file open; with `damaged_store` for a file
   * that is damaged or is not a store's. Such a file is left as it is.
   *
   * @param path the file, made with mode 0600 if it is not there; `PATH.lock` beside it says who has it open: process, its start, host.
   * A lock whose process is dead is taken over, but never one of another host, such as a container with a host name of its own: once
   * nothing runs there any more, remove the file that the error names. So two containers that share a file must not share a host name.
   * @param options `onError` is told, with `no_store`, why the file could not be written anew without what is gone: changes hold, but it
   * grows, and it is tried again when the file is twice as large. By default the console is told. What `onError` throws is dropped.
   */
  constructor(path: string, options?: { onError?: (error: unknown) => void })
  read(keys: string[], now: number): Promise<(StoredRecord | null)[]>
  range(range: { prefix: string; after: string; limit: number }, now: number): Promise<({ key: string } & StoredRecord)[]>
  commit(commit: Commit, now: number): Promise<boolean>
  /** Closes the file, so that others may open it: whatever the store is asked from then on, it throws `no_store`. */
  close(): void
}

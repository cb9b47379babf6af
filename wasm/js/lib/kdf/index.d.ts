import type { Derivation, Octets } from '../entry/index.js'

export type { Derivation }

/** Derives passwords with Argon2id and PBKDF2-HMAC-SHA256, in a worker where the platform has one. */
export class Kdf {
  /** There is one instance for all: {@link kdf}. */
  private constructor()
  /**
   * The 32 octets for `derivation`. Rejects with a `WaxsealError`: `bad_derivation`, `kdf_busy`, `out_of_memory`, `kdf_failed`.
   *
   * @param address the bare IP address it is for: of the 64 derivations that may wait, those of one source, which is an IPv4 address or
   * an IPv6 network (/48), are half at most. One without an address counts for no source.
   */
  derive(derivation: Derivation, address?: string | null): Promise<Octets>
  /** Ends the worker, once it has done the work that is waiting. The next derivation starts another. */
  close(): void
}

/** The one that every `Waxseal` uses unless told otherwise. */
export const kdf: Kdf

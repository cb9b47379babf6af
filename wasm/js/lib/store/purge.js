// When an expired record may be dropped, for every store of the package. There is no timer: stores look while they commit.
//
//   commits told …   10:00 ─────── 11:05 ─────── 12:10        `sure` is what was told an hour or more ago,
//   `sure`             -           10:00         11:05        and since then nothing earlier
//
// A clock that runs ahead for less than an hour and is put right makes nothing sure, and setting a clock back undoes what was sure.
// So a record that is dropped had expired at least an hour before, by each of the times told since.

/** How long it takes until a time is sure, in milliseconds. */
export const HOUR = 3_600_000

/** How many records a commit looks at, or drops, at the most. */
export const STEP = 64

/** What a store remembers before it has been told any time. */
export const UNTOLD = { sure: 0, since: Number.MAX_SAFE_INTEGER }

/** What it remembers after a commit was told `now`; the same object when nothing has changed. */
export function advanced(mark, now) {
  if (now < mark.since) return { sure: Math.min(mark.sure, now), since: now }
  return now - mark.since < HOUR ? mark : { sure: mark.since, since: now }
}

/** Whether a record may be dropped. */
export const isDue = (expires, { sure }) => expires !== null && expires <= sure

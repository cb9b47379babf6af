//! What has begun and still lasts, by a clock that may have been wrong when it began.

use crate::{seam::Op, time::UnixTime};

/// How much later than now something may have begun, in seconds. A little later is nothing unusual: an operation keeps the time of its
/// beginning, and others that began after it may have ended before.
const AHEAD: u64 = 3600;

/// Whether what began at `since` still lasts.
pub(super) fn holds(op: &Op<'_>, since: UnixTime, until: UnixTime) -> bool {
    has_been(op, since) && op.now() < until
}

/// Whether `since` is less than `secs` ago.
pub(super) fn is_within(op: &Op<'_>, since: UnixTime, secs: u64) -> bool {
    has_been(op, since) && op.now() < since.plus_secs(secs)
}

/// What begins more than [`AHEAD`] after now was written by a clock that was ahead, and counts no more.
pub(super) fn has_been(op: &Op<'_>, since: UnixTime) -> bool {
    since <= op.now().plus_secs(AHEAD)
}

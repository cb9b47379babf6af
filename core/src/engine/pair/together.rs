//! Ending all pairs of one user, or of everybody, by a count.

use super::{KEEP, REFRESH_LIFE};
use crate::{
    record::{Pair, PairsEnded, Uid, key},
    seam::{Op, Stop},
    time::UnixTime,
};

/// How pairs have ended together: everybody's, and those of one user.
pub(super) type Ends = [PairsEnded; 2];

pub(super) fn has_ended_together(pair: &Pair, ends: Ends) -> bool {
    ends.into_iter().zip(pair.ended).any(|(end, then)| end.last > then)
}

pub(super) fn ends_of(op: &Op<'_>, uid: Uid) -> Result<Ends, Stop> {
    op.want(&[key::pairs_ended(Some(uid)), key::pairs_ended(None)]);
    let (own, everybody) = (last_end(op, Some(uid)), last_end(op, None));
    Ok([everybody?, own?])
}

/// Zeros if they never have.
pub(super) fn last_end(op: &Op<'_>, whose: Option<Uid>) -> Result<PairsEnded, Stop> {
    Ok(op.load(&key::pairs_ended(whose))?.unwrap_or_default())
}

/// Ends all pairs of everybody, with the keys that have signed their access tokens: verifiers elsewhere go by these.
pub(in crate::engine) fn end_all_pairs(op: &Op<'_>) -> Result<(), Stop> {
    let known = last_end(op, None)?;
    remember_end(op, None, PairsEnded { issued: UnixTime::default(), ..once_more(op, known) });
    Ok(())
}

/// The next end after the `known` one, whatever the clock says.
pub(super) fn once_more(op: &Op<'_>, known: PairsEnded) -> PairsEnded {
    let next = UnixTime::from_millis(known.last.as_millis().saturating_add(1));
    PairsEnded { last: op.now().max(next), ..known }
}

/// Keeps the end for as long as a pair that it has ended could live, and until the time that it tells has passed: then the next end is
/// later in any case.
pub(super) fn remember_end(op: &Op<'_>, whose: Option<Uid>, end: PairsEnded) {
    let until = op.now().max(end.last).max(end.issued).plus_secs(REFRESH_LIFE + KEEP);
    op.store_until(key::pairs_ended(whose), &end, until);
}

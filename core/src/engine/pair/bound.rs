//! How many pairs one user may have.

use super::{
    access_is_taken, jti, refresh_lives, refresh_token,
    together::{Ends, has_ended_together, remember_end},
};
use crate::{
    engine::{audit, now_and_then},
    record::{Pair, PairsEnded, Stored, User, key},
    seam::{Op, Range, Stop},
    sorted::in_order,
    time::UnixTime,
};
use alloc::{string::String, vec::Vec};

/// How many pairs of one user are kept, roughly, as not every grant checks.
const MOST_KEPT: u32 = if cfg!(test) { 100 } else { 10_000 };
/// One grant in so many checks.
const CHECKED: u16 = if cfg!(test) { 16 } else { 256 };
/// How many of those beyond are removed at once: many more than come in between two checks.
const SURPLUS: u32 = 1024;

/// Drops pairs of `user` where there are too many, the dead before the living and the oldest first, so that nobody fills the store.
///
/// Those that still live end together with all that are as old or older, by one record: a flood of them must not fill the revocation
/// snapshots either. What was granted within this second stays, as tokens tell their time in whole seconds.
pub(super) fn bound(op: &Op<'_>, user: &User, ends: Ends) -> Result<(), Stop> {
    if !now_and_then(op, "pair bound", CHECKED)? {
        return Ok(());
    }
    let stored = op.range(&Range { prefix: key::pairs_of(user.uid), after: String::new(), limit: MOST_KEPT + SURPLUS })?;
    let surplus = stored.len().saturating_sub(MOST_KEPT as usize);
    if surplus == 0 {
        return Ok(());
    }
    let lives = |pair: &Pair| {
        let alive = !has_ended_together(pair, ends) && pair.generation == user.generation;
        alive && (access_is_taken(op, pair) || refresh_lives(op, pair))
    };
    let pairs: Result<Vec<_>, _> = stored.iter().map(|(_, record)| Pair::of(record)).collect();
    let pairs = pairs?.into_iter().map(|pair| (lives(&pair), pair.created, pair)).collect();
    let pairs = in_order(pairs, |(one_lives, one, _), (other_lives, other, _)| (one_lives, one).cmp(&(other_lives, other)));
    let this_second = UnixTime::from_secs(op.now().as_secs());
    let mut until = UnixTime::default();
    let gone = pairs.iter().take(surplus).filter(|(lives, created, _)| !lives || *created < this_second);
    for (lives, created, pair) in gone {
        if *lives {
            until = until.max(*created);
            audit(op, "token.revoke", &"waxseal", &jti(op, pair));
        }
        op.remove(key::pair(pair.uid, &pair.id));
        op.remove(key::pair_of_access(&jti(op, pair)));
        if pair.refreshable {
            op.remove(key::pair_of_refresh(&refresh_token(op, pair)));
        }
    }
    if until > UnixTime::default() {
        // The server finds no pair for their tokens any more; verifiers elsewhere go by this.
        let [_, own] = ends;
        remember_end(op, Some(user.uid), PairsEnded { issued: own.issued.max(until), ..own });
    }
    Ok(())
}

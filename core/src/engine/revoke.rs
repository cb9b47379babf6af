//! Ending signed tokens one by one, before their time.

use super::{audit, store_user, user};
use crate::{
    record::{Revoked, Uid, key},
    seam::{Op, Range, Stop},
    time::UnixTime,
    token,
};
use alloc::{string::String, vec::Vec};

/// Ends the token with this id. The entry stays until the token has expired at every verifier (security T16).
pub(crate) fn revoke(op: &Op<'_>, jti: &str, expires: UnixTime) {
    enter(op, jti, expires, Revoked { until: UnixTime::default(), only_here: true });
}

/// Like [`revoke`], for an id that may be revoked already: the entry gets no shorter, and verifiers elsewhere are told of it as soon as
/// they could accept the token.
///
/// # Errors
/// While the store is read.
pub(crate) fn revoke_again(op: &Op<'_>, jti: &str, expires: UnixTime) -> Result<(), Stop> {
    match op.load(&key::revoked(jti))? {
        Some(known) => enter(op, jti, expires, known),
        None => revoke(op, jti, expires),
    }
    Ok(())
}

fn enter(op: &Op<'_>, jti: &str, expires: UnixTime, known: Revoked) {
    let until = expires.plus_secs(u64::from(token::MAX_LEEWAY)).max(known.until);
    op.store_until(key::revoked(jti), &Revoked { until, only_here: known.only_here && !has_snapshots(op) }, until);
}

/// Like [`revoke`], counted for `uid`, whose token it is, whoever ends it. Snapshots have to name every revoked token, so that one user
/// could fill them: when [`MOST_OF_ONE`] of a user's tokens have been ended one by one, the next ends all that the user has. Without public
/// keys there are no snapshots, and nothing is counted.
///
/// # Errors
/// While the store is read.
pub(crate) fn revoke_counted(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    uid: Uid,
    jti: &str,
    expires: UnixTime,
) -> Result<(), Stop> {
    if has_snapshots(op) {
        if !has_room(op, uid, 1)?
            && let Some(mut user) = user(op, uid)?
        {
            user.end_tokens(op);
            store_user(op, &user);
            audit(op, "token.revoke_all", actor, &uid);
            return Ok(());
        }
        let until = expires.plus_secs(u64::from(token::MAX_LEEWAY));
        op.put(key::revoked_one_of(uid, jti), Vec::new(), Some(until));
    }
    revoke(op, jti, expires);
    Ok(())
}

/// Whether `more` tokens of `uid` can be revoked one by one; always where there are no snapshots.
///
/// # Errors
/// While the store is read.
pub(crate) fn has_room(op: &Op<'_>, uid: Uid, more: usize) -> Result<bool, Stop> {
    let range = Range { prefix: key::revoked_of(uid), after: String::new(), limit: MOST_OF_ONE };
    Ok(!has_snapshots(op) || op.range(&range)?.len() + more <= MOST_OF_ONE as usize)
}

fn has_snapshots(op: &Op<'_>) -> bool {
    op.vault.keys().iter().any(|(key, _)| !key.algorithm().is_symmetric())
}

/// How many tokens one user can have revoked one by one at any time; snapshots hold sixteen times as many.
const MOST_OF_ONE: u32 = if cfg!(test) { 4 } else { 1024 };

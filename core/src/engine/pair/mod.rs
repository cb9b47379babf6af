//! Token pairs: granting, refreshing once, invalidating with counts (contract/elasticsearch.md sections 4 to 6).
//!
//! ```text
//!   grant ──▶ pair A ── refresh ──▶ pair B ── refresh ──▶ pair C …        one family
//!                └─ again within 30 s: pair B, the same tokens
//!                └─ later: the whole family ends (security T17)
//! ```
//!
//! A family ends `elasticsearch.family_max` seconds after its login, however often it was refreshed. What is granted for an access token
//! alone is of its family.
//!
//! INVARIANT: whatever is granted for a token that is being ended ends too. Pairs to end are found by a range, which can miss those that
//! are added meanwhile. So their family is recorded as ended, and that record is looked for whenever a token is used: what was granted
//! before it is not accepted, and what would be granted after it loses the race.

mod bound;
mod end;
mod together;

pub(crate) use end::{Counts, Selection, invalidate};
pub(super) use together::end_all_pairs;

use super::{audit, audit_refused, clock::has_been, has_expired, issue_as, user};
use crate::{
    lifetime::Lifetime,
    record::{Pair, PairId, PairOf, Uid, User, key},
    refusal::Refusal,
    seam::{Op, RecordKey, Stop},
    time::UnixTime,
    token::{MAX_LEEWAY, base64url, dialect},
};
use alloc::string::String;
use bound::bound;
use end::{end_all, family_has_ended};
use subtle::ConstantTimeEq;
use together::{Ends, ends_of, has_ended_together};

/// How long a refresh token lives, in seconds; less when its family ends before.
const REFRESH_LIFE: u64 = 86_400;
/// How long a used refresh token gives the same pair again, in seconds.
const REPEAT: u64 = 30;
/// How long a record is kept after its last token has ended, in seconds.
const KEEP: u64 = 3600;

/// A pair as its owner gets it.
pub(crate) struct Grant {
    /// The access token.
    pub(crate) access_token: String,
    /// Seconds until it ends.
    pub(crate) expires_in: u64,
    /// The refresh token, if the grant has one.
    pub(crate) refresh_token: Option<String>,
    /// Whom it is for.
    pub(crate) user: User,
}

/// A new pair for `user`, asked for by `client`.
///
/// # Errors
/// [`Refusal::NoSigningKey`], [`Refusal::NoEntropy`].
pub(crate) fn grant(op: &Op<'_>, user: &User, client: Uid, refreshable: bool) -> Result<Grant, Stop> {
    let ends = ends_of(op, user.uid)?;
    bound(op, user, ends)?;
    let pair = new_pair(op, None, ends, user, client, refreshable)?;
    store_new(op, &pair);
    show(op, &pair, user)
}

/// An access token alone, for `user`, who has shown the one with this `jti`: of the same family, so that nobody goes on with it when the
/// family ends.
///
/// # Errors
/// As [`grant`].
pub(crate) fn grant_for_token(op: &Op<'_>, user: &User, jti: &str) -> Result<Result<Grant, NotRefreshed>, Stop> {
    let refused = |reason, refusal| {
        audit_refused(op, "token.issue", &user.uid, &jti, reason);
        Ok(Err(refusal))
    };
    let Some(shown) = pair_of(op, &key::pair_of_access(jti))? else {
        return refused("token_unknown", NotRefreshed::Unknown);
    };
    if op.now() >= family_ends(op, &shown) {
        return refused("login_too_long_ago", NotRefreshed::Expired);
    }
    // That its family has not ended was read when the token was shown.
    let ends = ends_of(op, user.uid)?;
    bound(op, user, ends)?;
    let pair = new_pair(op, Some(&shown), ends, user, user.uid, false)?;
    store_new(op, &pair);
    Ok(Ok(show(op, &pair, user)?))
}

/// Why a refresh token gives nothing.
#[derive(Clone, Copy)]
pub(crate) enum NotRefreshed {
    /// Unknown or malformed.
    Unknown,
    /// Asked for by another client than the one that obtained it; the token is not used up.
    OtherClient,
    /// Invalidated, or its user is gone or has had all tokens ended.
    Invalidated,
    /// All passwords of its user have expired.
    PasswordExpired,
    /// Older than 24 hours, or of a login that is too long ago.
    Expired,
    /// Used before, more than 30 seconds ago.
    Used,
}

impl NotRefreshed {
    /// For the audit trail.
    const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "refresh_token_unknown",
            Self::OtherClient => "refresh_token_of_other_client",
            Self::Invalidated => "refresh_token_invalidated",
            Self::PasswordExpired => "password_expired",
            Self::Expired => "refresh_token_expired",
            Self::Used => "refresh_token_reused",
        }
    }
}

/// The next pair for a refresh token; the same again for 30 seconds after its first use. What it changes must be committed
/// also when it gives nothing, so a dialect answers with `Ok`.
pub(crate) fn refresh(op: &Op<'_>, token: &str, client: Uid) -> Result<Result<Grant, NotRefreshed>, Stop> {
    let Some(PairOf { uid, id, family }) = op.load::<PairOf>(&key::pair_of_refresh(token))? else {
        audit_refused(op, "token.refresh", &client, &client, NotRefreshed::Unknown.code());
        return Ok(Err(NotRefreshed::Unknown));
    };
    let of_user = key::user(uid);
    // The profile is for the dialect, which shows the user; reading it beside the others costs no round.
    op.want(&[key::pair(uid, &id), of_user, key::profile(uid), key::cluster(), key::family_ended(uid, &family)]);
    let ends = ends_of(op, uid);
    let refreshed = match op.load::<Pair>(&key::pair(uid, &id))? {
        // An entry alone does not make a text a token: whoever can write to the store may lack the root secret.
        Some(pair) if refresh_token(op, &pair).as_bytes().ct_eq(token.as_bytes()).into() => renew(op, &pair, client, ends)?,
        _ => Err(NotRefreshed::Unknown),
    };
    match &refreshed {
        Ok(_) => audit(op, "token.refresh", &client, &uid),
        Err(refusal) => audit_refused(op, "token.refresh", &client, &uid, refusal.code()),
    }
    Ok(refreshed)
}

fn renew(op: &Op<'_>, pair: &Pair, client: Uid, ends: Result<Ends, Stop>) -> Result<Result<Grant, NotRefreshed>, Stop> {
    let Pair { uid, id, .. } = *pair;
    if pair.client != client {
        return Ok(Err(NotRefreshed::OtherClient));
    }
    let user = user_of(op, pair)?;
    let ends = ends?;
    // Neither long ago nor, by a clock that was ahead, long to come.
    let repeats = |at: UnixTime| op.now() <= at.plus_secs(REPEAT) && at <= op.now().plus_secs(REPEAT);
    if pair.refreshed.is_some_and(|(at, _)| !repeats(at)) {
        // Somebody else has this token, too: whoever it is, nobody goes on with what came of it, even if the token itself is over by now.
        let counts = end_all(op, &client, Some(uid), Some(pair.family))?;
        if counts.invalidated > 0 {
            audit_refused(op, "token.reuse", &client, &uid, "refresh_token_reused");
        }
        return Ok(Err(NotRefreshed::Used));
    }
    let is_live = !pair.refresh_invalidated && !has_ended_together(pair, ends) && !family_has_ended(op, pair)?;
    let Some(user) = user.filter(|_| is_live) else { return Ok(Err(NotRefreshed::Invalidated)) };
    if !has_been(op, pair.created) || op.now() >= refresh_ends(op, pair) {
        return Ok(Err(NotRefreshed::Expired));
    }
    match pair.refreshed {
        _ if has_expired(op, &user)? => Ok(Err(NotRefreshed::PasswordExpired)),
        Some((_, next)) => match op.load::<Pair>(&key::pair(uid, &next))? {
            Some(next) if !next.refresh_invalidated && !has_ended_together(&next, ends) => Ok(Ok(show(op, &next, &user)?)),
            _ => Ok(Err(NotRefreshed::Invalidated)),
        },
        None => {
            bound(op, &user, ends)?;
            let next = new_pair(op, Some(pair), ends, &user, client, true)?;
            store_new(op, &next);
            let used = Pair { refreshed: Some((op.now(), next.id)), ..pair.clone() };
            op.store_until(key::pair(uid, &id), &used, kept_until(op, &used));
            Ok(Ok(show(op, &next, &user)?))
        }
    }
}

/// The pair that an index names.
fn pair_of(op: &Op<'_>, index: &RecordKey) -> Result<Option<Pair>, Stop> {
    match op.load::<PairOf>(index)? {
        Some(PairOf { uid, id, .. }) => op.load(&key::pair(uid, &id)),
        None => Ok(None),
    }
}

/// The user of a pair; `None` for one who is gone, may not log in, or has had all tokens ended since.
fn user_of(op: &Op<'_>, pair: &Pair) -> Result<Option<User>, Stop> {
    Ok(user(op, pair.uid)?.filter(|user| !user.disabled && user.generation == pair.generation))
}

/// Whether the access token with this `jti` has ended with its family or together with others, or is of no pair. One that was granted
/// after the backup from which the store was restored is of none: nobody could end it.
pub(super) fn access_has_ended(op: &Op<'_>, uid: Uid, jti: &str) -> Result<bool, Stop> {
    let index = key::pair_of_access(jti);
    let families = key::families_ended(uid);
    op.want([&index, &families]);
    let ends = ends_of(op, uid)?;
    let Some(PairOf { id, family, .. }) = op.load(&index)? else { return Ok(true) };
    let (pair, family) = (key::pair(uid, &id), key::family_ended(uid, &family));
    let ends = Some(ends).filter(|ends| *ends != Ends::default());
    let has_families = op.read(&families)?.is_some();
    op.want(ends.map(|_| &pair).into_iter().chain(has_families.then_some(&family)));
    if has_families && op.read(&family)?.is_some() {
        return Ok(true);
    }
    match ends {
        Some(ends) => Ok(op.load::<Pair>(&pair)?.is_none_or(|pair| has_ended_together(&pair, ends))),
        None => Ok(false),
    }
}

/// Whether the access token counts as living, which it does to its own end.
fn access_lives(op: &Op<'_>, pair: &Pair) -> bool {
    !pair.access_invalidated && op.now() < pair.access_expires
}

/// Whether somebody may still accept the access token: verifiers do for as long as their leeway after its end.
fn access_is_taken(op: &Op<'_>, pair: &Pair) -> bool {
    !pair.access_invalidated && op.now() < pair.access_expires.plus_secs(MAX_LEEWAY.into())
}

/// A used refresh token still lives in this sense (contract/elasticsearch.md section 6).
fn refresh_lives(op: &Op<'_>, pair: &Pair) -> bool {
    pair.refreshable && !pair.refresh_invalidated && op.now() < refresh_ends(op, pair)
}

/// When a refresh token ends: 24 hours after it was made, and never later than its family (security T17).
fn refresh_ends(op: &Op<'_>, pair: &Pair) -> UnixTime {
    pair.created.plus_secs(REFRESH_LIFE).min(family_ends(op, pair))
}

/// When the last token is granted for what came of the login of this pair.
fn family_ends(op: &Op<'_>, pair: &Pair) -> UnixTime {
    pair.began.plus_secs(op.settings.elasticsearch.family_max.into()).min(pair.family_ends)
}

/// A pair of the family of `shown`, or of a new family that begins with it.
fn new_pair(
    op: &Op<'_>,
    shown: Option<&Pair>,
    ends: Ends,
    user: &User,
    client: Uid,
    refreshable: bool,
) -> Result<Pair, Stop> {
    let id: PairId = op.moment.draw("pair")?;
    let (family, began, family_ends) = match shown {
        Some(shown) => (shown.family, shown.began, family_ends(op, shown)),
        None => (id, op.now(), op.now().plus_secs(op.settings.elasticsearch.family_max.into())),
    };
    Ok(Pair {
        id,
        family,
        uid: user.uid,
        client,
        generation: user.generation,
        created: op.now(),
        access_expires: UnixTime::from_secs(op.now().as_secs()).plus_secs(op.settings.elasticsearch.token_timeout.into()),
        access_invalidated: false,
        refreshable,
        refresh_invalidated: false,
        refreshed: None,
        began,
        family_ends,
        ended: ends.map(|end| end.last),
    })
}

fn store_new(op: &Op<'_>, pair: &Pair) {
    let (of, expires) = (PairOf { uid: pair.uid, id: pair.id, family: pair.family }, kept_until(op, pair));
    op.store_until(key::pair(pair.uid, &pair.id), pair, expires);
    op.store_until(key::pair_of_access(&jti(op, pair)), &of, expires);
    if pair.refreshable {
        op.store_until(key::pair_of_refresh(&refresh_token(op, pair)), &of, expires);
    }
}

/// An hour after both tokens have expired, or from now on when both were ended. A used refresh token is remembered to its end: whoever
/// presents it again ends the family (security T17).
fn kept_until(op: &Op<'_>, pair: &Pair) -> UnixTime {
    let ended = pair.access_invalidated && (pair.refresh_invalidated || !pair.refreshable);
    if ended && pair.refreshed.is_none() {
        return op.now().plus_secs(KEEP);
    }
    let end = if pair.refreshable { refresh_ends(op, pair).max(pair.access_expires) } else { pair.access_expires };
    end.plus_secs(KEEP)
}

fn show(op: &Op<'_>, pair: &Pair, user: &User) -> Result<Grant, Stop> {
    let second = UnixTime::from_secs(pair.created.as_secs());
    let lifetime = Lifetime::between(second, pair.access_expires).ok_or(Refusal::BadRecord)?;
    let issued = issue_as(op, user, dialect::ELASTICSEARCH, lifetime, jti_octets(op, pair), pair.created)?;
    Ok(Grant {
        access_token: issued.token,
        // Counted in whole seconds, as the times of the token are.
        expires_in: pair.access_expires.as_secs().saturating_sub(op.now().as_secs()),
        refresh_token: pair.refreshable.then(|| refresh_token(op, pair)),
        user: user.clone(),
    })
}

fn jti_octets(op: &Op<'_>, pair: &Pair) -> [u8; 16] {
    let mut jti = [0; 16];
    jti.copy_from_slice(&op.vault.derive("access token id", &pair.id)[..16]);
    jti
}

fn jti(op: &Op<'_>, pair: &Pair) -> String {
    base64url::encode(&jti_octets(op, pair))
}

fn refresh_token(op: &Op<'_>, pair: &Pair) -> String {
    base64url::encode(&op.vault.derive("refresh token", &pair.id))
}

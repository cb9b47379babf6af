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
//!
//! However many pairs there are, ending them costs one bounded operation: up to [`MOST_ENDED`] are ended one by one and counted
//! exactly; where there are more, the rest ends by a count, which each pair has as it was at its time ([`PairsEnded::last`]), as clocks
//! may be wrong.

use super::{audit, clock::has_been, has_expired, has_room, issue_as, revoke, revoke_counted, user, verify_any_time};
use crate::{
    lifetime::Lifetime,
    record::{Pair, PairId, PairOf, PairsEnded, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Key, Op, Range, Record, Stop},
    time::UnixTime,
    token::{MAX_LEEWAY, dialect},
};
use alloc::{string::String, vec::Vec};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How long a refresh token lives, in seconds; less when its family ends before.
const REFRESH_LIFE: u64 = 86_400;
/// How long a used refresh token gives the same pair again, in seconds.
const REPEAT: u64 = 30;
/// How long a record is kept after its last token has ended, in seconds.
const KEEP: u64 = 3600;
/// How many pairs of one user are kept, roughly, as not every grant checks.
const MOST_KEPT: u32 = if cfg!(test) { 100 } else { 10_000 };
/// How many of those beyond are removed at once. One grant in 256 checks, so many more can go than come in.
const SURPLUS: u32 = 1024;
/// How many living pairs are ended one by one at the most.
const MOST_ENDED: usize = if cfg!(test) { 32 } else { 4096 };
/// How many pairs are read at a time, which together is all that one user can have.
const PAGES: [u32; 4] = if cfg!(test) { [8, 16, 32, 1100] } else { [1024, 2048, 4096, 4096] };

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
    let ended = ended(op, user.uid)?;
    bound(op, user, ended)?;
    let pair = new_pair(op, None, ended, user, client, refreshable)?;
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
        audit(op, "token.issue", &user.uid, &jti, Some(reason));
        Ok(Err(refusal))
    };
    let Some(shown) = pair_of(op, &key::pair_of_access(jti))? else {
        return refused("token_unknown", NotRefreshed::Unknown);
    };
    if op.now() >= family_ends(op, &shown) {
        return refused("login_too_long_ago", NotRefreshed::Expired);
    }
    // That its family has not ended was read when the token was shown.
    let ended = ended(op, user.uid)?;
    bound(op, user, ended)?;
    let pair = new_pair(op, Some(&shown), ended, user, user.uid, false)?;
    store_new(op, &pair);
    Ok(Ok(show(op, &pair, user)?))
}

/// Drops pairs of `user` where he has too many, the dead before the living and the oldest first, so that nobody fills the store.
///
/// Those that still live end together with all that are as old or older, by one record: a flood of them must not fill the revocation
/// snapshots either. What was granted within this second stays, as tokens tell their time in whole seconds.
fn bound(op: &Op<'_>, user: &User, ended: Together) -> Result<(), Stop> {
    if !super::now_and_then(op, "pair bound")? {
        return Ok(());
    }
    let stored = op.range(&Range { prefix: key::pairs_of(user.uid), after: String::new(), limit: MOST_KEPT + SURPLUS })?;
    let surplus = stored.len().saturating_sub(MOST_KEPT as usize);
    if surplus == 0 {
        return Ok(());
    }
    let lives = |pair: &Pair| {
        let alive = !has_ended(pair, ended) && pair.generation == user.generation;
        alive && (access_is_taken(op, pair) || refresh_lives(op, pair))
    };
    let pairs: Result<Vec<_>, _> = stored.iter().map(|(_, record)| Pair::of(record)).collect();
    let mut pairs: Vec<_> = pairs?.into_iter().map(|pair| (lives(&pair), pair.created, pair)).collect();
    pairs.sort_unstable_by_key(|(lives, created, _)| (*lives, *created));
    let this_second = UnixTime::from_secs(op.now().as_secs());
    let mut until = UnixTime::default();
    let gone = pairs.iter().take(surplus).filter(|(lives, created, _)| !lives || *created < this_second);
    for (lives, created, pair) in gone {
        if *lives {
            until = until.max(*created);
            audit(op, "token.revoke", &"waxseal", &jti(op, pair), None);
        }
        op.remove(key::pair(pair.uid, &pair.id));
        op.remove(key::pair_of_access(&jti(op, pair)));
        if pair.refreshable {
            op.remove(key::pair_of_refresh(&refresh_token(op, pair)));
        }
    }
    if until > UnixTime::default() {
        // The server finds no pair for their tokens any more; verifiers elsewhere go by this.
        let [_, own] = ended;
        remember_end(op, Some(user.uid), PairsEnded { issued: own.issued.max(until), ..own });
    }
    Ok(())
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
        audit(op, "token.refresh", &client, &client, Some(NotRefreshed::Unknown.code()));
        return Ok(Err(NotRefreshed::Unknown));
    };
    let of_user = key::user(uid);
    // The profile is for the dialect, which shows the user; reading it beside the others costs no round.
    op.want(&[key::pair(uid, &id), of_user, key::profile(uid), key::cluster(), key::family_ended(uid, &family)]);
    let ended = ended(op, uid);
    let refreshed = match op.load::<Pair>(&key::pair(uid, &id))? {
        Some(pair) => renew(op, &pair, client, ended)?,
        None => Err(NotRefreshed::Unknown),
    };
    let refusal = refreshed.as_ref().err().map(|refusal| refusal.code());
    audit(op, "token.refresh", &client, &uid, refusal);
    Ok(refreshed)
}

fn renew(
    op: &Op<'_>,
    pair: &Pair,
    client: Uid,
    ended: Result<Together, Stop>,
) -> Result<Result<Grant, NotRefreshed>, Stop> {
    let Pair { uid, id, .. } = *pair;
    if pair.client != client {
        return Ok(Err(NotRefreshed::OtherClient));
    }
    let user = user_of(op, pair)?;
    let ended = ended?;
    // Neither long ago nor, by a clock that was ahead, long to come.
    let repeats = |at: UnixTime| op.now() <= at.plus_secs(REPEAT) && at <= op.now().plus_secs(REPEAT);
    if pair.refreshed.is_some_and(|(at, _)| !repeats(at)) {
        // Somebody else has this token, too: whoever it is, nobody goes on with what came of it, even if the token itself is over by now.
        let ended = all(op, &client, Some(uid), Some(pair.family))?;
        if ended.invalidated > 0 {
            audit(op, "token.reuse", &client, &uid, Some("refresh_token_reused"));
        }
        return Ok(Err(NotRefreshed::Used));
    }
    let live = !pair.refresh_invalidated && !has_ended(pair, ended) && !family_has_ended(op, pair)?;
    let Some(user) = user.filter(|_| live) else { return Ok(Err(NotRefreshed::Invalidated)) };
    if !has_been(op, pair.created) || op.now() >= refresh_ends(op, pair) {
        return Ok(Err(NotRefreshed::Expired));
    }
    match pair.refreshed {
        _ if has_expired(op, &user)? => Ok(Err(NotRefreshed::PasswordExpired)),
        Some((_, next)) => match op.load::<Pair>(&key::pair(uid, &next))? {
            Some(next) if !next.refresh_invalidated && !has_ended(&next, ended) => Ok(Ok(show(op, &next, &user)?)),
            _ => Ok(Err(NotRefreshed::Invalidated)),
        },
        None => {
            bound(op, &user, ended)?;
            let next = new_pair(op, Some(pair), ended, &user, client, true)?;
            store_new(op, &next);
            let used = Pair { refreshed: Some((op.now(), next.id)), ..pair.clone() };
            op.store_until(key::pair(uid, &id), &used, kept_until(op, &used));
            Ok(Ok(show(op, &next, &user)?))
        }
    }
}

/// Which tokens are to be invalidated.
pub(crate) enum Selection<'a> {
    /// One access token.
    Access(&'a str),
    /// One refresh token.
    Refresh(&'a str),
    /// Everything that came of the login which gave this refresh token, access tokens included (RFC 7009, 2.1).
    Grant(&'a str),
    /// All of one user.
    User(Uid),
    /// All of everybody.
    Everybody,
}

/// How an invalidation went; `None` from [`invalidate`] when the one token is not known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Newly dead.
    pub(crate) invalidated: u64,
    /// Dead before.
    pub(crate) previously: u64,
}

/// Invalidates tokens, effective with the commit of this operation.
pub(crate) fn invalidate(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    selection: &Selection<'_>,
) -> Result<Option<Counts>, Stop> {
    match selection {
        Selection::Access(token) => {
            let Ok(jti) = verify_any_time(op, token) else { return Ok(None) };
            one(op, actor, &key::pair_of_access(&jti), |op, pair| {
                if access_is_taken(op, pair) {
                    revoke_counted(op, actor, pair.uid, &jti, pair.access_expires)?;
                }
                Ok(core::mem::replace(&mut pair.access_invalidated, true))
            })
        }
        Selection::Refresh(token) => one(op, actor, &key::pair_of_refresh(token), |_, pair| {
            Ok(core::mem::replace(&mut pair.refresh_invalidated, true))
        }),
        Selection::Grant(token) => {
            let Some(Pair { uid, family, .. }) = pair_of(op, &key::pair_of_refresh(token))? else { return Ok(None) };
            all(op, actor, Some(uid), Some(family)).map(Some)
        }
        Selection::User(uid) => all(op, actor, Some(*uid), None).map(Some),
        Selection::Everybody => all(op, actor, None, None).map(Some),
    }
}

/// The pair that an index names.
fn pair_of(op: &Op<'_>, index: &Key) -> Result<Option<Pair>, Stop> {
    match op.load::<PairOf>(index)? {
        Some(PairOf { uid, id, .. }) => op.load(&key::pair(uid, &id)),
        None => Ok(None),
    }
}

/// Ends one half of one pair; `end` says whether it was ended before.
fn one(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    index: &crate::seam::Key,
    end: impl Fn(&Op<'_>, &mut Pair) -> Result<bool, Stop>,
) -> Result<Option<Counts>, Stop> {
    let Some(PairOf { uid, id, family }) = op.load::<PairOf>(index)? else { return Ok(None) };
    op.want(&[key::pair(uid, &id), key::user(uid), key::family_ended(uid, &family)]);
    let ended = ended(op, uid);
    let Some(mut pair) = op.load::<Pair>(&key::pair(uid, &id))? else { return Ok(None) };
    // Dead before is also what died with its user, with all his tokens, or with its family.
    let died = has_ended(&pair, ended?) || family_has_ended(op, &pair)? || user_of(op, &pair)?.is_none();
    if died || end(op, &mut pair)? {
        return Ok(Some(Counts { invalidated: 0, previously: 1 }));
    }
    op.store_until(key::pair(uid, &id), &pair, kept_until(op, &pair));
    audit(op, "token.revoke", actor, &jti(op, &pair), None);
    Ok(Some(Counts { invalidated: 1, previously: 0 }))
}

/// The user of a pair; `None` if he is gone, may not log in, or has had all his tokens ended since.
fn user_of(op: &Op<'_>, pair: &Pair) -> Result<Option<User>, Stop> {
    Ok(user(op, pair.uid)?.filter(|user| !user.disabled && user.generation == pair.generation))
}

/// Ends both halves of every pair of one user, or of everybody, that has a live one: of all families, or of one of this user.
fn all(op: &Op<'_>, actor: &dyn core::fmt::Display, whose: Option<Uid>, family: Option<PairId>) -> Result<Counts, Stop> {
    let mut counts = Counts::default();
    let (found, complete) = live(op, whose, |pair| family.is_none_or(|family| family == pair.family))?;
    // One record can end any number of pairs. Nobody may have too many ended one by one, as snapshots have to name each of those.
    let singly = match whose {
        Some(uid) if complete => has_room(op, uid, found.len())?,
        _ => complete,
    };
    // Even if nothing of it was found: a call that began earlier may take a token for good that has just expired.
    // Once is enough, as no pair is added to it later.
    if let (Some(uid), Some(family)) = (whose, family)
        && op.read(&key::family_ended(uid, &family))?.is_none()
    {
        end_family(op, uid, &family);
    }
    for (.., pair) in found.iter().filter(|_| singly) {
        end_family(op, pair.uid, &pair.family);
    }
    for (key, seen, mut pair) in found {
        if singly && access_is_taken(op, &pair) {
            match whose {
                Some(uid) => revoke_counted(op, actor, uid, &jti(op, &pair), pair.access_expires)?,
                None => revoke(op, &jti(op, &pair), pair.access_expires),
            }
        }
        let (ended, dead) = kill(op, &mut pair);
        // What had ended by itself is revoked for verifiers with leeway, but is no part of what was asked for.
        if ended > 0 {
            counts.invalidated += ended;
            counts.previously += dead;
        }
        op.replace(key.clone(), seen, pair.encode(), Some(op.now().plus_secs(KEEP)));
        audit(op, "token.revoke", actor, &jti(op, &pair), None);
    }
    if !singly {
        // What is wanted may be anywhere among the rest, so all of it ends.
        let known = ended_for(op, whose)?;
        let issued = known.issued.max(op.now());
        remember_end(op, whose, PairsEnded { issued, ..once_more(op, known) });
        match whose {
            Some(uid) => audit(op, "token.revoke_all", actor, &uid, None),
            None => audit(op, "token.revoke_all", actor, &"everybody", None),
        }
    }
    Ok(counts)
}

/// Ends all pairs of everybody, with the keys that have signed their access tokens: verifiers elsewhere go by these.
pub(super) fn end_all_pairs(op: &Op<'_>) -> Result<(), Stop> {
    let known = ended_for(op, None)?;
    remember_end(op, None, PairsEnded { issued: UnixTime::default(), ..once_more(op, known) });
    Ok(())
}

/// Ends what is granted in this family while its pairs are being ended. No pair is added later, so this is kept for as long as one could
/// live. Whoever only uses a token asks first whether there is any such family of its user, as mostly there is none.
fn end_family(op: &Op<'_>, uid: Uid, family: &PairId) {
    for key in [key::families_ended(uid), key::family_ended(uid, family)] {
        op.put(key, Vec::new(), Some(op.now().plus_secs(REFRESH_LIFE + KEEP)));
    }
}

fn family_has_ended(op: &Op<'_>, pair: &Pair) -> Result<bool, Stop> {
    Ok(op.read(&key::family_ended(pair.uid, &pair.family))?.is_some())
}

/// The next end after the `known` one, whatever the clock says.
fn once_more(op: &Op<'_>, known: PairsEnded) -> PairsEnded {
    let next = UnixTime::from_millis(known.last.as_millis().saturating_add(1));
    PairsEnded { last: op.now().max(next), ..known }
}

/// Keeps the end for as long as a pair that it has ended could live, and until the time that it tells has passed: then the next end is
/// later in any case.
fn remember_end(op: &Op<'_>, whose: Option<Uid>, ended: PairsEnded) {
    let until = op.now().max(ended.last).max(ended.issued).plus_secs(REFRESH_LIFE + KEEP);
    op.store_until(key::pairs_ended(whose), &ended, until);
}

/// A pair that was found, with where and how it is stored.
type Found<'a> = (&'a Key, &'a Record, Pair);

/// The wanted pairs of one user, or of everybody, of which a half is still accepted somewhere; and whether these are all. Those whose
/// user is gone, or had all his tokens or pairs ended, are dead already and take nobody's place.
fn live<'a>(op: &Op<'a>, whose: Option<Uid>, wanted: impl Fn(&Pair) -> bool) -> Result<(Vec<Found<'a>>, bool), Stop> {
    let prefix = whose.map_or_else(|| key::PAIRS.into(), key::pairs_of);
    let (mut found, mut after) = (Vec::new(), String::new());
    let mut owner: Option<(Uid, Option<u32>, Together)> = None;
    for limit in PAGES {
        let page = op.range(&Range { prefix: prefix.clone(), after, limit })?;
        let mut lasting: Vec<Found<'a>> = Vec::new();
        for (key, record) in page {
            let pair = Pair::of(record)?;
            if wanted(&pair) && (access_is_taken(op, &pair) || refresh_lives(op, &pair)) {
                // The owners of a whole page are read in one round, each once: pairs are in the order of their owners.
                if lasting.last().is_none_or(|(.., last)| last.uid != pair.uid) {
                    op.want(&[key::user(pair.uid), key::pairs_ended(Some(pair.uid))]);
                }
                lasting.push((key, record, pair));
            }
        }
        for (key, record, pair) in lasting {
            let (_, generation, ended) = match owner.filter(|(uid, ..)| *uid == pair.uid) {
                Some(known) => known,
                None => (pair.uid, user(op, pair.uid)?.map(|user| user.generation), ended(op, pair.uid)?),
            };
            owner = Some((pair.uid, generation, ended));
            if generation == Some(pair.generation) && !has_ended(&pair, ended) {
                if found.len() == MOST_ENDED {
                    return Ok((found, false));
                }
                found.push((key, record, pair));
            }
        }
        match page.last() {
            Some((last, _)) if page.len() >= limit as usize => after = last.as_str().into(),
            _ => return Ok((found, true)),
        }
    }
    Ok((found, false))
}

/// Whether the access token with this `jti` has ended with its family or together with others, or is of no pair. One that was granted
/// after the backup from which the store was restored is of none: nobody could end it.
pub(super) fn access_has_ended(op: &Op<'_>, uid: Uid, jti: &str) -> Result<bool, Stop> {
    let index = key::pair_of_access(jti);
    let families = key::families_ended(uid);
    op.want([&index, &families]);
    let together = ended(op, uid)?;
    let Some(PairOf { id, family, .. }) = op.load(&index)? else { return Ok(true) };
    let (pair, family) = (key::pair(uid, &id), key::family_ended(uid, &family));
    let together = Some(together).filter(|together| *together != Together::default());
    let has_families = op.read(&families)?.is_some();
    op.want(together.map(|_| &pair).into_iter().chain(has_families.then_some(&family)));
    if has_families && op.read(&family)?.is_some() {
        return Ok(true);
    }
    match together {
        Some(together) => Ok(op.load::<Pair>(&pair)?.is_none_or(|pair| has_ended(&pair, together))),
        None => Ok(false),
    }
}

/// How pairs have ended together: everybody's, and those of one user.
type Together = [PairsEnded; 2];

fn has_ended(pair: &Pair, ended: Together) -> bool {
    ended.into_iter().zip(pair.ended).any(|(now, then)| now.last > then)
}

fn ended(op: &Op<'_>, uid: Uid) -> Result<Together, Stop> {
    op.want(&[key::pairs_ended(Some(uid)), key::pairs_ended(None)]);
    let (own, everybody) = (ended_for(op, Some(uid)), ended_for(op, None));
    Ok([everybody?, own?])
}

/// Zeros if they never have.
fn ended_for(op: &Op<'_>, whose: Option<Uid>) -> Result<PairsEnded, Stop> {
    Ok(op.load(&key::pairs_ended(whose))?.unwrap_or_default())
}

/// Ends both halves; returns how many of them lived and how many were dead.
fn kill(op: &Op<'_>, pair: &mut Pair) -> (u64, u64) {
    let access = u64::from(access_lives(op, pair));
    let refresh = u64::from(refresh_lives(op, pair));
    pair.access_invalidated = true;
    pair.refresh_invalidated = true;
    let halves = if pair.refreshable { 2 } else { 1 };
    (access + refresh, halves - access - refresh)
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
    ended: Together,
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
        ended: ended.map(|ended| ended.last),
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
    let ends = if pair.refreshable { refresh_ends(op, pair).max(pair.access_expires) } else { pair.access_expires };
    ends.plus_secs(KEEP)
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
    URL_SAFE_NO_PAD.encode(jti_octets(op, pair))
}

fn refresh_token(op: &Op<'_>, pair: &Pair) -> String {
    URL_SAFE_NO_PAD.encode(op.vault.derive("refresh token", &pair.id))
}

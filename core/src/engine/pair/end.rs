//! Invalidating tokens, with counts.
//!
//! However many pairs there are, ending them costs one bounded operation: up to [`MOST_ENDED`] are ended one by one and counted
//! exactly; where there are more, the rest ends by a count, which each pair has as it was at its time ([`PairsEnded::last`]), as clocks
//! may be wrong.

use super::{
    KEEP, REFRESH_LIFE, access_is_taken, access_lives, jti, kept_until, pair_of, refresh_lives,
    together::{Ends, ends_of, has_ended_together, last_end, once_more, remember_end},
    user_of,
};
use crate::{
    engine::{audit, has_room, revoke, revoke_counted, user, verify_any_time},
    record::{Pair, PairId, PairOf, PairsEnded, Stored, Uid, key},
    seam::{Op, Range, Record, RecordKey, Stop},
};
use alloc::{string::String, vec::Vec};

/// How many living pairs are ended one by one at the most.
const MOST_ENDED: usize = if cfg!(test) { 32 } else { 4096 };
/// How many pairs are read at a time, which together is all that one user can have.
const PAGES: [u32; 4] = if cfg!(test) { [8, 16, 32, 1100] } else { [1024, 2048, 4096, 4096] };

/// Which tokens are to be invalidated.
pub(crate) enum Selection<'a> {
    /// One access token.
    Access(&'a str),
    /// The access token with this id, for which the caller makes an entry.
    AccessId(&'a str),
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
            end_one(op, actor, &key::pair_of_access(&jti), &|op, pair| {
                if access_is_taken(op, pair) {
                    revoke_counted(op, actor, pair.uid, &jti, pair.access_expires)?;
                }
                Ok(core::mem::replace(&mut pair.access_invalidated, true))
            })
        }
        Selection::AccessId(jti) => end_one(op, actor, &key::pair_of_access(jti), &|_, pair| {
            Ok(core::mem::replace(&mut pair.access_invalidated, true))
        }),
        Selection::Refresh(token) => end_one(op, actor, &key::pair_of_refresh(token), &|_, pair| {
            Ok(core::mem::replace(&mut pair.refresh_invalidated, true))
        }),
        Selection::Grant(token) => {
            let Some(Pair { uid, family, .. }) = pair_of(op, &key::pair_of_refresh(token))? else { return Ok(None) };
            end_all(op, actor, Some(uid), Some(family)).map(Some)
        }
        Selection::User(uid) => end_all(op, actor, Some(*uid), None).map(Some),
        Selection::Everybody => end_all(op, actor, None, None).map(Some),
    }
}

/// Ends one half of one pair; `end` says whether it was ended before.
fn end_one(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    index: &RecordKey,
    end: &dyn Fn(&Op<'_>, &mut Pair) -> Result<bool, Stop>,
) -> Result<Option<Counts>, Stop> {
    let Some(PairOf { uid, id, family }) = op.load::<PairOf>(index)? else { return Ok(None) };
    op.want(&[key::pair(uid, &id), key::user(uid), key::family_ended(uid, &family)]);
    let ends = ends_of(op, uid);
    let Some(mut pair) = op.load::<Pair>(&key::pair(uid, &id))? else { return Ok(None) };
    // Dead before is also what died with its user, with all tokens of that user, or with its family.
    let died = has_ended_together(&pair, ends?) || family_has_ended(op, &pair)? || user_of(op, &pair)?.is_none();
    if died || end(op, &mut pair)? {
        return Ok(Some(Counts { invalidated: 0, previously: 1 }));
    }
    op.store_until(key::pair(uid, &id), &pair, kept_until(op, &pair));
    audit(op, "token.revoke", actor, &jti(op, &pair));
    Ok(Some(Counts { invalidated: 1, previously: 0 }))
}

/// Ends both halves of every pair of one user, or of everybody, that has a live one: of all families, or of one of this user.
pub(super) fn end_all(
    op: &Op<'_>,
    actor: &dyn core::fmt::Display,
    whose: Option<Uid>,
    family: Option<PairId>,
) -> Result<Counts, Stop> {
    let mut counts = Counts::default();
    let (found, complete) = living(op, whose, |pair| family.is_none_or(|family| family == pair.family))?;
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
    let taken = found.iter().filter(|(.., pair)| singly && access_is_taken(op, pair));
    let taken: Vec<_> = taken.map(|(.., pair)| (jti(op, pair), pair.access_expires)).collect();
    for (key, seen, mut pair) in found {
        let (lived, dead) = end_pair(op, &mut pair);
        // What had ended by itself is revoked for verifiers with leeway, but is no part of what was asked for.
        if lived > 0 {
            counts.invalidated += lived;
            counts.previously += dead;
        }
        op.replace(key.clone(), seen, pair.encode(), Some(op.now().plus_secs(KEEP)));
        audit(op, "token.revoke", actor, &jti(op, &pair));
    }
    // Behind the pairs, as each kind of record is best written in the order of its keys.
    for (jti, expires) in taken {
        match whose {
            Some(uid) => revoke_counted(op, actor, uid, &jti, expires)?,
            None => revoke(op, &jti, expires),
        }
    }
    if !singly {
        // What is wanted may be anywhere among the rest, so all of it ends.
        let known = last_end(op, whose)?;
        let issued = known.issued.max(op.now());
        remember_end(op, whose, PairsEnded { issued, ..once_more(op, known) });
        match whose {
            Some(uid) => audit(op, "token.revoke_all", actor, &uid),
            None => audit(op, "token.revoke_all", actor, &"everybody"),
        }
    }
    Ok(counts)
}

/// Ends what is granted in this family while its pairs are being ended. No pair is added later, so this is kept for as long as one could
/// live. Whoever only uses a token asks first whether there is any such family of its user, as mostly there is none.
fn end_family(op: &Op<'_>, uid: Uid, family: &PairId) {
    for key in [key::families_ended(uid), key::family_ended(uid, family)] {
        op.put(key, Vec::new(), Some(op.now().plus_secs(REFRESH_LIFE + KEEP)));
    }
}

pub(super) fn family_has_ended(op: &Op<'_>, pair: &Pair) -> Result<bool, Stop> {
    Ok(op.read(&key::family_ended(pair.uid, &pair.family))?.is_some())
}

/// A pair that was found, with where and how it is stored.
type Found<'a> = (&'a RecordKey, &'a Record, Pair);

/// The wanted pairs of one user, or of everybody, of which a half is still accepted somewhere; and whether these are all. Those of a user
/// who is gone, or whose tokens or pairs have all been ended, are dead already and take nobody's place.
fn living<'a>(op: &Op<'a>, whose: Option<Uid>, wanted: impl Fn(&Pair) -> bool) -> Result<(Vec<Found<'a>>, bool), Stop> {
    let prefix = whose.map_or_else(|| key::PAIRS.into(), key::pairs_of);
    let (mut found, mut after) = (Vec::new(), String::new());
    let mut owner: Option<(Uid, Option<u32>, Ends)> = None;
    for limit in PAGES {
        let range = Range { prefix: prefix.clone(), after, limit };
        let page = op.range(&range)?;
        let mut lasting: Vec<Found<'a>> = Vec::new();
        for (key, record) in page {
            let pair = Pair::of(record)?;
            if wanted(&pair) && (access_is_taken(op, &pair) || refresh_lives(op, &pair)) {
                lasting.push((key, record, pair));
            }
        }
        // The owners of a whole page are read in one round, each once: pairs are in the order of their owners.
        let owners = || lasting.chunk_by(|(.., one), (.., next)| one.uid == next.uid).filter_map(|of_one| of_one.first());
        for (.., pair) in owners() {
            op.want([&key::pairs_ended(Some(pair.uid))]);
        }
        for (.., pair) in owners() {
            op.want([&key::user(pair.uid)]);
        }
        for (key, record, pair) in lasting {
            let (_, generation, ends) = match owner.filter(|(uid, ..)| *uid == pair.uid) {
                Some(known) => known,
                None => (pair.uid, user(op, pair.uid)?.map(|user| user.generation), ends_of(op, pair.uid)?),
            };
            owner = Some((pair.uid, generation, ends));
            if generation == Some(pair.generation) && !has_ended_together(&pair, ends) {
                if found.len() == MOST_ENDED {
                    return Ok((found, false));
                }
                found.push((key, record, pair));
            }
        }
        match range.next_after(page) {
            Some(last) => after = last,
            None => return Ok((found, true)),
        }
    }
    Ok((found, false))
}

/// Ends both halves; returns how many of them lived and how many were dead.
fn end_pair(op: &Op<'_>, pair: &mut Pair) -> (u64, u64) {
    let access = u64::from(access_lives(op, pair));
    let refresh = u64::from(refresh_lives(op, pair));
    pair.access_invalidated = true;
    pair.refresh_invalidated = true;
    let halves = if pair.refreshable { 2 } else { 1 };
    (access + refresh, halves - access - refresh)
}

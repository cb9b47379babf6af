//! Authorizations: long-lived tokens that their owner can see again (contract/openshift.md sections 2 to 6).
//!
//! A token is `HMAC-SHA-256(root secret, random octets of the record)`: it can be shown whenever its owner asks, and whoever
//! has the store but not the root secret has no token. It is found by its digest.

use super::{audit, audit_change, clock::has_been, user};
use crate::{
    hex,
    lifetime::Lifetime,
    record::{Authorization, AuthorizationAt, Count, RevokedScopes, Scope, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Op, Range, RecordKey, Stop},
};
use alloc::{format, string::String, vec::Vec};
use core::ops::ControlFlow;
use subtle::ConstantTimeEq;

/// How many authorizations are removed from the store at once, page after page, the first so small that a host does not have it wait for
/// a turn to read much. Those beyond have ended as well, by the era of their user.
const ENDED_AT_ONCE: [u32; 2] = [60, 940];
/// How many are read at a time, page after page. Each page is a round, and each round goes over all pages, so there are few; the first
/// are small, as a list with long notes ends within them; and together they hold too few for one user to make an operation that never
/// ends. Only these, the newest, count. The first two are so small that a host does not have them wait for a turn to read much.
const PAGES: [u32; 4] = [20, 60, 920, 2000];

/// How many authorizations of one user are kept, roughly, as not every creation checks. A note can have 16 KiB.
const MOST_KEPT: u32 = if cfg!(test) { 1000 } else { 2000 };
/// One creation in so many checks: a check reads thousands, so it costs as much as a hundred creations.
const CHECKED: u16 = if cfg!(test) { 16 } else { 512 };
/// How many of those beyond end at once: nearly always more than come in between two checks.
const SURPLUS: u32 = 2000;

/// What a new authorization is made of.
pub(crate) struct NewAuthorization {
    /// Never empty.
    pub(crate) scopes: Vec<Scope>,
    /// What the owner notes.
    pub(crate) note: Option<String>,
    /// How long it lives.
    pub(crate) lifetime: Lifetime,
    /// The id of the authorization whose token asks for it, if one does.
    pub(crate) asked_by: Option<[u8; 12]>,
}

/// A user who has shown the token of a live authorization.
pub(crate) struct Authorized {
    /// Whose it is.
    pub(crate) user: User,
    /// What it may do, and until when.
    pub(crate) authorization: Authorization,
}

/// Makes an authorization for `user`.
///
/// # Errors
/// [`Refusal::NoEntropy`].
pub(crate) fn add_authorization(op: &Op<'_>, user: &User, new: NewAuthorization) -> Result<Authorization, Stop> {
    bound(op, user, new.asked_by)?;
    let authorization = Authorization {
        id: id(op)?,
        secret: op.moment.draw("authorization")?,
        uid: user.uid,
        note: new.note,
        created: op.now(),
        expires: op.now().plus_secs(new.lifetime.as_secs().into()),
        generation: user.generation,
        session_epoch: user.session_epoch,
        era: era(op, user.uid, &new.scopes)?,
        scopes: new.scopes,
    };
    let (at, expires) = (at(&authorization), authorization.expires);
    op.store_until(key::authorization(&at), &authorization, expires);
    op.store_until(key::authorization_id(&hex::encode(&authorization.id)), &at, expires);
    op.store_until(key::authorization_token(&authorization_token(op, &authorization)), &at, expires);
    audit(op, "token.issue", &user.uid, &hex::encode(&authorization.id));
    Ok(authorization)
}

/// A random id that comes before those of earlier calls of its millisecond, as records lie in the order of time and id.
fn id(op: &Op<'_>) -> Result<[u8; 12], Stop> {
    let mut id: [u8; 12] = op.moment.draw("authorization id")?;
    if let Some(start) = id.first_chunk_mut() {
        *start = (!op.moment.order).to_be_bytes();
    }
    Ok(id)
}

/// Ends the oldest authorizations of `user` where there are too many, so that nobody fills the store. An ordinary creation does not check,
/// as counting means reading. Those that have ended already make room and cost no living one its place. The one whose token is being used
/// stays: a program must not lose the token it works with.
fn bound(op: &Op<'_>, user: &User, asked_by: Option<[u8; 12]>) -> Result<(), Stop> {
    if !super::now_and_then(op, "authorization bound", CHECKED)? {
        return Ok(());
    }
    let prefix = key::authorizations_of(user.uid);
    let newest = op.range(&Range { prefix, after: String::new(), limit: MOST_KEPT + SURPLUS })?;
    let (mut living, mut removed) = (0, 0);
    for (_, record) in newest {
        if removed == SURPLUS {
            break;
        }
        let authorization = Authorization::of(record)?;
        if has_ended(op, user, &authorization)? {
            // That it has ended was told when it did.
            remove(op, &authorization);
            removed += 1;
            continue;
        }
        living += 1;
        if living > MOST_KEPT && asked_by != Some(authorization.id) {
            end_authorization(op, &"waxseal", &authorization);
            removed += 1;
        }
    }
    Ok(())
}

/// The live authorizations of `user` that are `wanted`, newest first, at most `most`; the first for which `wanted` breaks ends the list
/// and is not in it.
pub(crate) fn authorizations(
    op: &Op<'_>,
    user: &User,
    most: usize,
    wanted: &dyn Fn(&Authorization) -> ControlFlow<(), bool>,
) -> Result<Vec<Authorization>, Stop> {
    op.want(&eras(user.uid));
    let mut found = Vec::new();
    let mut after = String::new();
    for limit in PAGES {
        let range = Range { prefix: key::authorizations_of(user.uid), after, limit };
        let page = op.range(&range)?;
        for (_, record) in page {
            let authorization = Authorization::of(record)?;
            if is_good(op, user, &authorization)? {
                match wanted(&authorization) {
                    ControlFlow::Break(()) => return Ok(found),
                    ControlFlow::Continue(true) => found.push(authorization),
                    ControlFlow::Continue(false) => {}
                }
            }
            if found.len() == most {
                return Ok(found);
            }
        }
        match range.next_after(page) {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(found)
}

/// The live authorization of `user` with this id or token, in capitals or not. Those of others are as unknown as those that never were.
pub(crate) fn find_authorization(op: &Op<'_>, user: &User, id: &str) -> Result<Option<Authorization>, Stop> {
    op.want(&eras(user.uid));
    match find_revocable(op, user, id)? {
        Some(found) if is_good(op, user, &found)? => Ok(Some(found)),
        _ => Ok(None),
    }
}

/// Like [`find_authorization`], to end it: see [`revocable`].
pub(crate) fn find_revocable(op: &Op<'_>, user: &User, id: &str) -> Result<Option<Authorization>, Stop> {
    let id = id.to_ascii_lowercase();
    let index = if is_authorization_token(&id) { key::authorization_token(&id) } else { key::authorization_id(&id) };
    match op.load::<AuthorizationAt>(&index)? {
        Some(at) if at.uid == user.uid => op.load(&key::authorization(&at)),
        _ => Ok(None),
    }
}

/// The authorization with this id, whoever owns it.
pub(crate) fn authorization_with_id(op: &Op<'_>, id: &str) -> Result<Option<Authorization>, Stop> {
    match op.load::<AuthorizationAt>(&key::authorization_id(id))? {
        Some(at) => op.load(&key::authorization(&at)),
        None => Ok(None),
    }
}

/// Checks a token. The user is read anew on each use.
///
/// # Errors
/// [`Refusal::TokenRevoked`] for a token that is unknown, revoked or expired, as its record is gone; [`Refusal::TokenEnded`],
/// [`Refusal::TokenUserGone`], and [`Refusal::TokenForeign`] for a text that is no such token.
pub(crate) fn authorized(op: &Op<'_>, token: &str) -> Result<Authorized, Stop> {
    let found = revocable(op, token)?;
    if is_good(op, &found.user, &found.authorization)? { Ok(found) } else { Err(Refusal::TokenEnded.into()) }
}

/// Like [`authorized`], for those who end a token: also one that is not good now, as the clock or a setting can make it good later.
///
/// # Errors
/// As [`authorized`].
pub(crate) fn revocable(op: &Op<'_>, token: &str) -> Result<Authorized, Stop> {
    if !is_authorization_token(token) {
        return Err(Refusal::TokenForeign.into());
    }
    op.want(&[key::era_of_everybody()]);
    let at = op.load::<AuthorizationAt>(&key::authorization_token(token))?.ok_or(Refusal::TokenRevoked)?;
    let record = key::authorization(&at);
    op.want(&[record.clone(), key::user(at.uid), key::era_of_user(at.uid)]);
    let authorization =
        op.load::<Authorization>(&record)?.filter(|found| found.uid == at.uid).ok_or(Refusal::TokenRevoked)?;
    // An entry alone does not make a text a token: whoever can write to the store may lack the root secret.
    let derived = authorization_token(op, &authorization);
    if !bool::from(derived.as_bytes().ct_eq(token.as_bytes())) {
        return Err(Refusal::TokenRevoked.into());
    }
    let user = user(op, at.uid)?.filter(|user| !user.disabled).ok_or(Refusal::TokenUserGone)?;
    Ok(Authorized { user, authorization })
}

/// Changes the note; nothing else about an authorization ever changes.
pub(crate) fn note_authorization(op: &Op<'_>, authorization: &mut Authorization, note: Option<String>) {
    authorization.note = note;
    op.store_until(key::authorization(&at(authorization)), authorization, authorization.expires);
    audit(op, "token.note", &authorization.uid, &hex::encode(&authorization.id));
}

/// Ends an authorization: its token is refused from the next request on.
pub(crate) fn end_authorization(op: &Op<'_>, actor: &dyn core::fmt::Display, authorization: &Authorization) {
    remove(op, authorization);
    audit(op, "token.revoke", actor, &hex::encode(&authorization.id));
}

fn remove(op: &Op<'_>, authorization: &Authorization) {
    op.remove(key::authorization(&at(authorization)));
    op.remove(key::authorization_id(&hex::encode(&authorization.id)));
    op.remove(key::authorization_token(&authorization_token(op, authorization)));
}

/// Ends all authorizations of `user`, or all with a scope, however many there are: those among the newest go from the store at
/// once; older ones count no more, and go when they expire.
pub(crate) fn end_authorizations(op: &Op<'_>, user: &User, scope: Option<Scope>) -> Result<(), Stop> {
    op.want(&eras(user.uid));
    let mut newest = Vec::new();
    let mut after = String::new();
    for limit in ENDED_AT_ONCE {
        let range = Range { prefix: key::authorizations_of(user.uid), after, limit };
        let page = op.range(&range)?;
        newest.extend(page);
        match range.next_after(page) {
            Some(last) => after = last,
            None => break,
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    for (_, record) in newest {
        let authorization = Authorization::of(record)?;
        if scope.is_none_or(|scope| authorization.scopes.contains(&scope)) {
            end_authorization(op, &user.uid, &authorization);
        }
    }
    let key = key::era_of_user(user.uid);
    let revoked = op.load::<RevokedScopes>(&key)?.unwrap_or_default();
    op.store(key, &revoked.plus(scope));
    let which = scope.map_or_else(String::new, |scope| format!("scope {}", scope.as_str()));
    audit_change(op, "token.revoke_all", &user.uid, &user.uid, which);
    Ok(())
}

/// Ends the authorizations of everybody.
pub(crate) fn revoke_everything(op: &Op<'_>, actor: &dyn core::fmt::Display) -> Result<(), Stop> {
    let Count(era) = op.load(&key::era_of_everybody())?.unwrap_or_default();
    op.store(key::era_of_everybody(), &Count(era.saturating_add(1)));
    audit(op, "token.revoke_all", actor, &"everybody");
    Ok(())
}

/// The token: 64 hex digits.
pub(crate) fn authorization_token(op: &Op<'_>, authorization: &Authorization) -> String {
    hex::encode(&op.vault.derive("authorization token", &authorization.secret))
}

/// Whether `text` has the form of a token.
pub(crate) fn is_authorization_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

fn at(authorization: &Authorization) -> AuthorizationAt {
    AuthorizationAt { uid: authorization.uid, created: authorization.created, id: authorization.id }
}

/// Whether it is accepted now.
fn is_good(op: &Op<'_>, user: &User, authorization: &Authorization) -> Result<bool, Stop> {
    let same_passwords = authorization.generation == user.generation || !op.settings.openshift.password_change_revokes;
    // One that was made while the clock was ahead would live longer than was asked for.
    Ok(!has_ended(op, user, authorization)? && same_passwords && has_been(op, authorization.created))
}

/// Whether it has ended for good: no setting that changes later, and no clock that is put right, makes it good again.
fn has_ended(op: &Op<'_>, user: &User, authorization: &Authorization) -> Result<bool, Stop> {
    let same_session = authorization.session_epoch == user.session_epoch;
    let era = era(op, user.uid, &authorization.scopes)?;
    Ok(op.now() >= authorization.expires || !same_session || authorization.era != era)
}

/// How often authorizations with these scopes were ended together: by their owner, by an administrator. None of the numbers
/// ever falls, so their sum is the same only while each of them is.
fn era(op: &Op<'_>, uid: Uid, scopes: &[Scope]) -> Result<u32, Stop> {
    let [everything, own] = eras(uid);
    op.want([&everything, &own]);
    let Count(everything) = op.load(&everything)?.unwrap_or_default();
    let own = op.load::<RevokedScopes>(&own)?.unwrap_or_default();
    Ok(scopes.iter().fold(everything, |era, scope| era.saturating_add(own.of(*scope))))
}

fn eras(uid: Uid) -> [RecordKey; 2] {
    [key::era_of_everybody(), key::era_of_user(uid)]
}

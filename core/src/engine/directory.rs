//! Finding users.

use super::clock;
use crate::{
    record::{Lock, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Op, Range, Record, RecordKey, Stop},
    sorted::Sorted,
};
use alloc::{string::String, vec::Vec};

/// How many records are read at once.
const PAGE: u32 = 25_000;

/// The user with this number.
pub(crate) fn user(op: &Op<'_>, uid: Uid) -> Result<Option<User>, Stop> {
    op.load(&key::user(uid))
}

/// The user who logs in as `login`: by name, else by e-mail address, compared exactly (contract/redis.md section 3).
pub(crate) fn find_user(op: &Op<'_>, login: &str) -> Result<Option<User>, Stop> {
    let (name, email) = (key::name(login), key::email(login));
    op.want([&name, &email]);
    let by_name = op.load::<Uid>(&name)?;
    let by_email = op.load::<Uid>(&email)?;
    match by_name.or(by_email) {
        Some(uid) => user(op, uid),
        None => Ok(None),
    }
}

/// All records under `prefix`, each with the rest of its key. None is decoded yet: every page is a round, and every round goes over
/// all pages.
pub(crate) fn all_records<'a>(op: &Op<'a>, prefix: &str) -> Result<Vec<(&'a str, &'a Record)>, Stop> {
    let mut records = Vec::new();
    let mut after = String::new();
    loop {
        let range = Range { prefix: prefix.into(), after, limit: PAGE };
        let page = op.range(&range)?;
        records.extend(behind(prefix, page));
        match range.next_after(page) {
            Some(last) => after = last,
            None => return Ok(records),
        }
    }
}

/// Records under `prefix`, each with the rest of its key.
pub(crate) fn behind<'a>(prefix: &str, page: &'a [(RecordKey, Record)]) -> impl Iterator<Item = (&'a str, &'a Record)> {
    page.iter().map(move |(key, record)| (key.as_str().strip_prefix(prefix).unwrap_or_default(), record))
}

/// Records of [`all_records`] or [`behind`], decoded.
///
/// # Errors
/// [`Refusal::BadRecord`].
pub(crate) fn decoded_by_id<'a, T: Stored>(
    records: impl IntoIterator<Item = (&'a str, &'a Record)>,
) -> Result<Sorted<&'a str, T>, Refusal> {
    records.into_iter().map(|(id, record)| Ok((id, T::of(record)?))).collect()
}

/// Octets that name an account towards throttling: its uid, or a name that nobody has. Under the root secret, so that the
/// store does not reveal names that were tried.
pub(crate) fn account(op: &Op<'_>, login: &str, user: Option<&User>) -> [u8; 32] {
    match user {
        Some(user) => op.vault.derive("account", &user.uid.as_u32().to_be_bytes()),
        None => op.vault.derive("nobody", login.as_bytes()),
    }
}

/// Whether `lock` still holds for `user`.
pub(crate) fn is_locked(op: &Op<'_>, user: &User, lock: Option<&Lock>) -> bool {
    lock.is_some_and(|lock| lock.epoch == user.lock_epoch && clock::holds(op, lock.since, lock.until))
}

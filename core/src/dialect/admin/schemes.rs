//! `POST /admin/schemes/prune`: forgetting password schemes that no stored hash has any more.
//!
//! Each scheme in use costs every login one derivation (security P6), so after a migration the old ones should go.

use super::{ACTOR, body, json};
use crate::{
    engine,
    record::{LastUid, Schemes, Stored, User, key},
    seam::{Op, Range, Response, Stop},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// In how many rounds all users are read, and how many at once at least.
const ROUNDS: u32 = 16;
const MIN_PAGE: u32 = 1000;

/// Drops them, and says which were dropped and which stay. A user that is created meanwhile makes it start over; one that exists can
/// only get hashes of schemes he has or of the configured one, which costs nothing extra.
pub(super) fn prune(op: &Op<'_>) -> Result<Response, Stop> {
    body::none(op)?;
    op.want(&[key::last_uid(), key::schemes()]);
    let last = op.load::<LastUid>(&key::last_uid())?.map_or(0, |last| last.0);
    let mut schemes = op.load::<Schemes>(&key::schemes())?.unwrap_or_default();
    let used = used(op, (last / ROUNDS + 1).max(MIN_PAGE), schemes.0.len())?;
    let (kept, dropped): (Vec<_>, Vec<_>) = schemes.0.iter().copied().partition(|scheme| used.contains(scheme));
    if !dropped.is_empty() {
        schemes.0.clone_from(&kept);
        op.store(key::schemes(), &schemes);
        engine::audit(op, "schemes.prune", &ACTOR, &dropped.len().to_string(), None);
    }
    json(200, &serde_json::json!({ "dropped": dropped, "kept": kept }))
}

/// The schemes of all users, `limit` users at a time; no further once `enough` are known.
fn used(op: &Op<'_>, limit: u32, enough: usize) -> Result<Vec<crate::password::Scheme>, Stop> {
    let mut used = Vec::new();
    let mut after = String::new();
    loop {
        let page = op.range(&Range { prefix: key::USERS.into(), after, limit })?;
        for (_, record) in page {
            for scheme in User::of(record)?.passwords.schemes() {
                if !used.contains(&scheme) {
                    used.push(scheme);
                }
            }
        }
        match page.last() {
            Some((last, _)) if page.len() >= limit as usize && used.len() < enough => after = last.as_str().into(),
            _ => return Ok(used),
        }
    }
}

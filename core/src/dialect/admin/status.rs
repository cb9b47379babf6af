//! `GET /admin/status`: what this server is, without walking its users.

use super::json;
use crate::{
    engine,
    record::{Admins, LastUid, Schemes, key},
    seam::{Op, Response, Stop},
};
use serde_json::json;

/// What can be told with a few reads. `last_uid` is the number of users ever created.
pub(super) fn show(op: &Op<'_>) -> Result<Response, Stop> {
    op.want(&[key::last_uid(), key::admins(), key::schemes()]);
    let keys = engine::keys(op)?;
    let last = op.load::<LastUid>(&key::last_uid())?.map_or(0, |last| last.0);
    let admins = op.load::<Admins>(&key::admins())?.unwrap_or_default();
    let schemes = op.load::<Schemes>(&key::schemes())?.unwrap_or_default();
    let settings = op.settings;
    json(
        200,
        &json!({
            "bootstrapped": last > 0,
            "last_uid": last,
            "admins": admins.0.len(),
            "keys": keys.len(),
            "signing_key": op.vault.keys().signer().map(crate::token::Key::kid),
            "schemes": schemes.0,
            "scheme": settings.passwords.scheme,
            "policy": settings.passwords.policy,
            "dialects": settings.dialects,
            "issuer": settings.issuer,
        }),
    )
}

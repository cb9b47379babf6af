//! Issuing tokens.

use super::audit;
use crate::{
    lifetime::Lifetime,
    record::User,
    seam::{Op, Stop},
    time::UnixTime,
    token::{self, NewClaims, base64url},
};
use alloc::string::{String, ToString};

/// A token and what a dialect says about it.
pub(crate) struct Issued {
    /// The compact serialization.
    pub(crate) token: String,
    /// Its id.
    pub(crate) jti: String,
}

/// Issues an access token for `user`, good in `dialect`.
///
/// # Errors
/// [`Refusal::NoSigningKey`](crate::refusal::Refusal::NoSigningKey), [`Refusal::NoEntropy`](crate::refusal::Refusal::NoEntropy).
pub(crate) fn issue(op: &Op<'_>, user: &User, dialect: &str, lifetime: Lifetime) -> Result<Issued, Stop> {
    issue_as(op, user, dialect, lifetime, op.moment.draw::<16>("jti")?, op.now())
}

/// Like [`issue`], with an id and a time of issue that were settled before: the same id and time give the same token, as long as keys
/// and settings are the same.
///
/// # Errors
/// As [`issue`].
pub(crate) fn issue_as(
    op: &Op<'_>,
    user: &User,
    dialect: &str,
    lifetime: Lifetime,
    id: [u8; 16],
    issued: UnixTime,
) -> Result<Issued, Stop> {
    let uid = user.uid.to_string();
    let token = op.vault.keys().issue(&NewClaims {
        issuer: &op.settings.issuer,
        audience: op.settings.audience.as_deref(),
        typ: token::ACCESS,
        uid: &uid,
        dialect,
        generation: user.generation,
        jti: id,
        issued,
        lifetime,
    })?;
    let jti = base64url::encode(&id);
    audit(op, "token.issue", &uid, &jti);
    Ok(Issued { token, jti })
}

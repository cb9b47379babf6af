//! Keys as JSON web keys, for those who ask for them (RFC 7517).

use super::audit;
use crate::{
    record::SigningKey,
    seam::{Op, Stop},
    token::Jwk,
};
use alloc::{string::String, vec::Vec};
use core::fmt::Display;
use zeroize::Zeroizing;

/// The public keys that verify, those included that sign later. Secrets have no public part and are left out.
pub(crate) fn published_keys(op: &Op<'_>) -> Vec<String> {
    let lasting = op.vault.keys().iter().filter(|(key, _)| key.lasts_at(op.now()));
    lasting.filter_map(|(key, _)| Jwk::write_public(key)).collect()
}

/// A stored key with its secret or private part, which is audited.
///
/// # Errors
/// [`Refusal::BadRecord`](crate::refusal::Refusal::BadRecord).
pub(crate) fn export_key(op: &Op<'_>, actor: &dyn Display, key: &SigningKey) -> Result<Zeroizing<String>, Stop> {
    let opened = op.vault.open_key(key)?;
    audit(op, "key.export", actor, &key.kid);
    Ok(Jwk::write(&opened))
}

/// The public part of a stored key; secrets have none.
///
/// # Errors
/// [`Refusal::BadRecord`](crate::refusal::Refusal::BadRecord).
pub(crate) fn public_part(op: &Op<'_>, key: &SigningKey) -> Result<Option<String>, Stop> {
    Ok(Jwk::write_public(&op.vault.open_key(key)?))
}

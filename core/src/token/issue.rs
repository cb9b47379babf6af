//! New tokens (security T11).

use super::{ACCESS, Key, base64url, digits, json};
use crate::{lifetime::Lifetime, refusal::Refusal, time::UnixTime};
use alloc::{string::String, vec::Vec};

/// The claims of a token to issue.
#[derive(Clone, Copy, Debug)]
pub struct NewClaims<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: Option<&'a str>,
    /// `typ` of the header; [`ACCESS`] for a login.
    pub typ: &'a str,
    /// `sub` and `uid`.
    pub uid: &'a str,
    /// `dialect`.
    pub dialect: &'a str,
    /// `gen`.
    pub generation: u32,
    /// `jti`: 128 random bits.
    pub jti: [u8; 16],
    /// `iat`, in whole seconds.
    pub issued: UnixTime,
    /// `exp` minus `iat`.
    pub lifetime: Lifetime,
}

pub(super) fn token(key: &Key, new: &NewClaims<'_>) -> Result<String, Refusal> {
    compact(key, new.typ, &claims(new))
}

/// Header, `claims` and signature.
///
/// # Errors
/// [`Refusal::NoSigningKey`] for a key that cannot sign.
pub(super) fn compact(key: &Key, typ: &str, claims: &[u8]) -> Result<String, Refusal> {
    let other_header;
    let header = if typ == ACCESS {
        key.header()
    } else {
        other_header = key.header_for(typ);
        &other_header
    };
    let mut token = Vec::with_capacity(header.len() + base64url::encoded_len(claims.len()) + 2 + 86);
    token.extend_from_slice(header.as_bytes());
    token.push(b'.');
    base64url::append(claims, &mut token);
    key.sign(&mut token)?;
    Ok(base64url::into_text(token))
}

fn claims(new: &NewClaims<'_>) -> Vec<u8> {
    let issued = new.issued.as_secs();
    let expires = issued.saturating_add(new.lifetime.as_secs().into());
    let texts = new.issuer.len() + new.audience.map_or(0, str::len) + 2 * new.uid.len() + new.dialect.len();
    let mut out = Vec::with_capacity(192 + texts);
    out.extend_from_slice(b"{\"iss\":\"");
    json::append_text(new.issuer, &mut out);
    if let Some(audience) = new.audience {
        out.extend_from_slice(b"\",\"aud\":\"");
        json::append_text(audience, &mut out);
    }
    out.extend_from_slice(b"\",\"sub\":\"");
    json::append_text(new.uid, &mut out);
    out.extend_from_slice(b"\",\"iat\":");
    digits::append(issued, &mut out);
    out.extend_from_slice(b",\"exp\":");
    digits::append(expires, &mut out);
    out.extend_from_slice(b",\"jti\":\"");
    base64url::append(&new.jti, &mut out);
    out.extend_from_slice(b"\",\"uid\":\"");
    json::append_text(new.uid, &mut out);
    out.extend_from_slice(b"\",\"gen\":");
    digits::append(new.generation.into(), &mut out);
    out.extend_from_slice(b",\"dialect\":\"");
    json::append_text(new.dialect, &mut out);
    out.extend_from_slice(b"\"}");
    out
}

//! New tokens (security T11).

use super::{ACCESS, Key, base64url, json};
use crate::{lifetime::Lifetime, time::UnixTime};
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

pub(super) fn token(key: &Key, new: &NewClaims<'_>) -> String {
    let claims = claims(new);
    let other_header;
    let header = if new.typ == ACCESS {
        key.header()
    } else {
        other_header = key.header_for(new.typ);
        &other_header
    };
    let mut token = String::with_capacity(header.len() + base64url::encoded_len(claims.len()) + 2 + 86);
    token.push_str(header);
    token.push('.');
    base64url::append(&claims, &mut token);
    key.sign(&mut token);
    token
}

fn claims(new: &NewClaims<'_>) -> Vec<u8> {
    let issued = new.issued.as_secs();
    let expires = issued.saturating_add(new.lifetime.as_secs().into());
    let texts = new.issuer.len() + new.audience.map_or(0, str::len) + 2 * new.uid.len() + new.dialect.len();
    let mut out = Vec::with_capacity(192 + texts);
    out.extend_from_slice(b"{\"iss\":");
    json::append_string(new.issuer, &mut out);
    if let Some(audience) = new.audience {
        out.extend_from_slice(b",\"aud\":");
        json::append_string(audience, &mut out);
    }
    out.extend_from_slice(b",\"sub\":");
    json::append_string(new.uid, &mut out);
    out.extend_from_slice(b",\"iat\":");
    append_number(issued, &mut out);
    out.extend_from_slice(b",\"exp\":");
    append_number(expires, &mut out);
    out.extend_from_slice(b",\"jti\":");
    json::append_string(&base64url::encode(&new.jti), &mut out);
    out.extend_from_slice(b",\"uid\":");
    json::append_string(new.uid, &mut out);
    out.extend_from_slice(b",\"gen\":");
    append_number(new.generation.into(), &mut out);
    out.extend_from_slice(b",\"dialect\":");
    json::append_string(new.dialect, &mut out);
    out.push(b'}');
    out
}

fn append_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut start = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        start = at;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

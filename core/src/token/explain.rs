//! A token laid open, for people: what it says, and why it holds or not.

use super::{
    KeySet, Profile, Unverified,
    claims::{Claim, Claims},
    json::Field,
};
use crate::time::UnixTime;
use alloc::string::String;
use serde::Serialize;
use serde_json::Value;

/// A token laid open. What stands in it is only as good as the verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Whether [`KeySet::verify`] accepts the token.
    pub accepted: bool,
    /// Whether the signature holds, whatever the claims say.
    pub signed: bool,
    /// The stable code of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The verdict as one plain sentence without a full stop.
    pub sentence: &'static str,
    /// The header, as far as it can be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Part>,
    /// The claims, as far as they can be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Part>,
    /// `iat` in RFC 3339, if the claims can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<String>,
    /// `nbf` in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// `exp` in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whole seconds from now to `exp`, leeway not counted; negative after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<i64>,
}

/// A decoded part of a token.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Part {
    /// It is JSON.
    Json(Value),
    /// It is not, or not as strict as a token must be: the text, with stand-ins for what is not UTF-8.
    Text(String),
}

impl KeySet {
    /// Lays a token open. The verdict is that of [`KeySet::verify`], by the same checks.
    pub fn explain(&self, token: &str, profile: &Profile<'_>, now: UnixTime) -> Explanation {
        let verdict = self.verify(token, profile, now);
        let parts = Unverified::parse(token).ok();
        let claims = parts.and_then(|parts| parts.payload().ok());
        let claims_text = claims.as_deref().and_then(|octets| core::str::from_utf8(octets).ok());
        let read = claims_text.and_then(|text| Claims::read(text).ok());
        let time = |claim| read.as_ref().map_or(Field::Absent, |read| read.time(claim));
        Explanation {
            accepted: verdict.is_ok(),
            signed: parts.is_some_and(|parts| parts.check(self).is_ok()),
            code: verdict.as_ref().err().map(|refusal| refusal.code()),
            sentence: verdict.as_ref().err().map_or("the token holds", |refusal| refusal.sentence()),
            header: parts.and_then(|parts| parts.header().ok()).map(|octets| part(&octets)),
            issued: rfc3339(time(Claim::Iat)),
            not_before: rfc3339(time(Claim::Nbf)),
            expires: rfc3339(time(Claim::Exp)),
            seconds_left: seconds_left(time(Claim::Exp), now),
            claims: claims.as_deref().map(part),
        }
    }
}

/// What a strict reader takes is shown as JSON; anything else as text, so that nothing (a repeated name, say) is hidden.
fn part(octets: &[u8]) -> Part {
    let strict = core::str::from_utf8(octets).ok().filter(|text| super::json::object(text, &[]).is_ok());
    match strict.and_then(|text| serde_json::from_slice(text.as_bytes()).ok()) {
        Some(json) => Part::Json(json),
        None => Part::Text(String::from_utf8_lossy(octets).into_owned()),
    }
}

fn rfc3339(time: Field<i64>) -> Option<String> {
    use alloc::string::ToString;
    match time {
        Field::Is(millis) => u64::try_from(millis).ok().map(|millis| UnixTime::from_millis(millis).to_string()),
        Field::Absent | Field::Wrong => None,
    }
}

fn seconds_left(exp: Field<i64>, now: UnixTime) -> Option<i64> {
    match exp {
        Field::Is(exp) => Some(exp.saturating_sub(i64::try_from(now.as_millis()).ok()?).div_euclid(1000)),
        Field::Absent | Field::Wrong => None,
    }
}

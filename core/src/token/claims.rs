//! The claims of a payload (RFC 7519, 4) and their checks.

use super::{
    MAX_LEEWAY, Profile, Refusal,
    json::{self, Field, Name, Text, Value},
    numeric_date,
};
use crate::time::UnixTime;

/// The claims that decide or are handed on; all others are ignored.
pub(super) struct Claims<'j> {
    json: &'j str,
    found: [Option<Value>; COUNT],
}

/// A claim, by its place among [`NAMES`]: in the order of our own tokens, as that is found the fastest.
#[derive(Clone, Copy)]
pub(super) enum Claim {
    Iss,
    Aud,
    Sub,
    Iat,
    Exp,
    Jti,
    Uid,
    Gen,
    Dialect,
    Nbf,
}

const COUNT: usize = 10;
const NAMES: [Name; COUNT] = [
    Name::new(b"iss"),
    Name::new(b"aud"),
    Name::new(b"sub"),
    Name::new(b"iat"),
    Name::new(b"exp"),
    Name::new(b"jti"),
    Name::new(b"uid"),
    Name::new(b"gen"),
    Name::new(b"dialect"),
    Name::new(b"nbf"),
];

impl<'j> Claims<'j> {
    /// Reads a decoded payload; wrong types are found by the checks.
    ///
    /// # Errors
    /// [`Refusal::BadClaimsJson`].
    pub(super) fn read(json: &'j str) -> Result<Self, Refusal> {
        let found = json::object(json, &NAMES).map_err(|_| Refusal::BadClaimsJson)?;
        Ok(Self { json, found })
    }

    /// A claim that must be a string.
    pub(super) fn text(&self, claim: Claim) -> Field<Text> {
        Field::text(self.found[claim as usize])
    }

    /// A claim that must be a time, in milliseconds since the epoch.
    pub(super) fn time(&self, claim: Claim) -> Field<i64> {
        self.number(claim, numeric_date::millis)
    }

    /// `gen`, which must be a whole number.
    pub(super) fn generation(&self) -> Field<u32> {
        self.number(Claim::Gen, whole)
    }

    fn number<T>(&self, claim: Claim, read: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        Field::new(self.found[claim as usize], |value| {
            if let Value::Number(span) = value { read(span.of(self.json)) } else { None }
        })
    }

    /// Decides the times at `now`; returns `exp` and `iat` (security T8).
    pub(super) fn check_times(&self, leeway: u32, now: UnixTime) -> Result<(i64, Option<i64>), Refusal> {
        let (now, leeway) = millis(now, leeway);
        let exp = required(self.time(Claim::Exp), Refusal::MissingExp, Refusal::BadExp)?;
        if now >= exp + leeway {
            return Err(Refusal::Expired);
        }
        if optional(self.time(Claim::Nbf), Refusal::BadNbf)?.is_some_and(|nbf| now < nbf - leeway) {
            return Err(Refusal::NotYetValid);
        }
        let iat = optional(self.time(Claim::Iat), Refusal::BadIat)?;
        if iat.is_some_and(|iat| now < iat - leeway) {
            return Err(Refusal::IssuedInFuture);
        }
        Ok((exp, iat))
    }

    /// Decides whom the token is from and for; returns `sub` (security T6).
    pub(super) fn check_parties(&self, profile: &Profile<'_>) -> Result<Text, Refusal> {
        match self.text(Claim::Iss) {
            Field::Is(iss) if iss.is(self.json, profile.issuer) => {}
            _ => return Err(Refusal::WrongIssuer),
        }
        match (self.found[Claim::Aud as usize], profile.audience) {
            (None, None) => {}
            (Some(aud), expected) if names(self.json, aud, expected)? => {}
            _ => return Err(Refusal::WrongAudience),
        }
        match self.text(Claim::Sub) {
            Field::Is(sub) if !sub.is_empty() => Ok(sub),
            _ => Err(Refusal::BadSubject),
        }
    }
}

/// Clock and leeway in milliseconds. The times of a token are within 10^18 of the epoch, so that a leeway more or less is still an
/// `i64`; a driver's absurd clock saturates.
pub(super) fn millis(now: UnixTime, leeway: u32) -> (i64, i64) {
    (i64::try_from(now.as_millis()).unwrap_or(i64::MAX), i64::from(leeway.min(MAX_LEEWAY)) * 1000)
}

/// What must be there and of the right type.
pub(super) fn required<T>(field: Field<T>, absent: Refusal, wrong: Refusal) -> Result<T, Refusal> {
    match field {
        Field::Is(value) => Ok(value),
        Field::Absent => Err(absent),
        Field::Wrong => Err(wrong),
    }
}

/// What may be absent but must be of the right type: a wrong one is never taken as absent (security T8).
pub(super) fn optional<T>(field: Field<T>, wrong: Refusal) -> Result<Option<T>, Refusal> {
    match field {
        Field::Is(value) => Ok(Some(value)),
        Field::Absent => Ok(None),
        Field::Wrong => Err(wrong),
    }
}

/// The whole number that these digits, and nothing but digits, stand for.
fn whole(digits: &str) -> Option<u32> {
    digits.bytes().try_fold(0_u32, |sum, digit| {
        sum.checked_mul(10)?.checked_add(digit.is_ascii_digit().then_some(digit & 15)?.into())
    })
}

/// Whether an `aud`, a string or an array of strings, contains `expected` (RFC 7519, 4.1.3).
fn names(json: &str, aud: Value, expected: Option<&str>) -> Result<bool, Refusal> {
    match aud {
        Value::Text(name) => Ok(expected.is_some_and(|expected| name.is(json, expected))),
        Value::Array(array) => {
            let array = array.of(json);
            let (mut all_text, mut found) = (true, false);
            let each = |value| match value {
                Value::Text(name) => found |= expected.is_some_and(|expected| name.is(array, expected)),
                _ => all_text = false,
            };
            json::elements(array, each).map_err(|_| Refusal::BadAudience)?;
            if all_text { Ok(found) } else { Err(Refusal::BadAudience) }
        }
        Value::Number(_) | Value::Other => Err(Refusal::BadAudience),
    }
}

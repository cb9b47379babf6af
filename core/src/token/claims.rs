//! The claims of a payload (RFC 7519, 4) and their checks.

use super::{
    MAX_LEEWAY, Profile, Refusal,
    json::{self, Field, Text, Value},
    numeric_date,
};
use crate::time::UnixTime;

/// The claims that decide or are handed on; all others are ignored. Times in milliseconds since the epoch.
#[derive(Default)]
pub(super) struct Claims<'j> {
    json: &'j str,
    pub(super) iss: Field<Text>,
    pub(super) aud: Field<Value>,
    pub(super) sub: Field<Text>,
    pub(super) exp: Field<i64>,
    pub(super) nbf: Field<i64>,
    pub(super) iat: Field<i64>,
    pub(super) jti: Field<Text>,
    pub(super) uid: Field<Text>,
    pub(super) generation: Field<u32>,
    pub(super) dialect: Field<Text>,
}

const NAMES: [&str; 10] = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "uid", "gen", "dialect"];
const ISS: usize = 0;
const AUD: usize = 1;
const SUB: usize = 2;
const EXP: usize = 3;
const NBF: usize = 4;
const IAT: usize = 5;
const JTI: usize = 6;
const UID: usize = 7;
const GEN: usize = 8;

impl<'j> Claims<'j> {
    /// Reads a decoded payload; wrong types are kept as such for the checks.
    ///
    /// # Errors
    /// [`Refusal::BadClaimsJson`].
    pub(super) fn read(json: &'j str) -> Result<Self, Refusal> {
        let mut claims = Self { json, ..Self::default() };
        json::object(json, &NAMES, |name, value| claims.set(name, value)).map_err(|_| Refusal::BadClaimsJson)?;
        Ok(claims)
    }

    fn set(&mut self, name: usize, value: Value) {
        match name {
            ISS => self.iss = Field::text(value),
            AUD => self.aud = Field::Is(value),
            SUB => self.sub = Field::text(value),
            EXP => self.exp = time(self.json, value),
            NBF => self.nbf = time(self.json, value),
            IAT => self.iat = time(self.json, value),
            JTI => self.jti = Field::text(value),
            UID => self.uid = Field::text(value),
            GEN => self.generation = generation(self.json, value),
            _ => self.dialect = Field::text(value),
        }
    }

    /// Decides the times at `now`; returns `exp` and `iat` (security T8).
    pub(super) fn check_times(&self, leeway: u32, now: UnixTime) -> Result<(i64, Option<i64>), Refusal> {
        // Times are below 10^18, so nothing here comes near the end of an i64 but a driver's absurd clock: that saturates.
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let leeway = i64::from(leeway.min(MAX_LEEWAY)) * 1000;
        let exp = required(self.exp, Refusal::MissingExp, Refusal::BadExp)?;
        if now >= exp.saturating_add(leeway) {
            return Err(Refusal::Expired);
        }
        if optional(self.nbf, Refusal::BadNbf)?.is_some_and(|nbf| now < nbf.saturating_sub(leeway)) {
            return Err(Refusal::NotYetValid);
        }
        let iat = optional(self.iat, Refusal::BadIat)?;
        if iat.is_some_and(|iat| iat > now.saturating_add(leeway)) {
            return Err(Refusal::IssuedInFuture);
        }
        Ok((exp, iat))
    }

    /// Decides whom the token is from and for; returns `sub` (security T6).
    pub(super) fn check_parties(&self, profile: &Profile<'_>) -> Result<Text, Refusal> {
        match self.iss {
            Field::Is(iss) if iss.is(self.json, profile.issuer) => {}
            _ => return Err(Refusal::WrongIssuer),
        }
        match (self.aud, profile.audience) {
            (Field::Absent, None) => {}
            (Field::Is(aud), expected) if names(self.json, aud, expected)? => {}
            _ => return Err(Refusal::WrongAudience),
        }
        match self.sub {
            Field::Is(sub) if !sub.is_empty() => Ok(sub),
            _ => Err(Refusal::BadSubject),
        }
    }
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

fn time(json: &str, value: Value) -> Field<i64> {
    match value {
        Value::Number(number) => numeric_date::millis(number.of(json)).map_or(Field::Wrong, Field::Is),
        _ => Field::Wrong,
    }
}

fn generation(json: &str, value: Value) -> Field<u32> {
    match value {
        Value::Number(number) => whole(number.of(json)).map_or(Field::Wrong, Field::Is),
        _ => Field::Wrong,
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

//! A token that holds in every respect.

use super::{
    Profile, Refusal,
    claims::{Claim, Claims, optional, required},
    json::Text,
};
use crate::{record::Uid, time::UnixTime};
use alloc::{borrow::Cow, string::String};

/// The claims of a token whose signature, times and profile hold. Only verification makes one; where a token is to be ended, inside this
/// crate, also one of which only the signature holds.
#[derive(Clone, Debug)]
pub struct Verified {
    json: String,
    subject: Text,
    jti: Option<Text>,
    uid: Option<Text>,
    dialect: Option<Text>,
    generation: Option<u32>,
    issued: Option<UnixTime>,
    expires: UnixTime,
}

impl Verified {
    /// Decides the signed claims `json`; `kind` says whether `typ` is the expected one.
    pub(super) fn check(json: String, kind: bool, profile: &Profile<'_>, now: UnixTime) -> Result<Self, Refusal> {
        Self::read(json, |claims| {
            if !kind {
                return Err(Refusal::WrongTyp);
            }
            let (exp, iat) = claims.check_times(profile.leeway, now)?;
            Ok((exp, iat, claims.check_parties(profile)?))
        })
    }

    /// Reads the signed claims `json`, whatever they say of times and parties.
    pub(super) fn unchecked(json: String) -> Result<Self, Refusal> {
        Self::read(json, |claims| {
            let exp = required(claims.time(Claim::Exp), Refusal::MissingExp, Refusal::BadExp)?;
            Ok((exp, None, required(claims.text(Claim::Sub), Refusal::BadSubject, Refusal::BadSubject)?))
        })
    }

    /// A copy for each of its two callers: the small modules have but one, and carry nothing of the other.
    fn read(
        json: String,
        check: impl FnOnce(&Claims<'_>) -> Result<(i64, Option<i64>, Text), Refusal>,
    ) -> Result<Self, Refusal> {
        let claims = Claims::read(&json)?;
        let (exp, iat, subject) = check(&claims)?;
        let jti = optional(claims.text(Claim::Jti), Refusal::BadJti)?;
        let uid = optional(claims.text(Claim::Uid), Refusal::BadPrivateClaim)?;
        let dialect = optional(claims.text(Claim::Dialect), Refusal::BadPrivateClaim)?;
        let generation = optional(claims.generation(), Refusal::BadPrivateClaim)?;
        Ok(Self { subject, jti, uid, dialect, generation, issued: iat.map(unix_time), expires: unix_time(exp), json })
    }

    /// This token, which ends with its key at the latest.
    pub(super) fn within(mut self, until: Option<UnixTime>) -> Self {
        if let Some(until) = until {
            self.expires = self.expires.min(until);
        }
        self
    }

    /// `sub`; never empty.
    pub fn subject(&self) -> Cow<'_, str> {
        self.subject.meant(&self.json)
    }

    /// `jti`.
    pub fn jti(&self) -> Option<Cow<'_, str>> {
        self.jti.map(|text| text.meant(&self.json))
    }

    /// `uid`, the number of the user as text.
    pub fn uid(&self) -> Option<Cow<'_, str>> {
        self.uid.map(|text| text.meant(&self.json))
    }

    /// Whose it is, if `uid` is the number of a user.
    pub fn owner(&self) -> Option<Uid> {
        Uid::parse(&self.uid()?)
    }

    /// `dialect`, which dialect the token was asked for in.
    pub fn dialect(&self) -> Option<Cow<'_, str>> {
        self.dialect.map(|text| text.meant(&self.json))
    }

    /// `gen`, the user's generation when the token was issued.
    pub fn generation(&self) -> Option<u32> {
        self.generation
    }

    /// `iat`; parts of a millisecond are rounded up, times before the epoch are the epoch.
    pub fn issued(&self) -> Option<UnixTime> {
        self.issued
    }

    /// `exp`, without leeway, rounded like [`Verified::issued`]; or when its key stops verifying, if that is earlier, which is so for no
    /// token that was issued here.
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// All claims as they were signed: one JSON object.
    pub fn claims_json(&self) -> &str {
        &self.json
    }
}

fn unix_time(millis: i64) -> UnixTime {
    UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
}

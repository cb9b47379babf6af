//! A token that holds in every respect.

use super::{
    Profile, Refusal,
    claims::{Claims, optional},
    json::Text,
};
use crate::time::UnixTime;
use alloc::string::String;
use core::ops::Range;

/// The claims of a token whose signature, times and profile hold. Only verification makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The payload; what had escapes is appended to it unescaped.
    text: String,
    /// Where the payload ends in `text`.
    payload: usize,
    subject: Range<usize>,
    jti: Option<Range<usize>>,
    uid: Option<Range<usize>>,
    dialect: Option<Range<usize>>,
    generation: Option<u32>,
    issued: Option<UnixTime>,
    expires: UnixTime,
}

impl Verified {
    /// Decides the signed claims `json`; `kind` says whether `typ` is the expected one.
    pub(super) fn check(json: String, kind: bool, profile: &Profile<'_>, now: UnixTime) -> Result<Self, Refusal> {
        let claims = Claims::read(&json)?;
        if !kind {
            return Err(Refusal::WrongTyp);
        }
        let (exp, iat) = claims.check_times(profile.leeway, now)?;
        let subject = claims.check_parties(profile)?;
        let jti = optional(claims.jti, Refusal::BadJti)?;
        let uid = optional(claims.uid, Refusal::BadPrivateClaim)?;
        let generation = optional(claims.generation, Refusal::BadPrivateClaim)?;
        let dialect = optional(claims.dialect, Refusal::BadPrivateClaim)?;
        let [subject, jti, uid, dialect] = [Some(subject), jti, uid, dialect].map(|text| text.map(Place::of));
        let payload = json.len();
        let mut text = json;
        Ok(Self {
            payload,
            subject: subject.map_or(0..0, |place| place.settle(&mut text)),
            jti: jti.map(|place| place.settle(&mut text)),
            uid: uid.map(|place| place.settle(&mut text)),
            dialect: dialect.map(|place| place.settle(&mut text)),
            generation,
            issued: iat.map(unix_time),
            expires: unix_time(exp),
            text,
        })
    }

    /// `sub`; never empty.
    pub fn subject(&self) -> &str {
        self.at(&self.subject)
    }

    /// `jti`.
    pub fn jti(&self) -> Option<&str> {
        self.jti.as_ref().map(|range| self.at(range))
    }

    /// `uid`, the number of the user as text.
    pub fn uid(&self) -> Option<&str> {
        self.uid.as_ref().map(|range| self.at(range))
    }

    /// `dialect`, which dialect the token was asked for in.
    pub fn dialect(&self) -> Option<&str> {
        self.dialect.as_ref().map(|range| self.at(range))
    }

    /// `gen`, the user's generation when the token was issued.
    pub fn generation(&self) -> Option<u32> {
        self.generation
    }

    /// `iat`; parts of a millisecond are rounded up, times before the epoch are the epoch.
    pub fn issued(&self) -> Option<UnixTime> {
        self.issued
    }

    /// `exp`, without leeway; rounded like [`Verified::issued`].
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// All claims as they were signed: one JSON object.
    pub fn claims_json(&self) -> &str {
        self.at(&(0..self.payload))
    }

    fn at(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

/// Where a string stands in the payload, or what it is if it does not stand there as such.
enum Place {
    There(Range<usize>),
    Unescaped(String),
}

impl Place {
    fn of(text: Text<'_>) -> Self {
        if text.escaped { Self::Unescaped(text.unescape()) } else { Self::There(text.start..text.start + text.raw.len()) }
    }

    fn settle(self, text: &mut String) -> Range<usize> {
        match self {
            Self::There(range) => range,
            Self::Unescaped(string) => {
                let start = text.len();
                text.push_str(&string);
                start..text.len()
            }
        }
    }
}

fn unix_time(millis: i64) -> UnixTime {
    UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
}

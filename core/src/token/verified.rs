//! A token that holds in every respect.

use super::{
    Profile, Refusal,
    claims::{Claims, optional},
    json::{Span, Text},
};
use crate::time::UnixTime;
use alloc::string::String;

/// The claims of a token whose signature, times and profile hold. Only verification makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The payload; what had escapes is appended to it unescaped.
    text: String,
    payload: Span,
    subject: Span,
    jti: Option<Span>,
    uid: Option<Span>,
    dialect: Option<Span>,
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
        let mut unescaped = String::new();
        let mut span = |text: Text| {
            text.plain().unwrap_or_else(|| {
                let start = json.len() + unescaped.len();
                unescaped.push_str(&text.meant(&json));
                Span::new(start, json.len() + unescaped.len())
            })
        };
        let verified = Self {
            text: String::new(),
            payload: Span::new(0, json.len()),
            subject: span(subject),
            jti: optional(claims.jti, Refusal::BadJti)?.map(&mut span),
            uid: optional(claims.uid, Refusal::BadPrivateClaim)?.map(&mut span),
            dialect: optional(claims.dialect, Refusal::BadPrivateClaim)?.map(&mut span),
            generation: optional(claims.generation, Refusal::BadPrivateClaim)?,
            issued: iat.map(unix_time),
            expires: unix_time(exp),
        };
        Ok(Self { text: if unescaped.is_empty() { json } else { json + &unescaped }, ..verified })
    }

    /// `sub`; never empty.
    pub fn subject(&self) -> &str {
        self.at(self.subject)
    }

    /// `jti`.
    pub fn jti(&self) -> Option<&str> {
        self.jti.map(|span| self.at(span))
    }

    /// `uid`, the number of the user as text.
    pub fn uid(&self) -> Option<&str> {
        self.uid.map(|span| self.at(span))
    }

    /// `dialect`, which dialect the token was asked for in.
    pub fn dialect(&self) -> Option<&str> {
        self.dialect.map(|span| self.at(span))
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
        self.at(self.payload)
    }

    fn at(&self, span: Span) -> &str {
        span.of(&self.text)
    }
}

fn unix_time(millis: i64) -> UnixTime {
    UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
}

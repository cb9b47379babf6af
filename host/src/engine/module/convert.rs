//! The component's types to core's and back, as `engine.wit` has them.

use super::{super::names::name, Fault, wit};
use core::net::IpAddr;
use waxseal_core::{
    password::Scheme,
    seam::{
        Ask, Check, Commit, Derivation, Done, Event, Expect, Moment, Outcome, Peer, Range, Record, RecordKey, Response,
        Version, Write,
    },
    time::UnixTime,
};
use zeroize::Zeroizing;

impl<'a> From<&'a Moment> for wit::Moment<'a> {
    fn from(Moment { now, order, entropy, peer }: &'a Moment) -> Self {
        Self {
            now_millis: now.as_millis(),
            order: *order,
            entropy: entropy.as_ref().map(|entropy| words(entropy.as_bytes())),
            peer: peer.into(),
        }
    }
}

fn words(octets: &[u8; 32]) -> (u64, u64, u64, u64) {
    let mut words = octets.chunks_exact(8).map(|word| word.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)));
    let mut word = || words.next().unwrap_or_default();
    (word(), word(), word(), word())
}

impl<'a> From<&'a Peer> for wit::Peer<'a> {
    fn from(Peer { address, local, secure, host }: &'a Peer) -> Self {
        Self { address: address.map(Into::into), local: *local, secure: *secure, host: host.as_deref() }
    }
}

impl From<IpAddr> for wit::Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                #[expect(clippy::cast_possible_truncation, reason = "takes the lower half")]
                let halves = ((address.to_bits() >> 64) as u64, address.to_bits() as u64);
                Self::V6(halves)
            }
        }
    }
}

pub(super) fn keyed((key, record): &(RecordKey, Record)) -> (&str, wit::Stored<'_>) {
    (key.as_str(), record.into())
}

impl<'a> From<&'a Record> for wit::Stored<'a> {
    fn from(Record { version, value }: &'a Record) -> Self {
        Self { version: version.0, value }
    }
}

impl From<wit::Ask> for Ask {
    fn from(wit::Ask { keys, ranges, derive }: wit::Ask) -> Self {
        Self {
            keys: keys.into_iter().map(RecordKey::from_stored).collect(),
            ranges: ranges.into_iter().map(Into::into).collect(),
            derive: derive.map(Into::into),
        }
    }
}

impl From<wit::Range> for Range {
    fn from(wit::Range { prefix, after, limit }: wit::Range) -> Self {
        Self { prefix, after, limit }
    }
}

impl From<wit::Derivation> for Derivation {
    fn from(wit::Derivation { scheme, salt, password }: wit::Derivation) -> Self {
        let scheme = match scheme {
            wit::Scheme::Argon2id(wit::Argon2id { memory, passes, lanes }) => Scheme::Argon2id { memory, passes, lanes },
            wit::Scheme::Pbkdf2Sha256(iterations) => Scheme::Pbkdf2Sha256 { iterations },
        };
        Self { scheme, salt, password: Zeroizing::new(password) }
    }
}

impl TryFrom<wit::Done> for Done {
    type Error = Fault;

    fn try_from(wit::Done { response, commit, events, token_refusal }: wit::Done) -> Result<Self, Fault> {
        let events = events.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let token_refusal = token_refusal.map(|code| name(&code).ok_or(Fault::Malformed("refusal"))).transpose()?;
        Ok(Self { response: response.try_into()?, commit: commit.into(), events, token_refusal })
    }
}

impl TryFrom<wit::Response> for Response {
    type Error = Fault;

    fn try_from(wit::Response { status, headers, body }: wit::Response) -> Result<Self, Fault> {
        if !(200..=599).contains(&status) {
            return Err(Fault::Malformed("status"));
        }
        let named = |(header, value): (String, String)| Some((name(&header)?, value));
        let headers = headers.into_iter().map(named).collect::<Option<_>>().ok_or(Fault::Malformed("header name"))?;
        Ok(Self { status, headers, body })
    }
}

impl From<wit::Commit> for Commit {
    fn from(wit::Commit { checks, writes }: wit::Commit) -> Self {
        let check = |wit::Check { key, version }| Check { key: RecordKey::from_stored(key), version: Version(version) };
        Self { checks: checks.into_iter().map(check).collect(), writes: writes.into_iter().map(Into::into).collect() }
    }
}

impl From<wit::Write> for Write {
    fn from(wit::Write { key, expect, value, expires_millis }: wit::Write) -> Self {
        let expect = expect.map_or(Expect::Any, |version| Expect::Version(Version(version)));
        Self { key: RecordKey::from_stored(key), expect, value, expires: expires_millis.map(UnixTime::from_millis) }
    }
}

impl TryFrom<wit::Event> for Event {
    type Error = Fault;

    fn try_from(event: wit::Event) -> Result<Self, Fault> {
        let wit::Event { action, actor, subject, detail, refused, reason, dialect } = event;
        let name = |text: String| name(&text).ok_or(Fault::Malformed("event"));
        let outcome = if refused { Outcome::Refused } else { Outcome::Success };
        Ok(Self { action: name(action)?, actor, subject, detail, outcome, reason: name(reason)?, dialect: name(dialect)? })
    }
}

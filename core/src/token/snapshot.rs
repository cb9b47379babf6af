//! Revocation snapshots: what a verifier elsewhere must know to refuse what the issuer refuses (security E3).
//!
//! A snapshot is a JWS of its own kind, signed with a public key, over one JSON object:
//!
//! | member | |
//! |---|---|
//! | `iss` | the issuer |
//! | `iat`, `exp` | when it was made, and when it is too old to go by |
//! | `num` | its number; a later snapshot has a higher one |
//! | `keys` | the `kid`s of the keys that verify now |
//! | `tokens` | revoked tokens: base64url of 12 octets each, the start of the SHA-256 of their `jti`; for a `jti` that is longer than 64 octets, not all printable ASCII, or begins with `#`: the start of the SHA-256 of `#` and the base64url of its SHA-256 |
//! | `users` | ended users: base64url of 8 octets each, `uid` and the oldest `gen` that is good; all ones if none is |
//! | `pairs` | ended Elasticsearch tokens: base64url of 12 octets each, `uid` (0: everybody) and the last second of issue that ended |
//!
//! Numbers are big-endian, entries ascend. The last three members stand at the end and in this order, without whitespace, so that
//! they can be cut off before the rest is read, as our reader takes short texts only; to everybody else it is all JSON.

use super::{
    KeySet, Refusal, Unverified, Verified, base64url,
    claims::{millis, required},
    dialect,
    json::{self, Field, Name, Text, Value},
    numeric_date,
};
use crate::{
    record::{Ended, Uid, key},
    refusal,
    time::UnixTime,
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use sha2::{Digest, Sha256};

/// `typ` of revocation snapshots.
pub const REVOCATIONS: &str = "revocations+jwt";

/// The longest snapshot, in octets: 1 MiB.
pub const MAX_SNAPSHOT: usize = 1 << 20;

/// Octets of an entry in `tokens`, `users` and `pairs`.
const SIZES: [usize; 3] = [12, 8, 12];

/// Why a snapshot is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A check that tokens go through as well says no.
    Refused(Refusal),
    /// `num` is not a whole number, `keys` no array of texts, or a list is not as it should be.
    BadLists,
    /// It is not newer than the one that is held.
    NotNewer,
}

impl SnapshotError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::BadLists => "bad_lists",
            Self::NotNewer => "not_newer",
        }
    }
}

impl From<Refusal> for SnapshotError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(refusal) => refusal.sentence(),
            Self::BadLists => "the number, the keys or the lists of the snapshot are not as they should be",
            Self::NotNewer => "the snapshot is not newer than the one at hand",
        })
    }
}

impl core::error::Error for SnapshotError {}

/// A snapshot whose signature, issuer and times hold. Only [`Snapshot::read`] makes one.
#[derive(Clone, Debug)]
pub struct Snapshot {
    number: u64,
    pub(super) life: Life,
    pub(super) keys: Vec<String>,
    tokens: Vec<u8>,
    users: Vec<u8>,
    pairs: Vec<u8>,
}

/// The span of time in which verifiers may go by a snapshot, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    from: i64,
    until: i64,
}

impl Life {
    pub(super) fn holds(self, now: UnixTime, leeway: u32) -> Result<(), Refusal> {
        let (now, leeway) = millis(now, leeway);
        if now < self.from - leeway {
            return Err(Refusal::IssuedInFuture);
        }
        if now >= self.until + leeway { Err(Refusal::Expired) } else { Ok(()) }
    }
}

impl Snapshot {
    /// Reads and decides a snapshot of `issuer` at `now`. The leeway counts as for tokens.
    ///
    /// # Errors
    /// The first check that fails: those of a token up to [`Refusal::BadSignature`], [`Refusal::KeyNotForVerify`] for keys that are
    /// secrets, [`Refusal::WrongTyp`], [`Refusal::WrongIssuer`], those of its times; [`SnapshotError::BadLists`].
    pub fn read(text: &str, keys: &KeySet, issuer: &str, leeway: u32, now: UnixTime) -> Result<Self, SnapshotError> {
        let unverified = Unverified::parse_within(text, MAX_SNAPSHOT)?;
        if keys.iter().any(|(key, _)| key.algorithm().is_symmetric()) {
            return Err(Refusal::KeyNotForVerify.into());
        }
        let signed = unverified.check(keys)?;
        if !signed.is_of_kind(REVOCATIONS) {
            return Err(Refusal::WrongTyp.into());
        }
        let payload = String::from_utf8(signed.payload()?).map_err(|_| Refusal::BadClaimsJson)?;
        let (head, lists) = split(&payload).ok_or(Refusal::BadClaimsJson)?;
        let head = Head::read(&head)?;
        if !head.is_by(issuer) {
            return Err(Refusal::WrongIssuer.into());
        }
        let from = required(head.iat, Refusal::BadIat, Refusal::BadIat)?;
        let until = required(head.exp, Refusal::MissingExp, Refusal::BadExp)?;
        let life = Life { from, until };
        life.holds(now, leeway)?;
        let mut read = lists.into_iter().zip(SIZES).map(|(text, size)| entries(text, size));
        let mut next = || read.next().flatten().ok_or(SnapshotError::BadLists);
        let (tokens, users, pairs) = (next()?, next()?, next()?);
        let number = head.number().ok_or(SnapshotError::BadLists)?;
        let kids = head.kids().ok_or(SnapshotError::BadLists)?;
        Ok(Self { number, life, keys: kids, tokens, users, pairs })
    }

    /// Its number: of two snapshots the one with the higher number is newer.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether the key of this `kid` verified when it was made.
    pub(super) fn names(&self, kid: &str) -> bool {
        self.keys.iter().any(|known| known == kid)
    }

    /// When it is too old to go by, leeway not counted.
    pub fn expires(&self) -> UnixTime {
        UnixTime::from_millis(u64::try_from(self.life.until).unwrap_or(0))
    }

    /// Refuses what the issuer would refuse for what its store says, with the same reason.
    ///
    /// # Errors
    /// [`TokenForeign`](refusal::Refusal::TokenForeign), [`TokenUserGone`](refusal::Refusal::TokenUserGone),
    /// [`TokenRevoked`](refusal::Refusal::TokenRevoked), [`TokenEnded`](refusal::Refusal::TokenEnded).
    pub fn check(&self, token: &Verified) -> Result<(), refusal::Refusal> {
        let jti = token.jti().ok_or(refusal::Refusal::TokenForeign)?;
        let uid = token.owner().ok_or(refusal::Refusal::TokenUserGone)?;
        let oldest = find::<8>(&self.users, &uid.as_u32().to_be_bytes()).map_or(0, |entry| number_of(&entry));
        if oldest == u64::from(Ended::GONE) {
            return Err(refusal::Refusal::TokenUserGone);
        }
        let revoked = find::<12>(&self.tokens, &digest(&key::revoked(&jti))).is_some();
        if revoked || self.ended_with_others(uid, token) {
            return Err(refusal::Refusal::TokenRevoked);
        }
        match token.generation() {
            Some(generation) if u64::from(generation) >= oldest => Ok(()),
            _ => Err(refusal::Refusal::TokenEnded),
        }
    }

    fn ended_with_others(&self, uid: Uid, token: &Verified) -> bool {
        let issued = token.issued().unwrap_or_default();
        let ended = |whose: u32| {
            let last = find::<12>(&self.pairs, &whose.to_be_bytes()).map(|entry| number_of(&entry));
            // The issuer ends those that were issued up to a millisecond; tokens tell whole seconds.
            last.is_some_and(|last| issued.as_millis() <= last.saturating_mul(1000).saturating_add(999))
        };
        token.dialect().is_some_and(|name| name == dialect::ELASTICSEARCH) && (ended(uid.as_u32()) || ended(0))
    }
}

/// The members before the lists.
struct Head<'j> {
    json: &'j str,
    iss: Field<Text>,
    iat: Field<i64>,
    exp: Field<i64>,
    number: Option<Value>,
    keys: Option<Value>,
}

impl<'j> Head<'j> {
    fn read(json: &'j str) -> Result<Self, Refusal> {
        const NAMES: [Name; 8] = [
            Name::new(b"iss"),
            Name::new(b"iat"),
            Name::new(b"exp"),
            Name::new(b"num"),
            Name::new(b"keys"),
            Name::new(b"tokens"),
            Name::new(b"users"),
            Name::new(b"pairs"),
        ];
        let found = json::object(json, &NAMES).map_err(|_| Refusal::BadClaimsJson)?;
        let [iss, iat, exp, number, keys, tokens, users, pairs] = found;
        // The lists come behind, and once.
        if tokens.or(users).or(pairs).is_some() {
            return Err(Refusal::BadClaimsJson);
        }
        Ok(Self { json, iss: Field::text(iss), iat: time(json, iat), exp: time(json, exp), number, keys })
    }

    fn is_by(&self, issuer: &str) -> bool {
        matches!(self.iss, Field::Is(iss) if iss.is(self.json, issuer))
    }

    /// `num`: digits only, at most 2^53 so that every reader of JSON reads it alike.
    fn number(&self) -> Option<u64> {
        let Some(Value::Number(number)) = self.number else { return None };
        let digits = number.of(self.json);
        let number = digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok())?;
        number.filter(|number| *number <= 1 << 53)
    }

    fn kids(&self) -> Option<Vec<String>> {
        let Some(Value::Array(array)) = self.keys else { return None };
        let array = array.of(self.json);
        let (mut kids, mut all_text) = (Vec::new(), true);
        let each = |value| match value {
            Value::Text(kid) => kids.push(kid.meant(array).into_owned()),
            _ => all_text = false,
        };
        json::elements(array, each).ok()?;
        all_text.then_some(kids)
    }
}

fn time(json: &str, found: Option<Value>) -> Field<i64> {
    Field::new(found, |value| if let Value::Number(number) = value { numeric_date::millis(number.of(json)) } else { None })
}

/// The object without its last three members, and these. A text like `,"tokens":"` stands nowhere within a string of JSON, as the
/// quotes there have a backslash before them.
fn split(payload: &str) -> Option<(String, [&str; 3])> {
    let (head, lists) = payload.split_once(",\"tokens\":\"")?;
    let (tokens, lists) = lists.split_once("\",\"users\":\"")?;
    let (users, pairs) = lists.split_once("\",\"pairs\":\"")?;
    Some(([head, "}"].concat(), [tokens, users, pairs.strip_suffix("\"}")?]))
}

/// A list of entries of `size` octets, each greater than the one before.
fn entries(text: &str, size: usize) -> Option<Vec<u8>> {
    let octets = base64url::decode(text).ok()?;
    let ascends = octets.chunks(size).zip(octets.chunks(size).skip(1)).all(|(one, next)| one < next);
    (octets.len().is_multiple_of(size) && ascends).then_some(octets)
}

/// The entry that starts with `start`.
fn find<const SIZE: usize>(entries: &[u8], start: &[u8]) -> Option<[u8; SIZE]> {
    let (entries, _) = entries.as_chunks::<SIZE>();
    let found = entries.get(entries.partition_point(|entry| entry.as_slice() < start))?;
    found.starts_with(start).then_some(*found)
}

/// The number behind the `uid` of an entry.
fn number_of(entry: &[u8]) -> u64 {
    entry.iter().skip(4).fold(0, |sum, octet| sum << 8 | u64::from(*octet))
}

/// What stands for the token whose revocation is stored under this key.
pub(super) fn digest(stored: &crate::seam::RecordKey) -> [u8; 12] {
    let name = stored.as_str().strip_prefix(key::REVOKED).unwrap_or_default();
    let mut start = [0; 12];
    start.iter_mut().zip(Sha256::digest(name)).for_each(|(to, from)| *to = from);
    start
}

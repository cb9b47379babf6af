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
//! | `tokens` | revoked tokens: base64url of 12 octets each, the start of the SHA-256 of their `jti`; of one that is longer than 64 octets, not all printable ASCII, or begins with `#`: of `#` and the base64url of its SHA-256 |
//! | `users` | ended users: base64url of 8 octets each, `uid` and the oldest `gen` that is good; all ones if none is |
//! | `pairs` | ended Elasticsearch tokens: base64url of 12 octets each, `uid` (0: everybody) and the last second of issue that ended |
//!
//! Numbers are big-endian, entries ascend. The last three members stand at the end and in this order, without whitespace, so that
//! they can be cut off before the rest is read, whose reader knows short texts only; to everybody else it is JSON.

use super::{
    KeySet, MAX_KID, MAX_LEEWAY, Profile, Refusal, Unverified, Verified, base64url,
    claims::required,
    dialect, digits, issue,
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

/// How many tokens a snapshot holds.
const MAX_TOKENS: u32 = if cfg!(test) { 64 } else { 16_384 };
/// How many users a snapshot holds, and how many of them with ended Elasticsearch tokens.
const MAX_USERS: u32 = if cfg!(test) { 64 } else { 16_384 };

/// How long the members before the lists may be, in octets: what the reader of JSON takes. Only names of keys could be as long.
const MAX_HEAD: usize = 60_000;

/// A full one is not too long, twice in base64url.
const _: () =
    assert!((MAX_TOKENS as usize * 12 + MAX_USERS as usize * 20) * 16 / 9 + MAX_HEAD * 4 / 3 + 1000 < MAX_SNAPSHOT);

/// Octets of an entry in `tokens`, `users` and `pairs`.
const SIZES: [usize; 3] = [12, 8, 12];

/// What a new snapshot says.
#[derive(Clone, Debug)]
pub struct NewSnapshot<'a> {
    issuer: &'a str,
    number: u64,
    issued: UnixTime,
    max_age: u32,
    tokens: Vec<[u8; 12]>,
    users: Vec<[u8; 8]>,
    pairs: Vec<[u8; 12]>,
}

impl<'a> NewSnapshot<'a> {
    /// A snapshot that revokes nothing yet: its `iss`, `num` (higher than any before), `iat`, and `exp` minus `iat` in seconds.
    pub fn new(issuer: &'a str, number: u64, issued: UnixTime, max_age: u32) -> Self {
        Self { issuer, number, issued, max_age, tokens: Vec::new(), users: Vec::new(), pairs: Vec::new() }
    }

    /// How many records of one kind are worth reading: one more than a snapshot holds.
    pub(crate) const ENOUGH: u32 = if MAX_TOKENS > MAX_USERS { MAX_TOKENS + 1 } else { MAX_USERS + 1 };

    /// The token whose revocation is stored under this key is refused.
    pub(crate) fn revoke(&mut self, stored: &crate::seam::Key) {
        self.tokens.push(digest(stored));
    }

    /// Tokens of this user are refused if they are older.
    pub(crate) fn end(&mut self, ended: Ended) {
        self.users.push(join(ended.uid.as_u32().to_be_bytes(), ended.generation.to_be_bytes()));
    }

    /// Elasticsearch tokens of this user, or everybody's, are refused if they were issued up to `time`.
    pub(crate) fn end_pairs(&mut self, whose: Option<Uid>, time: UnixTime) {
        self.pairs.push(join(whose.map_or(0, Uid::as_u32).to_be_bytes(), time.as_secs().to_be_bytes()));
    }

    /// `None` when there is more than a snapshot holds.
    fn claims(&mut self, keys: &KeySet) -> Option<Vec<u8>> {
        let (tokens, users) = (MAX_TOKENS as usize, MAX_USERS as usize);
        if self.tokens.len() > tokens || self.users.len() > users || self.pairs.len() > users {
            return None;
        }
        let mut out = Vec::new();
        out.extend_from_slice(b"{\"iss\":");
        json::append_string(self.issuer, &mut out);
        let issued = self.issued.as_secs();
        for (name, number) in [("iat", issued), ("exp", issued.saturating_add(self.max_age.into())), ("num", self.number)] {
            out.push(b',');
            json::append_string(name, &mut out);
            out.push(b':');
            digits::append(number, &mut out);
        }
        out.extend_from_slice(b",\"keys\":[");
        let lasting = keys.iter().filter(|(key, _)| key.lasts_at(self.issued));
        for (index, (key, _)) in lasting.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            json::append_string(key.kid(), &mut out);
        }
        if out.len() > MAX_HEAD {
            return None;
        }
        for (name, octets) in [
            ("],\"tokens\":\"", sorted(&mut self.tokens)),
            ("\",\"users\":\"", sorted(&mut self.users)),
            ("\",\"pairs\":\"", sorted(&mut self.pairs)),
        ] {
            out.extend_from_slice(name.as_bytes());
            base64url::append(octets, &mut out);
        }
        out.extend_from_slice(b"\"}");
        Some(out)
    }
}

impl KeySet {
    /// A new snapshot, signed by the key that signs at its time of issue.
    ///
    /// # Errors
    /// [`NoSigningKey`](refusal::Refusal::NoSigningKey); [`NoPublicKey`](refusal::Refusal::NoPublicKey) when that is a secret;
    /// [`TooManyRevocations`](refusal::Refusal::TooManyRevocations): a snapshot that leaves one out is none.
    pub fn sign_snapshot(&self, mut new: NewSnapshot<'_>) -> Result<String, refusal::Refusal> {
        let signer = self.signer(new.issued).ok_or(refusal::Refusal::NoSigningKey)?;
        if signer.algorithm().is_symmetric() {
            return Err(refusal::Refusal::NoPublicKey);
        }
        let claims = new.claims(self).ok_or(refusal::Refusal::TooManyRevocations)?;
        issue::compact(signer, REVOCATIONS, &claims)
    }
}

/// Why a snapshot is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A check says no that tokens go through as well.
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
    life: Life,
    keys: Vec<String>,
    tokens: Vec<u8>,
    users: Vec<u8>,
    pairs: Vec<u8>,
}

/// From when to when a snapshot may be gone by, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Life(i64, i64);

impl Life {
    fn holds(self, now: UnixTime, leeway: u32) -> Result<(), Refusal> {
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let leeway = i64::from(leeway.min(MAX_LEEWAY)) * 1000;
        if self.0 > now.saturating_add(leeway) {
            return Err(Refusal::IssuedInFuture);
        }
        if now >= self.1.saturating_add(leeway) { Err(Refusal::Expired) } else { Ok(()) }
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
        let iat = required(head.iat, Refusal::BadIat, Refusal::BadIat)?;
        let exp = required(head.exp, Refusal::MissingExp, Refusal::BadExp)?;
        let life = Life(iat, exp);
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
    fn names(&self, kid: &str) -> bool {
        self.keys.iter().any(|known| known == kid)
    }

    /// When it is too old to go by, leeway not counted.
    pub fn expires(&self) -> UnixTime {
        UnixTime::from_millis(u64::try_from(self.life.1).unwrap_or(0))
    }

    /// Refuses what the issuer would refuse for what its store says, with the same reason.
    ///
    /// # Errors
    /// [`TokenForeign`](refusal::Refusal::TokenForeign), [`TokenUserGone`](refusal::Refusal::TokenUserGone),
    /// [`TokenRevoked`](refusal::Refusal::TokenRevoked), [`TokenEnded`](refusal::Refusal::TokenEnded).
    pub fn check(&self, token: &Verified) -> Result<(), refusal::Refusal> {
        let jti = token.jti().ok_or(refusal::Refusal::TokenForeign)?;
        let uid = token.uid().and_then(|uid| Uid::parse(&uid)).ok_or(refusal::Refusal::TokenUserGone)?;
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

/// What a verifier does when its snapshot is too old, or when it has none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Stale {
    /// It refuses every token.
    #[default]
    Refuse,
    /// It goes by what it knows.
    Accept,
}

/// Checks tokens away from their issuer: with public keys and the newest snapshot at hand (security E3).
#[derive(Debug)]
pub struct EdgeVerifier {
    /// What snapshots are checked with.
    keys: KeySet,
    /// Those of them that the snapshot names: what tokens are checked with.
    verifying: KeySet,
    /// The `kid` of each that is gone for good.
    dropped: Vec<String>,
    held: Option<Snapshot>,
    stale: Stale,
}

impl EdgeVerifier {
    /// A verifier with public keys and no snapshot yet.
    ///
    /// # Errors
    /// [`KeyError::MixedSet`](super::KeyError::MixedSet) when a key is a secret: who has one could also make snapshots, so that none
    /// would say anything.
    pub fn new(keys: KeySet, stale: Stale) -> Result<Self, super::KeyError> {
        let keys = public(keys)?;
        Ok(Self { verifying: keys.clone(), keys, dropped: Vec::new(), held: None, stale })
    }

    /// Takes other keys instead: a key set that was fetched again, but for those that are gone for good, as it may come from a cache
    /// that is older than the snapshot. The snapshot stays, and tokens go by the keys that it names.
    ///
    /// # Errors
    /// As [`EdgeVerifier::new`].
    pub fn set_keys(&mut self, keys: KeySet) -> Result<(), super::KeyError> {
        self.keys = public(keys)?;
        self.keys.retain(|kid| !self.dropped.iter().any(|gone| gone == kid));
        self.choose_keys();
        Ok(())
    }

    /// Takes a snapshot if it is good and newer than the one that is held. From then on tokens are checked with the keys that it names,
    /// and a key that the one before named and it does not is gone for good.
    ///
    /// # Errors
    /// Those of [`Snapshot::read`]; [`SnapshotError::NotNewer`].
    pub fn take(&mut self, text: &str, issuer: &str, leeway: u32, now: UnixTime) -> Result<(), SnapshotError> {
        let new = Snapshot::read(text, &self.keys, issuer, leeway, now)?;
        if self.held.as_ref().is_some_and(|held| new.number <= held.number) {
            return Err(SnapshotError::NotNewer);
        }
        // Whether or not they are among the keys at present.
        let before = self.held.as_ref().map_or(&[][..], |held| &held.keys);
        let gone: Vec<String> = before.iter().filter(|kid| !new.names(kid)).cloned().collect();
        self.held = Some(new);
        self.drop_for_good(gone);
        Ok(())
    }

    /// Takes it from another verifier that keys with these names are gone for good. Names that no key can have are left out.
    pub fn drop_for_good(&mut self, kids: Vec<String>) {
        for kid in kids {
            if (1..=MAX_KID).contains(&kid.len()) && !self.dropped.contains(&kid) {
                self.dropped.push(kid);
            }
        }
        self.keys.retain(|kid| !self.dropped.iter().any(|gone| gone == kid));
        self.choose_keys();
    }

    /// The names of keys that are gone for good: a snapshot has named them, and a later one has not.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// What snapshots are checked with: the keys that were given, without those that are gone for good.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The snapshot that is held.
    pub fn held(&self) -> Option<&Snapshot> {
        self.held.as_ref()
    }

    /// Decides everything about a token that the issuer would.
    ///
    /// # Errors
    /// The first refusal, in the issuer's order; [`RevocationsStale`](refusal::Refusal::RevocationsStale) for a token that is otherwise
    /// good as far as the verifier knows.
    pub fn verify(&self, token: &str, profile: &Profile<'_>, now: UnixTime) -> Result<Verified, refusal::Refusal> {
        let verified = self.verifying.verify(token, profile, now)?;
        if let Some(held) = &self.held {
            held.check(&verified)?;
        }
        // One that lies ahead was taken before the clock was set back, which then does not tell how old it is.
        let is_current = self.held.as_ref().is_some_and(|held| held.life.holds(now, profile.leeway).is_ok());
        if !is_current && self.stale == Stale::Refuse {
            return Err(refusal::Refusal::RevocationsStale);
        }
        Ok(verified)
    }

    fn choose_keys(&mut self) {
        self.verifying = self.keys.clone();
        if let Some(held) = &self.held {
            self.verifying.retain(|kid| held.names(kid));
        }
    }
}

fn public(keys: KeySet) -> Result<KeySet, super::KeyError> {
    let has_secret = keys.iter().any(|(key, _)| key.algorithm().is_symmetric());
    if has_secret { Err(super::KeyError::MixedSet) } else { Ok(keys) }
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
fn digest(stored: &crate::seam::Key) -> [u8; 12] {
    let name = stored.as_str().strip_prefix(key::REVOKED).unwrap_or_default();
    let mut start = [0; 12];
    start.iter_mut().zip(Sha256::digest(name)).for_each(|(to, from)| *to = from);
    start
}

fn join<const A: usize, const B: usize, const SUM: usize>(first: [u8; A], second: [u8; B]) -> [u8; SUM] {
    const { assert!(A + B == SUM, "an entry has the octets of its two parts") };
    let mut entry = [0; SUM];
    entry.iter_mut().zip(first.into_iter().chain(second)).for_each(|(to, from)| *to = from);
    entry
}

fn sorted<const SIZE: usize>(entries: &mut Vec<[u8; SIZE]>) -> &[u8] {
    entries.sort_unstable();
    entries.dedup();
    entries.as_flattened()
}

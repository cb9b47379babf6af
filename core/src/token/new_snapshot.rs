//! What a new revocation snapshot says, and its signature.

use super::{KeySet, MAX_SNAPSHOT, REVOCATIONS, base64url, digits, issue, json, snapshot::digest};
use crate::{
    record::{Ended, Uid},
    refusal,
    sorted::in_order,
    time::UnixTime,
};
use alloc::{string::String, vec::Vec};
use core::mem;

/// How many tokens a snapshot holds.
const MAX_TOKENS: u32 = if cfg!(test) { 64 } else { 16_384 };
/// How many users a snapshot holds, and how many of them with ended Elasticsearch tokens.
const MAX_USERS: u32 = if cfg!(test) { 64 } else { 16_384 };

/// How long the members before the lists may be, in octets: as long as the reader of JSON takes. Only names of keys could be as long.
const MAX_HEAD: usize = 60_000;

/// A full snapshot is not too long, with its lists in base64url twice.
const _: () =
    assert!((MAX_TOKENS as usize * 12 + MAX_USERS as usize * 20) * 16 / 9 + MAX_HEAD * 4 / 3 + 1000 < MAX_SNAPSHOT);

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
    pub(crate) fn revoke(&mut self, stored: &crate::seam::RecordKey) {
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
    /// [`TooManyRevocations`](refusal::Refusal::TooManyRevocations): a snapshot must not leave one out.
    pub fn sign_snapshot(&self, mut new: NewSnapshot<'_>) -> Result<String, refusal::Refusal> {
        let signer = self.signer(new.issued).ok_or(refusal::Refusal::NoSigningKey)?;
        if signer.algorithm().is_symmetric() {
            return Err(refusal::Refusal::NoPublicKey);
        }
        let claims = new.claims(self).ok_or(refusal::Refusal::TooManyRevocations)?;
        issue::compact(signer, REVOCATIONS, &claims)
    }
}

fn join<const A: usize, const B: usize, const SUM: usize>(first: [u8; A], second: [u8; B]) -> [u8; SUM] {
    const { assert!(A + B == SUM, "an entry has the octets of its two parts") };
    let mut entry = [0; SUM];
    entry.iter_mut().zip(first.into_iter().chain(second)).for_each(|(to, from)| *to = from);
    entry
}

fn sorted<const SIZE: usize>(entries: &mut Vec<[u8; SIZE]>) -> &[u8] {
    *entries = in_order(mem::take(entries), Ord::cmp);
    entries.dedup();
    entries.as_flattened()
}

//! A token as it came in, and a token whose signature holds.

use super::{
    ACCESS, Algorithm, Key, KeySet, MAX_KID, Profile, Refusal, Verified, base64url,
    header::Header,
    json::{Field, Text},
};
use crate::time::UnixTime;
use alloc::{string::String, vec::Vec};

/// The longest token, in octets (security T7).
pub const MAX_TOKEN: usize = 8192;

/// A token of the right shape about which nothing else is known.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'t> {
    /// What the signature is over: header, dot, payload.
    signed: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

/// A token whose signature holds; its claims have not been looked at.
#[derive(Debug)]
pub struct Signed<'t> {
    payload: &'t str,
    kind: TypeHeader,
    /// The time from which its key does not verify.
    until: Option<UnixTime>,
}

/// What a header says of the kind of token, `typ`, and the header, unless it is one of our own making.
type TypeHeader = (Field<Text>, String);

impl<'t> Unverified<'t> {
    /// Looks at size and shape only.
    ///
    /// # Errors
    /// [`Refusal::TooLong`], [`Refusal::Malformed`].
    pub fn parse(token: &'t str) -> Result<Self, Refusal> {
        Self::parse_within(token, MAX_TOKEN)
    }

    /// Like [`Unverified::parse`], for another kind of text with a bound of its own.
    pub(super) fn parse_within(token: &'t str, max: usize) -> Result<Self, Refusal> {
        if token.len() > max {
            return Err(Refusal::TooLong);
        }
        let (header, rest) = split_at_dot(token).ok_or(Refusal::Malformed)?;
        let (payload, signature) = split_at_dot(rest).ok_or(Refusal::Malformed)?;
        let signed = token.get(..header.len() + 1 + payload.len()).ok_or(Refusal::Malformed)?;
        if split_at_dot(signature).is_some() {
            return Err(Refusal::Malformed);
        }
        Ok(Self { signed, header, payload, signature })
    }

    /// Decides header, key and signature.
    ///
    /// # Errors
    /// The [`Refusal`]s from [`Refusal::BadBase64`] to [`Refusal::BadSignature`].
    pub fn check(self, keys: &KeySet) -> Result<Signed<'t>, Refusal> {
        // A header of our own making is known octet for octet and needs no reading.
        let (key, kind) = match keys.iter().find(|(key, _)| key.header() == self.header) {
            Some((key, _)) => (key, (Field::Absent, String::new())),
            None => self.choose(keys)?,
        };
        key.check(self.signed, self.signature)?;
        Ok(Signed { payload: self.payload, kind, until: key.until() })
    }

    fn choose(self, keys: &KeySet) -> Result<(&Key, TypeHeader), Refusal> {
        let json = String::from_utf8(self.header()?).map_err(|_| Refusal::BadHeaderJson)?;
        let header = Header::read(&json)?;
        let Field::Is(alg) = header.alg else { return Err(Refusal::AlgorithmNotAllowed) };
        let algorithm = Algorithm::ALL.iter().copied().find(|known| alg.is(&json, known.name()));
        // A build without public keys knows the names of their algorithms too; it only has no key for them.
        if algorithm.is_none() && !Algorithm::LEFT_OUT.iter().any(|name| alg.is(&json, name)) {
            return Err(Refusal::AlgorithmNotAllowed);
        }
        let key = match header.kid {
            Field::Absent => keys.only()?,
            Field::Is(kid) => match kid.meant(&json) {
                kid if kid.len() <= MAX_KID => keys.named(&kid)?,
                _ => return Err(Refusal::BadKid),
            },
            Field::Wrong => return Err(Refusal::BadKid),
        };
        let typ = header.typ;
        if Some(key.algorithm()) == algorithm { Ok((key, (typ, json))) } else { Err(Refusal::WrongAlgorithm) }
    }

    /// The decoded header, of which nothing but base64url is known.
    pub(super) fn header(self) -> Result<Vec<u8>, Refusal> {
        base64url::decode(self.header)
    }

    /// The decoded payload, of which nothing but base64url is known.
    pub(super) fn payload(self) -> Result<Vec<u8>, Refusal> {
        base64url::decode(self.payload)
    }
}

/// What is before and after the first dot. Looks at 16 octets at once.
fn split_at_dot(text: &str) -> Option<(&str, &str)> {
    let (chunks, rest) = text.as_bytes().as_chunks();
    let (before, chunk) = match chunks.iter().position(has_dot) {
        Some(index) => (index * 16, chunks.get(index)?.as_slice()),
        None => (chunks.len() * 16, rest),
    };
    let dot = before + chunk.iter().position(|&octet| octet == b'.')?;
    Some((text.get(..dot)?, text.get(dot + 1..)?))
}

/// In a shape that compilers make one comparison of, unless they are told to save room.
#[cfg(not(feature = "small"))]
fn has_dot(chunk: &[u8; 16]) -> bool {
    chunk.iter().map(|&octet| u8::from(octet == b'.')).fold(0, |found, dot| found | dot) != 0
}

#[cfg(feature = "small")]
fn has_dot(chunk: &[u8; 16]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    chunk.as_chunks().0.iter().any(|eight| {
        let zero = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b'.'));
        zero.wrapping_sub(ONES) & !zero & (ONES << 7) != 0
    })
}

impl Signed<'_> {
    /// The signed octets, whatever they are.
    ///
    /// # Errors
    /// [`Refusal::BadBase64`].
    pub fn payload(&self) -> Result<Vec<u8>, Refusal> {
        base64url::decode(self.payload)
    }

    /// Whether `typ` is this one, octet for octet.
    #[cfg(feature = "public-keys")]
    pub(super) fn is_of_kind(&self, expected: &str) -> bool {
        let (typ, header) = &self.kind;
        matches!(typ, Field::Is(typ) if typ.is(header, expected))
    }

    /// Decides the claims against `profile` at `now`.
    ///
    /// # Errors
    /// [`Refusal::UnknownKid`] when the key's time to verify has passed, and the [`Refusal`]s from [`Refusal::BadClaimsJson`] on.
    pub fn claims(&self, profile: &Profile<'_>, now: UnixTime) -> Result<Verified, Refusal> {
        if self.until.is_some_and(|until| until <= now) {
            return Err(Refusal::UnknownKid);
        }
        let json = String::from_utf8(self.payload()?).map_err(|_| Refusal::BadClaimsJson)?;
        let (typ, header) = &self.kind;
        let expected = match typ {
            // As is our own header's.
            Field::Absent => profile.typ == ACCESS,
            Field::Is(typ) => typ.is(header, profile.typ),
            Field::Wrong => false,
        };
        Ok(Verified::check(json, expected, profile, now)?.within(self.until))
    }

    /// Reads the claims and decides nothing: see [`KeySet::read_signed`].
    pub(super) fn unchecked_claims(&self) -> Result<Verified, Refusal> {
        Verified::unchecked(String::from_utf8(self.payload()?).map_err(|_| Refusal::BadClaimsJson)?)
    }
}

//! One key.

use super::{ACCESS, Algorithm, KeyError, MAX_KID, Refusal, base64url, json};
use alloc::{string::String, vec::Vec};
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A key: one algorithm, one `kid`, and the secret with the state that it keys. The secret is cleared on drop.
#[derive(Clone)]
pub struct Key {
    kid: String,
    algorithm: Algorithm,
    secret: Zeroizing<Vec<u8>>,
    /// The encoded header of this key's access tokens.
    header: String,
    /// Kept where the key will be used more than once; made for each use otherwise.
    state: Option<State>,
}

/// A MAC that has taken in its key.
#[derive(Clone)]
enum State {
    Hs256(Hmac<Sha256>),
    Hs384(alloc::boxed::Box<Hmac<Sha384>>),
    Hs512(alloc::boxed::Box<Hmac<Sha512>>),
}

impl Key {
    /// A key that tokens name by `kid`.
    ///
    /// # Errors
    /// [`KeyError::BadKid`], [`KeyError::ShortSecret`].
    pub fn new(kid: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        if kid.is_empty() { Err(KeyError::BadKid) } else { Self::with_state(kid, algorithm, secret) }
    }

    /// A key without a `kid`, which can only be alone in its set and verifies tokens without a `kid`.
    ///
    /// # Errors
    /// [`KeyError::ShortSecret`].
    pub fn nameless(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        Self::with_state("", algorithm, secret)
    }

    fn with_state(kid: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::unkeyed(kid, algorithm, secret)?.keyed())
    }

    /// A key whose state is made at each use; an empty `kid` is none.
    pub(super) fn unkeyed(kid: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        if kid.len() > MAX_KID {
            return Err(KeyError::BadKid);
        }
        if secret.len() < algorithm.min_secret() {
            return Err(KeyError::ShortSecret { algorithm, octets: secret.len() });
        }
        let header = encoded_header(kid, algorithm, ACCESS);
        Ok(Self { kid: kid.into(), algorithm, secret: Zeroizing::new(secret.to_vec()), header, state: None })
    }

    /// This key with its state kept.
    #[must_use]
    pub(super) fn keyed(mut self) -> Self {
        self.state.get_or_insert_with(|| State::new(self.algorithm, &self.secret));
        self
    }

    /// The name by which tokens pick this key; empty for a key without one.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm of this key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The secret itself, for sealing and export. Never for logs.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The encoded header of this key's access tokens.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// The encoded header of this key's tokens of the kind `typ`.
    pub(super) fn header_for(&self, typ: &str) -> String {
        encoded_header(&self.kid, self.algorithm, typ)
    }

    /// Decides the signature over `signed`, in constant time.
    pub(super) fn check(&self, signed: &str, signature: &str) -> Result<(), Refusal> {
        let mut given = [0; MAX_TAG];
        let (given, _) = given.split_at_mut(self.algorithm.tag());
        let has_length = base64url::decode_exact(signature, given)?;
        let holds = has_length && bool::from(self.tag(signed.as_bytes()).as_slice().ct_eq(given));
        if holds { Ok(()) } else { Err(Refusal::BadSignature) }
    }

    /// Appends dot and signature to a header and payload.
    pub(super) fn sign(&self, token: &mut Vec<u8>) {
        let tag = self.tag(token);
        token.push(b'.');
        base64url::append(tag.as_slice(), token);
    }

    fn tag(&self, message: &[u8]) -> Tag {
        match &self.state {
            Some(state) => state.tag(message),
            None => State::new(self.algorithm, &self.secret).tag(message),
        }
    }
}

/// Shows neither secret nor state.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, {})", self.kid, self.algorithm)
    }
}

impl State {
    fn new(algorithm: Algorithm, secret: &[u8]) -> Self {
        match algorithm {
            Algorithm::Hs256 => Self::Hs256(keyed_mac(secret)),
            Algorithm::Hs384 => Self::Hs384(keyed_mac::<Hmac<_>>(secret).into()),
            Algorithm::Hs512 => Self::Hs512(keyed_mac::<Hmac<_>>(secret).into()),
        }
    }

    fn tag(&self, message: &[u8]) -> Tag {
        match self {
            Self::Hs256(mac) => Tag::of(mac.clone(), message),
            Self::Hs384(mac) => Tag::of(mac.as_ref().clone(), message),
            Self::Hs512(mac) => Tag::of(mac.as_ref().clone(), message),
        }
    }
}

/// The longest of the tags, that of SHA-512.
const MAX_TAG: usize = 64;

/// What a signature holds, whatever the algorithm.
struct Tag {
    octets: [u8; MAX_TAG],
    length: usize,
}

impl Tag {
    fn of<M: Mac>(mut mac: M, message: &[u8]) -> Self {
        mac.update(message);
        let tag = mac.finalize().into_bytes();
        let mut octets = [0; MAX_TAG];
        octets.iter_mut().zip(&tag).for_each(|(to, from)| *to = *from);
        Self { octets, length: tag.len() }
    }

    fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 2)")]
fn keyed_mac<M: KeyInit>(secret: &[u8]) -> M {
    M::new_from_slice(secret).expect("a key of any length")
}

fn encoded_header(kid: &str, algorithm: Algorithm, typ: &str) -> String {
    let mut json = Vec::with_capacity(40 + kid.len() + typ.len());
    json.extend_from_slice(b"{\"alg\":\"");
    json.extend_from_slice(algorithm.name().as_bytes());
    json.extend_from_slice(b"\",\"typ\":");
    json::append_string(typ, &mut json);
    if !kid.is_empty() {
        json.extend_from_slice(b",\"kid\":");
        json::append_string(kid, &mut json);
    }
    json.push(b'}');
    base64url::encode(&json)
}

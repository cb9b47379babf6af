//! One key.

use super::{ACCESS, Algorithm, KeyError, MAX_KID, Refusal, base64url, json, mac::Mac};
use alloc::{string::String, vec::Vec};
use core::fmt;
use subtle::{Choice, ConstantTimeEq};
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
    state: Option<Mac>,
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

    /// A key whose secret is `k` of a JSON web key: base64url (RFC 7518, 6.4.1). An empty `kid` is none.
    ///
    /// # Errors
    /// [`KeyError::BadJwk`], [`KeyError::ShortSecret`], [`KeyError::BadKid`].
    pub fn from_k(kid: &str, algorithm: Algorithm, k: &str) -> Result<Self, KeyError> {
        let secret = base64url::decode(k).map_err(|_| KeyError::BadJwk("`k` is not base64url"))?;
        Self::with_state(kid, algorithm, &Zeroizing::new(secret))
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
        self.state.get_or_insert_with(|| Mac::new(self.algorithm, &self.secret));
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
        // There is one text for a tag, so texts can be compared; only the reason depends on what else the text is.
        let expected = self.signature(signed.as_bytes());
        if Signature::new(signature.as_bytes()).is_some_and(|given| given.ct_eq(&expected).into()) {
            return Ok(());
        }
        base64url::decode(signature).and(Err(Refusal::BadSignature))
    }

    /// Appends dot and signature to a header and payload.
    pub(super) fn sign(&self, token: &mut Vec<u8>) {
        let signature = self.signature(token);
        token.push(b'.');
        token.extend_from_slice(signature.as_octets());
    }

    fn signature(&self, message: &[u8]) -> Signature {
        let tag = match &self.state {
            Some(state) => state.tag(message),
            None => Mac::new(self.algorithm, &self.secret).tag(message),
        };
        let length = self.algorithm.tag();
        Signature { chars: base64url::encode_tag(&tag, length), length: base64url::encoded_len(length) }
    }
}

/// The text of a tag, and zeros.
struct Signature {
    chars: [u8; base64url::TAG_CHARS],
    length: usize,
}

impl Signature {
    /// What a token shows for one; `None` when it is longer than any.
    fn new(text: &[u8]) -> Option<Self> {
        let mut chars = [0; base64url::TAG_CHARS];
        chars.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { chars, length: text.len() })
    }

    fn as_octets(&self) -> &[u8] {
        self.chars.get(..self.length).unwrap_or_default()
    }

    /// Eight characters at a time, as each comparison costs as much as one.
    fn words(&self) -> [u64; base64url::TAG_CHARS / 8] {
        let mut words = [0; base64url::TAG_CHARS / 8];
        words.iter_mut().zip(self.chars.as_chunks().0).for_each(|(word, chars)| *word = u64::from_le_bytes(*chars));
        words
    }
}

impl ConstantTimeEq for Signature {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.words().ct_eq(&other.words()) & self.length.ct_eq(&other.length)
    }
}

/// Shows neither secret nor state.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, {})", self.kid, self.algorithm)
    }
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

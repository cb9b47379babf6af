//! One key.

#[cfg(feature = "public-keys")]
use super::public;
use super::{ACCESS, Algorithm, KeyError, MAX_KID, Refusal, base64url, json, mac::Mac};
use crate::time::UnixTime;
use alloc::{string::String, vec::Vec};
use core::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// A key: one algorithm, one `kid`, and its octets with the state that they make. The octets are cleared on drop.
#[derive(Clone)]
pub struct Key {
    kid: String,
    algorithm: Algorithm,
    octets: Zeroizing<Vec<u8>>,
    /// The encoded header of this key's access tokens.
    header: String,
    /// The time from which nothing holds that it has signed.
    until: Option<UnixTime>,
    /// Kept where the key will be used more than once; made for each use otherwise.
    state: Option<State>,
}

/// What a key makes of its octets: a MAC that has taken them in, or a point of a curve.
#[derive(Clone)]
enum State {
    Secret(Mac),
    /// None: the octets are no key, and no signature holds.
    #[cfg(feature = "public-keys")]
    Public(Option<public::Verifier>),
}

impl Key {
    /// A key that tokens name by `kid`. `octets` are the secret of an HMAC; otherwise those of the JWK's members one after the other:
    /// `d` if the key can sign, then `x`, then `y` for P-256.
    ///
    /// # Errors
    /// [`KeyError::BadKid`], [`KeyError::ShortSecret`], [`KeyError::BadKey`].
    pub fn new(kid: &str, algorithm: Algorithm, octets: &[u8]) -> Result<Self, KeyError> {
        if kid.is_empty() { Err(KeyError::BadKid) } else { Self::with_state(kid, algorithm, octets) }
    }

    /// A key without a `kid`, which can only be alone in its set and verifies tokens without a `kid`.
    ///
    /// # Errors
    /// [`KeyError::ShortSecret`], [`KeyError::BadKey`].
    pub fn nameless(algorithm: Algorithm, octets: &[u8]) -> Result<Self, KeyError> {
        Self::with_state("", algorithm, octets)
    }

    /// A key for an HMAC whose secret is `k` of a JSON web key: base64url (RFC 7518, 6.4.1). An empty `kid` means none.
    ///
    /// # Errors
    /// [`KeyError::BadJwk`], [`KeyError::ShortSecret`], [`KeyError::BadKid`].
    pub fn from_k(kid: &str, algorithm: Algorithm, k: &str) -> Result<Self, KeyError> {
        let secret = base64url::decode(k).map_err(|_| KeyError::BadJwk("`k` is not base64url"))?;
        Self::with_state(kid, algorithm, &Zeroizing::new(secret))
    }

    /// A new key that can sign, made of 64 random octets; the same ones make the same key.
    ///
    /// # Errors
    /// [`KeyError::BadKid`]; [`KeyError::BadKey`] where the octets make none, which happens once in 2^64 times.
    pub fn generate(kid: &str, algorithm: Algorithm, random: &[u8; 64]) -> Result<Self, KeyError> {
        #[cfg(feature = "public-keys")]
        if !algorithm.is_symmetric() {
            // A private key for P-256 is below the order of the group, which one half in 2^32 is not: then the second half counts.
            let (first, second) = random.split_at(public::PRIVATE);
            let made = public::from_private(algorithm, first).or_else(|| public::from_private(algorithm, second));
            return Self::new(kid, algorithm, &made.ok_or(KeyError::BadKey(algorithm))?);
        }
        Self::new(kid, algorithm, random.get(..algorithm.min_secret()).unwrap_or_default())
    }

    /// Decides everything about the octets: also that the public part is that of the private one.
    fn with_state(kid: &str, algorithm: Algorithm, octets: &[u8]) -> Result<Self, KeyError> {
        let key = Self::unkeyed(kid, algorithm, octets)?.keyed();
        #[cfg(feature = "public-keys")]
        if let Some(State::Public(verifier)) = &key.state {
            let belong = |private| public::from_private(algorithm, private).is_some_and(|whole| *whole == *octets);
            if verifier.is_none() || !public::private(algorithm, octets).is_none_or(belong) {
                return Err(KeyError::BadKey(algorithm));
            }
        }
        Ok(key)
    }

    /// A key whose state is made at each use; an empty `kid` means none. Whether it is a point of its curve shows then.
    pub(super) fn unkeyed(kid: &str, algorithm: Algorithm, octets: &[u8]) -> Result<Self, KeyError> {
        if kid.len() > MAX_KID {
            return Err(KeyError::BadKid);
        }
        if octets.len() < algorithm.min_secret() {
            return Err(KeyError::ShortSecret { algorithm, octets: octets.len() });
        }
        let header = encoded_header(kid, algorithm, ACCESS);
        Ok(Self { kid: kid.into(), algorithm, octets: Zeroizing::new(octets.to_vec()), header, until: None, state: None })
    }

    /// This key, verifying only before `until`, whatever its tokens say (security T18); none: without an end.
    #[must_use]
    pub fn lasting(self, until: Option<UnixTime>) -> Self {
        Self { until, ..self }
    }

    /// The time from which nothing holds that it has signed.
    pub fn until(&self) -> Option<UnixTime> {
        self.until
    }

    /// Whether it verifies at `now`.
    pub(crate) fn lasts_at(&self, now: UnixTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// This key with its state kept.
    #[must_use]
    pub(super) fn keyed(mut self) -> Self {
        self.state.get_or_insert_with(|| State::new(self.algorithm, &self.octets));
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

    /// The octets of [`Key::new`], for sealing and export. Never for logs.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Whether it can sign: it is a secret, or its private part is there.
    pub fn can_sign(&self) -> bool {
        self.algorithm.is_symmetric() || self.private().is_some()
    }

    /// The secret of an HMAC, or the private part.
    #[cfg_attr(
        not(feature = "public-keys"),
        expect(clippy::unnecessary_wraps, reason = "a secret is its own private part")
    )]
    pub(super) fn private(&self) -> Option<&[u8]> {
        #[cfg(feature = "public-keys")]
        if !self.algorithm.is_symmetric() {
            return public::private(self.algorithm, &self.octets);
        }
        Some(&self.octets)
    }

    /// The public part; none for an HMAC.
    #[cfg_attr(not(feature = "public-keys"), expect(clippy::unused_self, reason = "a secret has none"))]
    pub(super) fn public(&self) -> Option<&[u8]> {
        #[cfg(feature = "public-keys")]
        if !self.algorithm.is_symmetric() {
            return public::public(self.algorithm, &self.octets);
        }
        None
    }

    /// The encoded header of this key's access tokens.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// The encoded header of this key's tokens of the kind `typ`.
    pub(super) fn header_for(&self, typ: &str) -> String {
        encoded_header(&self.kid, self.algorithm, typ)
    }

    /// Decides the signature over `signed`; secrets are compared in constant time.
    pub(super) fn check(&self, signed: &str, signature: &str) -> Result<(), Refusal> {
        let holds = self.with(|state| match state {
            // A tag has exactly one text, so texts can be compared; what another text is decides only the reason for its refusal.
            State::Secret(mac) => {
                let expected = self.text_of(mac, signed.as_bytes());
                Signature::new(signature.as_bytes()).is_some_and(|given| given.ct_eq(&expected).into())
            }
            #[cfg(feature = "public-keys")]
            State::Public(verifier) => {
                let given = base64url::decode(signature).unwrap_or_default();
                verifier.as_ref().is_some_and(|verifier| verifier.holds(signed.as_bytes(), &given))
            }
        });
        if holds { Ok(()) } else { base64url::decode(signature).and(Err(Refusal::BadSignature)) }
    }

    /// Appends dot and signature to a header and payload.
    ///
    /// # Errors
    /// [`NoSigningKey`](crate::refusal::Refusal::NoSigningKey) for a key that cannot sign, and then nothing is appended.
    pub(super) fn sign(&self, token: &mut Vec<u8>) -> Result<(), crate::refusal::Refusal> {
        self.with(|state| match state {
            State::Secret(mac) => {
                let signature = self.text_of(mac, token);
                token.push(b'.');
                token.extend_from_slice(signature.as_octets());
                Ok(())
            }
            #[cfg(feature = "public-keys")]
            State::Public(_) => {
                let signature = public::sign(self.algorithm, &self.octets, token);
                let signature = signature.ok_or(crate::refusal::Refusal::NoSigningKey)?;
                token.push(b'.');
                base64url::append(&signature, token);
                Ok(())
            }
        })
    }

    fn text_of(&self, mac: &Mac, message: &[u8]) -> Signature {
        let length = self.algorithm.tag();
        Signature { chars: base64url::encode_tag(&mac.tag(message), length), length: base64url::encoded_len(length) }
    }

    fn with<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        match &self.state {
            Some(state) => with(state),
            None => with(&State::new(self.algorithm, &self.octets)),
        }
    }
}

impl State {
    fn new(algorithm: Algorithm, octets: &[u8]) -> Self {
        #[cfg(feature = "public-keys")]
        if !algorithm.is_symmetric() {
            return Self::Public(public::Verifier::new(algorithm, octets));
        }
        Self::Secret(Mac::new(algorithm, octets))
    }
}

/// The text of a tag, and zeros.
struct Signature {
    chars: [u8; base64url::TAG_CHARS],
    length: usize,
}

impl Signature {
    /// What a token has for a signature; `None` when it is longer than any can be.
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

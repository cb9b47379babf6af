//! Tokens: JWS compact serialization, strict parsing, claims and keys.

use crate::{lifetime::Lifetime, time::UnixTime};
use alloc::{string::String, vec::Vec};
use zeroize::Zeroizing;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// Not three parts.
    Malformed,
}

impl Refusal {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
        }
    }
}

/// A signature algorithm; a key carries exactly one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
}

/// Whether a key signs or only verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Role {
    /// Signs new tokens and verifies.
    Sign,
    /// Verifies only.
    Verify,
}

/// A key with its pre-keyed state.
#[derive(Clone)]
pub struct Key {
    kid: String,
    algorithm: Algorithm,
    secret: Zeroizing<Vec<u8>>,
}

impl Key {
    /// A key.
    pub fn new(kid: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, Refusal> {
        Ok(Self { kid: kid.into(), algorithm, secret: Zeroizing::new(secret.to_vec()) })
    }
    /// kid
    pub fn kid(&self) -> &str {
        &self.kid
    }
    /// alg
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
    /// secret
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// Keys by `kid`.
#[derive(Clone, Default)]
pub struct KeySet(Vec<(Key, Role)>);

impl KeySet {
    /// A set.
    pub fn new(keys: impl IntoIterator<Item = (Key, Role)>) -> Result<Self, Refusal> {
        Ok(Self(keys.into_iter().collect()))
    }
    /// All.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, Role)> {
        self.0.iter().map(|(key, role)| (key, *role))
    }
    /// Verifies.
    pub fn verify<'t>(&self, _token: &'t str, _profile: &Profile<'_>, _now: UnixTime) -> Result<Verified<'t>, Refusal> {
        Err(Refusal::Malformed)
    }
    /// Issues.
    pub fn issue(&self, _new: &NewClaims<'_>) -> Result<String, crate::refusal::Refusal> {
        Err(crate::refusal::Refusal::NoSigningKey)
    }
}

impl core::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| &key.kid)).finish()
    }
}

/// What a verifier expects.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: Option<&'a str>,
    /// Seconds.
    pub leeway: u32,
    /// `typ`.
    pub typ: &'a str,
}

/// The claims of a token to issue.
#[derive(Clone, Copy, Debug)]
pub struct NewClaims<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: Option<&'a str>,
    /// `typ` of the header.
    pub typ: &'a str,
    /// `sub` and `uid`.
    pub uid: &'a str,
    /// `dialect`.
    pub dialect: &'a str,
    /// `gen`.
    pub generation: u32,
    /// `jti`.
    pub jti: [u8; 16],
    /// `iat`.
    pub issued: UnixTime,
    /// `exp - iat`.
    pub lifetime: Lifetime,
}

/// Claims whose signature, times and profile hold.
#[derive(Debug)]
pub struct Verified<'t> {
    /// `sub`.
    pub subject: alloc::borrow::Cow<'t, str>,
    /// `jti`.
    pub jti: alloc::borrow::Cow<'t, str>,
    /// `dialect`.
    pub dialect: Option<alloc::borrow::Cow<'t, str>>,
    /// `gen`.
    pub generation: Option<u32>,
    /// `iat`.
    pub issued: Option<UnixTime>,
    /// `exp`.
    pub expires: UnixTime,
}

//! The fixed list of signature algorithms.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A signature algorithm; a key carries exactly one. What is not in this list is refused (security T1).
///
/// The order is that of stored keys: new ones come last.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// Ed25519 under the name that most verifiers know (RFC 8037, 3.1).
    #[cfg(feature = "public-keys")]
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on the curve P-256 with SHA-256 (RFC 7518, 3.4).
    #[cfg(feature = "public-keys")]
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519 under the name that says nothing else (RFC 9864, 2.2). A key for one name is not for the other.
    #[cfg(feature = "public-keys")]
    #[serde(rename = "Ed25519")]
    Ed25519,
}

impl Algorithm {
    /// Every algorithm that a token may use.
    pub const ALL: &[Self] = &[
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        #[cfg(feature = "public-keys")]
        Self::EdDsa,
        #[cfg(feature = "public-keys")]
        Self::Es256,
        #[cfg(feature = "public-keys")]
        Self::Ed25519,
    ];

    /// Names of algorithms that are known with the feature `public-keys` and that this build cannot check.
    #[cfg(feature = "public-keys")]
    pub(super) const LEFT_OUT: [&'static str; 0] = [];
    /// Names of algorithms that are known with the feature `public-keys` and that this build cannot check.
    #[cfg(not(feature = "public-keys"))]
    pub(super) const LEFT_OUT: [&'static str; 3] = ["EdDSA", "ES256", "Ed25519"];

    /// The algorithm of this exact, case-sensitive name (RFC 7518, 3.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name() == name)
    }

    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            #[cfg(feature = "public-keys")]
            Self::EdDsa => "EdDSA",
            #[cfg(feature = "public-keys")]
            Self::Es256 => "ES256",
            #[cfg(feature = "public-keys")]
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Whether the key that verifies can also sign. A set never mixes the two kinds (security T3).
    pub const fn is_symmetric(self) -> bool {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => true,
            #[cfg(feature = "public-keys")]
            Self::EdDsa | Self::Es256 | Self::Ed25519 => false,
        }
    }

    /// `kty` and, for a curve, `crv` of its keys (RFC 7518, 6.1; RFC 8037, 2).
    pub const fn key_type(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => ("oct", None),
            #[cfg(feature = "public-keys")]
            Self::EdDsa | Self::Ed25519 => ("OKP", Some("Ed25519")),
            #[cfg(feature = "public-keys")]
            Self::Es256 => ("EC", Some("P-256")),
        }
    }

    /// The shortest secret, in octets: the length of the hash (RFC 7518, 3.2), or that of a private key.
    pub const fn min_secret(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
            #[cfg(feature = "public-keys")]
            Self::EdDsa | Self::Es256 | Self::Ed25519 => 32,
        }
    }

    /// How many octets a signature has.
    pub(super) const fn tag(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
            #[cfg(feature = "public-keys")]
            Self::EdDsa | Self::Es256 | Self::Ed25519 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! Why a key, or a set of keys, is not taken.

use super::{Algorithm, MAX_KID};
use alloc::string::String;
use core::fmt::{self, Write as _};

/// Why a key, or a set of keys, is not taken. Found when keys are loaded, never while a token is verified.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is shorter than the hash of its algorithm (security T2).
    ShortSecret {
        /// What the key is for.
        algorithm: Algorithm,
        /// How long the secret is.
        octets: usize,
    },
    /// The octets are no key for this algorithm: of another length, not a point of its curve that may be a key, or public and private
    /// part do not belong together.
    BadKey(Algorithm),
    /// A key without its private part is to sign.
    PublicSigner,
    /// The `kid` is empty or longer than [`MAX_KID`] octets.
    BadKid,
    /// Two keys of the set have this `kid`.
    RepeatedKid(String),
    /// A key without a `kid` is not the only one of its set, so that no token could name it.
    NamelessKey,
    /// The set holds symmetric and asymmetric keys.
    MixedSet,
    /// More than one key of the set signs.
    ManySigners,
    /// The text is not a JWK or a JWK set.
    BadJwk(&'static str),
    /// The octets do not hold a set of keys.
    BadBytes,
}

impl KeyError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ShortSecret { .. } => "short_secret",
            Self::BadKey(_) => "bad_key",
            Self::PublicSigner => "public_signer",
            Self::BadKid => "bad_key_kid",
            Self::RepeatedKid(_) => "repeated_kid",
            Self::NamelessKey => "nameless_key",
            Self::MixedSet => "mixed_key_set",
            Self::ManySigners => "many_signers",
            Self::BadJwk(_) => "bad_jwk",
            Self::BadBytes => "bad_key_bytes",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortSecret { algorithm, octets } => {
                write!(f, "a secret for {algorithm} has at least {} octets, this one has {octets}", algorithm.min_secret())
            }
            Self::BadKey(algorithm) => {
                write!(f, "not a key for {algorithm}: its length, its point, or its private part is wrong")
            }
            Self::PublicSigner => f.write_str("a key without its private part cannot sign"),
            Self::BadKid => write!(f, "a kid has 1 to {MAX_KID} octets"),
            Self::RepeatedKid(kid) => {
                f.write_str("two keys of the set have the kid `")?;
                // Not by `Debug`, whose tables of Unicode nothing else needs: 2.7 KB of the page.
                for c in kid.chars() {
                    f.write_char(if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })?;
                }
                f.write_str("`")
            }
            Self::NamelessKey => f.write_str("a key without a kid must be the only one of its set"),
            Self::MixedSet => f.write_str("a set holds either symmetric or asymmetric keys, not both"),
            Self::ManySigners => f.write_str("only one key of a set signs"),
            Self::BadJwk(reason) => write!(f, "not a JSON web key: {reason}"),
            Self::BadBytes => f.write_str("the octets do not hold a set of keys"),
        }
    }
}

impl core::error::Error for KeyError {}

//! Keys that come in two parts: Ed25519 (RFC 8032; RFC 8037) and ECDSA on P-256 with SHA-256 (FIPS 186-5; RFC 7518, 3.4).
//!
//! Both sign without randomness: Ed25519 by its definition, ECDSA after RFC 6979.
//!
//! The octets of a key are those of its JWK, one after the other: `x`, for P-256 also `y`; before them `d`, if the private part is
//! there.

use super::Algorithm;
use alloc::{boxed::Box, vec::Vec};
use ed25519_dalek::Signer;
use zeroize::Zeroizing;

/// Octets of `d`, in both kinds.
pub(super) const PRIVATE: usize = 32;

/// The group that a key is of.
enum Curve {
    Ed25519,
    P256,
}

impl Curve {
    const fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::P256,
            // Never asked of the first three.
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 | Algorithm::EdDsa | Algorithm::Ed25519 => Self::Ed25519,
        }
    }
}

/// The public part of a key, ready to verify.
#[derive(Clone)]
pub(super) enum Verifier {
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
}

impl Verifier {
    /// From the octets of a key, private part or not. `None` unless the length is right and the public part is the one encoding of
    /// a point that may be a key: on the curve, and of its large group (RFC 8032, 5.1.3; RFC 7518, 6.2.1).
    pub(super) fn new(algorithm: Algorithm, octets: &[u8]) -> Option<Self> {
        let public = public(algorithm, octets)?;
        match Curve::of(algorithm) {
            Curve::P256 => {
                let mut point = [4; 65];
                point.get_mut(1..)?.copy_from_slice(public);
                p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok().map(|key| Self::P256(Box::new(key)))
            }
            Curve::Ed25519 => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(public.first_chunk()?).ok()?;
                let is_canonical = key.to_edwards().compress().as_bytes() == public;
                (is_canonical && !key.is_weak()).then(|| Self::Ed25519(Box::new(key)))
            }
        }
    }

    /// Whether `signature`, 64 octets, holds. For Ed25519 its scalar is below the order of the group, and its point is the one
    /// encoding of a point of the large group (RFC 8032, 5.1.7); for ECDSA both numbers are from 1 to that order, not included.
    pub(super) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            Self::P256(key) => {
                use p256::ecdsa::signature::Verifier as _;
                let signature = p256::ecdsa::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
        }
    }
}

/// The signature over `message`; `None` for a key without its private part.
pub(super) fn sign(algorithm: Algorithm, octets: &[u8], message: &[u8]) -> Option<[u8; 64]> {
    let private = private(algorithm, octets)?;
    match Curve::of(algorithm) {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(private).ok()?;
            let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
            Some(signature.to_bytes().into())
        }
        Curve::Ed25519 => Some(ed25519_dalek::SigningKey::from_bytes(private.first_chunk()?).sign(message).to_bytes()),
    }
}

/// The octets of the key whose private part is `private`. `None` if that is not a private key: not 32 octets, or for P-256 zero or not
/// below the order of the group.
pub(super) fn from_private(algorithm: Algorithm, private: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let private: &[u8; PRIVATE] = private.try_into().ok()?;
    let mut octets = Zeroizing::new(Vec::with_capacity(96));
    octets.extend_from_slice(private);
    match Curve::of(algorithm) {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(private).ok()?;
            octets.extend_from_slice(key.verifying_key().to_sec1_point(false).as_bytes().get(1..)?);
        }
        Curve::Ed25519 => {
            octets.extend_from_slice(ed25519_dalek::SigningKey::from_bytes(private).verifying_key().as_bytes());
        }
    }
    Some(octets)
}

/// The private part of a key's octets, if it is there.
pub(super) fn private(algorithm: Algorithm, octets: &[u8]) -> Option<&[u8]> {
    (octets.len() == PRIVATE + public_len(algorithm)).then(|| octets.get(..PRIVATE))?
}

/// The public part of a key's octets.
pub(super) fn public(algorithm: Algorithm, octets: &[u8]) -> Option<&[u8]> {
    if octets.len() == public_len(algorithm) {
        return Some(octets);
    }
    private(algorithm, octets)?;
    octets.get(PRIVATE..)
}

/// Octets of the public part.
pub(super) const fn public_len(algorithm: Algorithm) -> usize {
    match Curve::of(algorithm) {
        Curve::P256 => 64,
        Curve::Ed25519 => 32,
    }
}

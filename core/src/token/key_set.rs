//! The keys of an issuer or verifier.

use super::{Algorithm, Key, KeyError, NewClaims, Profile, Refusal, Unverified, Verified, issue};
use crate::time::UnixTime;
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};

/// Whether a key signs or only verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum KeyRole {
    /// Signs new tokens and verifies.
    Sign,
    /// Verifies only.
    Verify,
    /// Verifies, and signs from this time on.
    #[cfg(feature = "public-keys")]
    SignFrom(UnixTime),
    /// Verifies, and signs before this time.
    #[cfg(feature = "public-keys")]
    SignUntil(UnixTime),
}

impl KeyRole {
    /// From when to when the key signs, the end not included.
    fn signs(self) -> Option<(UnixTime, UnixTime)> {
        match self {
            Self::Sign => Some((UnixTime::from_millis(0), UnixTime::NEVER)),
            Self::Verify => None,
            #[cfg(feature = "public-keys")]
            Self::SignFrom(from) => Some((from, UnixTime::NEVER)),
            #[cfg(feature = "public-keys")]
            Self::SignUntil(until) => Some((UnixTime::from_millis(0), until)),
        }
    }
}

/// Keys by `kid`: at any time at most one signs, all verify.
///
/// INVARIANT: no `kid` occurs twice, and a key without one is alone (security T3). [`KeySet::new`] is the only door.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<(Key, KeyRole)>,
    /// The names of keys that were in the set and cannot verify here: another use, another kind. Empty for a nameless one.
    unusable: Vec<String>,
}

impl KeySet {
    /// A set of keys.
    ///
    /// # Errors
    /// [`KeyError::RepeatedKid`], [`KeyError::NamelessKey`], [`KeyError::MixedSet`], [`KeyError::ManySigners`],
    /// [`KeyError::PublicSigner`].
    pub fn new(keys: impl IntoIterator<Item = (Key, KeyRole)>) -> Result<Self, KeyError> {
        Self::with_unusable(keys.into_iter().collect(), Vec::new())
    }

    /// A set of keys, and the names of those that belong to it and cannot verify here, so that a token which names one of these is
    /// refused for that reason.
    ///
    /// # Errors
    /// As [`KeySet::new`].
    pub fn with_unusable(keys: Vec<(Key, KeyRole)>, unusable: Vec<String>) -> Result<Self, KeyError> {
        let mut kids: Vec<&str> = Vec::with_capacity(keys.len() + unusable.len());
        for kid in keys.iter().map(|(key, _)| key.kid()).chain(unusable.iter().map(String::as_str)) {
            if kid.is_empty() && keys.len() + unusable.len() > 1 {
                return Err(KeyError::NamelessKey);
            }
            if kids.contains(&kid) {
                return Err(KeyError::RepeatedKid(kid.into()));
            }
            kids.push(kid);
        }
        let symmetric = keys.iter().filter(|(key, _)| key.algorithm().is_symmetric()).count();
        if symmetric != 0 && symmetric != keys.len() {
            return Err(KeyError::MixedSet);
        }
        let mut signers: Vec<(UnixTime, UnixTime)> = Vec::new();
        for (key, role) in &keys {
            let Some((from, until)) = role.signs() else { continue };
            if signers.iter().any(|(other_from, other_until)| from < *other_until && *other_from < until) {
                return Err(KeyError::ManySigners);
            }
            if !key.can_sign() {
                return Err(KeyError::PublicSigner);
            }
            signers.push((from, until));
        }
        Ok(Self { keys, unusable })
    }

    /// This set with every key's state computed once and kept: for a set that outlives a few tokens. Sets other than those
    /// from [`KeySet::from_bytes`] are so already.
    #[must_use]
    pub fn keyed(mut self) -> Self {
        self.keys = self.keys.into_iter().map(|(key, role)| (key.keyed(), role)).collect();
        self
    }

    /// This set without the keys of these algorithms, which stay by name, as keys that cannot verify here.
    #[must_use]
    pub fn without(self, algorithms: &[Algorithm]) -> Self {
        let is_unwanted = |(key, _): &(Key, KeyRole)| algorithms.contains(&key.algorithm());
        let (others, keys): (Vec<_>, _) = self.keys.into_iter().partition(is_unwanted);
        let others = others.iter().map(|(key, _)| key.kid().into());
        Self { keys, unusable: self.unusable.into_iter().chain(others).collect() }
    }

    /// The keys, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, KeyRole)> {
        self.keys.iter().map(|(key, role)| (key, *role))
    }

    /// The key that signs at `now`.
    pub fn signer(&self, now: UnixTime) -> Option<&Key> {
        let signs = |role: KeyRole| role.signs().is_some_and(|(from, until)| from <= now && now < until);
        self.iter().find(|(_, role)| signs(*role)).map(|(key, _)| key)
    }

    /// Decides everything about a token.
    ///
    /// # Errors
    /// The first [`Refusal`] in the order of the checks.
    pub fn verify(&self, token: &str, profile: &Profile<'_>, now: UnixTime) -> Result<Verified, Refusal> {
        Unverified::parse(token)?.check(self)?.claims(profile, now)
    }

    /// Decides the signature only and reads the claims, whatever they say of times and parties: for ending a token, never for letting
    /// anybody in.
    ///
    /// # Errors
    /// The [`Refusal`]s up to [`Refusal::BadSignature`], and those of claims that cannot be read.
    pub(crate) fn read_signed(&self, token: &str) -> Result<Verified, Refusal> {
        Unverified::parse(token)?.check(self)?.unchecked_claims()
    }

    /// Decides the signature only and returns the payload, which need not be claims: JWS without JWT.
    ///
    /// # Errors
    /// The [`Refusal`]s up to [`Refusal::BadSignature`], and [`Refusal::BadBase64`] for the payload.
    pub fn verify_signature(&self, token: &str) -> Result<Vec<u8>, Refusal> {
        Unverified::parse(token)?.check(self)?.payload()
    }

    /// A new token, signed by the key that signs at its time of issue (security T11).
    ///
    /// # Errors
    /// [`NoSigningKey`](crate::refusal::Refusal::NoSigningKey).
    pub fn issue(&self, new: &NewClaims<'_>) -> Result<String, crate::refusal::Refusal> {
        issue::token(self.signer(new.issued).ok_or(crate::refusal::Refusal::NoSigningKey)?, new)
    }

    /// A token of the kind `typ` over claims that the caller has written, signed by the key that signs at `now`. What the claims
    /// say is the caller's: for a login use [`KeySet::issue`].
    ///
    /// # Errors
    /// [`NoSigningKey`](crate::refusal::Refusal::NoSigningKey).
    pub fn sign(&self, typ: &str, claims: &str, now: UnixTime) -> Result<String, crate::refusal::Refusal> {
        let signer = self.signer(now).ok_or(crate::refusal::Refusal::NoSigningKey)?;
        issue::compact(signer, typ, claims.as_bytes())
    }

    /// Drops every key that `stays` does not name; a token that names one of these is then of an unknown key.
    #[cfg(feature = "public-keys")]
    pub(super) fn retain(&mut self, stays: impl Fn(&str) -> bool) {
        self.keys.retain(|(key, _)| stays(key.kid()));
    }

    pub(super) fn unusable(&self) -> &[String] {
        &self.unusable
    }

    /// The key of this `kid`, which is a name that came from outside.
    pub(super) fn named(&self, kid: &str) -> Result<&Key, Refusal> {
        match self.iter().find(|(key, _)| key.kid() == kid && !kid.is_empty()) {
            Some((key, _)) => Ok(key),
            None if self.unusable.iter().any(|known| known == kid && !kid.is_empty()) => Err(Refusal::KeyNotForVerify),
            None => Err(Refusal::UnknownKid),
        }
    }

    /// The key for a token that names none.
    pub(super) fn only(&self) -> Result<&Key, Refusal> {
        match (self.keys.as_slice(), self.unusable.as_slice()) {
            ([(key, _)], []) => Ok(key),
            ([], [_]) => Err(Refusal::KeyNotForVerify),
            _ => Err(Refusal::MissingKid),
        }
    }
}

/// Shows the names of the keys only.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(key, _)| key.kid())).finish()
    }
}

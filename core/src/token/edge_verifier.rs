//! Checking tokens away from their issuer.

use super::{KeyError, KeySet, MAX_KID, Profile, Snapshot, SnapshotError, Verified};
use crate::{refusal, time::UnixTime};
use alloc::{string::String, vec::Vec};

/// What a verifier does when its snapshot is too old, or when it has none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Stale {
    /// It refuses every token.
    #[default]
    Refuse,
    /// It goes by what it knows.
    Accept,
}

/// Checks tokens away from their issuer: with public keys and the newest snapshot at hand (security E3).
#[derive(Debug)]
pub struct EdgeVerifier {
    /// What snapshots are checked with.
    keys: KeySet,
    /// Those of them that the snapshot names: what tokens are checked with.
    verifying: KeySet,
    /// The `kid` of each that is gone for good.
    dropped: Vec<String>,
    held: Option<Snapshot>,
    stale: Stale,
}

impl EdgeVerifier {
    /// A verifier with public keys and no snapshot yet.
    ///
    /// # Errors
    /// [`KeyError::MixedSet`] when a key is a secret: whoever has it could also make snapshots, so that none could be relied on.
    pub fn new(keys: KeySet, stale: Stale) -> Result<Self, KeyError> {
        let keys = public(keys)?;
        Ok(Self { verifying: keys.clone(), keys, dropped: Vec::new(), held: None, stale })
    }

    /// Replaces the keys with a key set that was fetched again, without those that are gone for good, as it may come from a cache that is
    /// older than the snapshot. The snapshot stays, and tokens are checked with the keys that it names.
    ///
    /// # Errors
    /// As [`EdgeVerifier::new`].
    pub fn set_keys(&mut self, keys: KeySet) -> Result<(), KeyError> {
        self.keys = public(keys)?;
        self.keys.retain(|kid| !self.dropped.iter().any(|gone| gone == kid));
        self.choose_keys();
        Ok(())
    }

    /// Takes a snapshot if it is good and newer than the one that is held. From then on tokens are checked with the keys that it names,
    /// and a key that the previous snapshot names and this one does not is gone for good.
    ///
    /// # Errors
    /// Those of [`Snapshot::read`]; [`SnapshotError::NotNewer`].
    pub fn take(&mut self, text: &str, issuer: &str, leeway: u32, now: UnixTime) -> Result<(), SnapshotError> {
        let new = Snapshot::read(text, &self.keys, issuer, leeway, now)?;
        if self.held.as_ref().is_some_and(|held| new.number() <= held.number()) {
            return Err(SnapshotError::NotNewer);
        }
        // Whether or not they are among the keys at present.
        let before = self.held.as_ref().map_or(&[][..], |held| &held.keys);
        let gone: Vec<String> = before.iter().filter(|kid| !new.names(kid)).cloned().collect();
        self.held = Some(new);
        self.drop_for_good(gone);
        Ok(())
    }

    /// Learns from another verifier that the keys with these names are gone for good. Names that no key can have are left out.
    pub fn drop_for_good(&mut self, kids: Vec<String>) {
        for kid in kids {
            if (1..=MAX_KID).contains(&kid.len()) && !self.dropped.contains(&kid) {
                self.dropped.push(kid);
            }
        }
        self.keys.retain(|kid| !self.dropped.iter().any(|gone| gone == kid));
        self.choose_keys();
    }

    /// The names of keys that are gone for good: a snapshot has named them, and a later one has not.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// What snapshots are checked with: the keys that were given, without those that are gone for good.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The snapshot that is held.
    pub fn held(&self) -> Option<&Snapshot> {
        self.held.as_ref()
    }

    /// Decides everything about a token that the issuer would.
    ///
    /// # Errors
    /// The first refusal, in the issuer's order; [`RevocationsStale`](refusal::Refusal::RevocationsStale) for a token that is otherwise
    /// good as far as the verifier knows.
    pub fn verify(&self, token: &str, profile: &Profile<'_>, now: UnixTime) -> Result<Verified, refusal::Refusal> {
        let verified = self.verifying.verify(token, profile, now)?;
        if let Some(held) = &self.held {
            held.check(&verified)?;
        }
        // A snapshot from the future was taken before the clock was set back; the clock then does not tell how old it is.
        let is_current = self.held.as_ref().is_some_and(|held| held.life.holds(now, profile.leeway).is_ok());
        if !is_current && self.stale == Stale::Refuse {
            return Err(refusal::Refusal::RevocationsStale);
        }
        Ok(verified)
    }

    fn choose_keys(&mut self) {
        self.verifying = self.keys.clone();
        if let Some(held) = &self.held {
            self.verifying.retain(|kid| held.names(kid));
        }
    }
}

fn public(keys: KeySet) -> Result<KeySet, KeyError> {
    let has_secret = keys.iter().any(|(key, _)| key.algorithm().is_symmetric());
    if has_secret { Err(KeyError::MixedSet) } else { Ok(keys) }
}

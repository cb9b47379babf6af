//! What outlives a request.

use crate::{
    settings::Settings,
    time::UnixTime,
    token::{self, KeySet, Verified},
    vault::Vault,
};
use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

/// Settings and secrets that outlive a request; made once by the driver and shared.
#[derive(Debug)]
pub struct World {
    /// What the operator has configured.
    pub settings: Settings,
    /// Root secret and opened signing keys.
    pub vault: Vault,
}

impl World {
    /// The world as one piece of bytes, to hand it into a component or a worker. Holds every secret in the clear: it is for
    /// memory, never for a store or a wire. Its encoding is part of the interface `waxseal:engine/rules` of `wasm/wit`: another encoding
    /// needs another version of the interface, so that a module of another build refuses it.
    ///
    /// `None` when it cannot be encoded, which is a defect.
    pub fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let keys = self.vault.keys().to_bytes();
        postcard::to_allocvec(&(&self.settings, self.vault.root(), keys.as_slice())).ok().map(Zeroizing::new)
    }

    /// The world that [`World::to_bytes`] has written; `None` when these are not such bytes. Made for one call: to verify
    /// many tokens with it, see [`World::keyed`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ((settings, mut root, keys), rest) = postcard::take_from_bytes::<(Settings, [u8; 32], &[u8])>(bytes).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let vault = Vault::new(root, KeySet::from_bytes(keys).ok()?);
        root.zeroize();
        Some(Self { settings, vault })
    }

    /// This world with the state of every key computed once and kept.
    #[must_use]
    pub fn keyed(self) -> Self {
        Self { vault: self.vault.keyed(), ..self }
    }

    /// Checks signature, times and profile of an access token. Whether it was revoked, or its user is gone, stands in the
    /// store and is not looked at here.
    ///
    /// # Errors
    /// The first [`token::Refusal`] in the order of the checks.
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<Verified, token::Refusal> {
        self.vault.keys().verify(token, &self.settings.access_profile(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Algorithm, Key, KeyRole};
    use sha2::{Digest, Sha256};

    fn world() -> World {
        let keys = [("b", KeyRole::Verify), ("a", KeyRole::Sign)];
        let keys = keys.map(|(kid, role)| (Key::new(kid, Algorithm::Hs256, &[7; 32]).unwrap(), role));
        let settings = Settings { audience: Some("clients".into()), ..Settings::default() };
        World { settings, vault: Vault::new([9; 32], KeySet::new(keys).unwrap()) }
    }

    #[test]
    fn bytes_hold_the_whole_world() {
        let bytes = world().to_bytes().unwrap();
        let read = World::from_bytes(&bytes).unwrap();
        assert_eq!(read.settings.audience.as_deref(), Some("clients"));
        assert_eq!(read.vault.derive("purpose", b"data"), world().vault.derive("purpose", b"data"));
        let keys: Vec<_> = read.vault.keys().iter().map(|(key, role)| (key.kid(), key.octets(), role)).collect();
        assert_eq!(keys, [("b", [7; 32].as_slice(), KeyRole::Verify), ("a", [7; 32].as_slice(), KeyRole::Sign)]);
        assert_eq!(read.keyed().to_bytes().unwrap(), bytes);
    }

    /// Modules of other builds are handed these octets: whoever changes their encoding has to raise the version of the package in
    /// `wasm/wit`. A changed default only needs the new sum here.
    #[test]
    fn the_encoding_stays() {
        let sum = Sha256::digest(world().to_bytes().unwrap());
        assert_eq!(sum[..8], [255, 220, 171, 162, 244, 134, 221, 165]);
    }

    #[test]
    fn cut_bytes_are_no_world() {
        let bytes = world().to_bytes().unwrap();
        for end in 0..bytes.len() {
            assert!(World::from_bytes(&bytes[..end]).is_none(), "the first {end} octets");
        }
        assert!(World::from_bytes(&[&bytes[..], &[0]].concat()).is_none(), "one more");
    }
}

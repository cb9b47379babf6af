//! Root secret and signing keys, opened.

use crate::token::KeySet;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Secrets that never lie in the store readable.
pub struct Vault {
    root: Zeroizing<[u8; 32]>,
    keys: KeySet,
}

impl Vault {
    /// A vault over the root secret and the opened signing keys.
    pub fn new(root: [u8; 32], keys: KeySet) -> Self {
        Self { root: Zeroizing::new(root), keys }
    }

    /// The signing keys.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// This vault with the state of every key computed once and kept.
    #[must_use]
    pub fn keyed(self) -> Self {
        Self { keys: self.keys.keyed(), ..self }
    }

    /// The root secret, for [`World::to_bytes`](crate::seam::World::to_bytes) only.
    pub(crate) fn root(&self) -> &[u8; 32] {
        &self.root
    }

    /// 32 octets bound to the root secret, a purpose and some data: `HMAC-SHA-256(root, purpose || 0 || data)`. Purposes hold
    /// no NUL, so two pairs never collide.
    pub fn derive(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.root.as_slice()) {
            mac.update(purpose.as_bytes());
            mac.update(&[0]);
            mac.update(data);
            out = mac.finalize().into_bytes().into();
        }
        out
    }
}

impl core::fmt::Debug for Vault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Vault(..)")
    }
}

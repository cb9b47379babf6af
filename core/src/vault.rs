//! Root secret and signing keys, opened.
//!
//! The root secret lies outside the store, in a file of its own. Whatever must not be readable in the store is sealed under
//! it (signing keys) or derived from it (tokens that have to be shown again), so a stolen store file reveals no token and
//! signs none.

use crate::{
    mac::hmac_sha256,
    record::{KeyState, SigningKey, Stored},
    refusal::Refusal,
    time::UnixTime,
    token::{Key, KeyRole, KeySet},
};
use alloc::vec::Vec;
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use zeroize::Zeroizing;

/// Octets of an XChaCha20-Poly1305 nonce, which stands before the sealed text.
const NONCE: usize = 24;

/// Secrets that never lie in the store readable.
pub struct Vault {
    root: Zeroizing<[u8; 32]>,
    keys: KeySet,
}

impl Vault {
    /// A vault over the root secret and opened signing keys.
    pub fn new(root: [u8; 32], keys: KeySet) -> Self {
        Self { root: Zeroizing::new(root), keys }
    }

    /// Opens the signing keys as they are stored; a key whose time to verify has passed at `now` is left out, and one whose time passes
    /// later verifies nothing from then on.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`] when a record cannot be read, was sealed under another root secret, or the keys do not make a
    /// set.
    pub fn open<'r>(root: [u8; 32], records: impl IntoIterator<Item = &'r [u8]>, now: UnixTime) -> Result<Self, Refusal> {
        let mut vault = Self::new(root, KeySet::default());
        let mut keys = Vec::new();
        for value in records {
            let record = SigningKey::decode(value)?;
            if record.state.until().is_some_and(|until| until <= now) {
                continue;
            }
            let role = match record.state {
                KeyState::Signs => KeyRole::Sign,
                KeyState::Verifies { .. } => KeyRole::Verify,
                #[cfg(feature = "public-keys")]
                KeyState::Follows { from } => KeyRole::SignFrom(from),
                #[cfg(feature = "public-keys")]
                KeyState::Leaves { at, .. } => KeyRole::SignUntil(at),
                #[cfg(not(feature = "public-keys"))]
                _ => return Err(Refusal::BadRecord),
            };
            keys.push((vault.open_key(&record)?.lasting(record.state.until()), role));
        }
        vault.keys = KeySet::new(keys).map_err(|_| Refusal::BadRecord)?;
        Ok(vault)
    }

    /// A signing key as it is stored, opened.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`] when it was sealed under another root secret or is not a key.
    pub(crate) fn open_key(&self, record: &SigningKey) -> Result<Key, Refusal> {
        let octets = self.unseal(&record.kid, &record.sealed)?;
        Key::new(&record.kid, record.algorithm, &octets).map_err(|_| Refusal::BadRecord)
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
        hmac_sha256(&self.root, &[purpose.as_bytes(), &[0], data])
    }

    /// Encrypts `secret` under the root secret, bound to `label`, which must be given again to unseal. `nonce` must be random.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`] when the secret is too large to encrypt (256 GiB).
    pub fn seal(&self, label: &str, secret: &[u8], nonce: [u8; NONCE]) -> Result<Vec<u8>, Refusal> {
        let text = Payload { msg: secret, aad: label.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), text).map_err(|_| Refusal::BadRecord)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Vault::seal`] made.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`] when it was changed, cut, or sealed with another root secret or label.
    pub fn unseal(&self, label: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(Refusal::BadRecord)?;
        let text = Payload { msg: sealed, aad: label.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), text).map(Zeroizing::new).map_err(|_| Refusal::BadRecord)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("seal", &[]).into())
    }
}

impl core::fmt::Debug for Vault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(root: u8) -> Vault {
        Vault::new([root; 32], KeySet::default())
    }

    #[test]
    fn unseals_only_what_it_sealed_under_the_same_label() {
        let sealed = vault(1).seal("k1", b"secret", [9; NONCE]).unwrap();
        assert_eq!(vault(1).unseal("k1", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(vault(1).unseal("k2", &sealed), Err(Refusal::BadRecord));
        assert_eq!(vault(2).unseal("k1", &sealed), Err(Refusal::BadRecord));
        for cut in 0..sealed.len() {
            assert_eq!(vault(1).unseal("k1", &sealed[..cut]), Err(Refusal::BadRecord));
        }
        for flipped in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[flipped] ^= 1;
            assert_eq!(vault(1).unseal("k1", &changed), Err(Refusal::BadRecord));
        }
    }

    #[test]
    fn derives_apart_by_root_purpose_and_data() {
        let first = vault(1).derive("a", b"bc");
        assert_eq!(first, vault(1).derive("a", b"bc"));
        for other in [vault(2).derive("a", b"bc"), vault(1).derive("ab", b"c"), vault(1).derive("a", b"b")] {
            assert_ne!(first, other);
        }
    }
}

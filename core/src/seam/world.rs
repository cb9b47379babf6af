//! What outlives a request.

use crate::{
    settings::Settings,
    time::UnixTime,
    token::{self, Algorithm, Key, KeySet, Profile, Role, Verified},
    vault::Vault,
};
use alloc::{borrow::Cow, vec::Vec};
use serde::{Deserialize, Serialize};
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
    /// memory, never for a store or a wire. Only the same build reads it.
    ///
    /// `None` when it cannot be encoded, which is a defect.
    pub fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let keys = self.vault.keys().iter().map(|(key, role)| Kept {
            kid: Cow::Borrowed(key.kid()),
            algorithm: key.algorithm(),
            secret: Cow::Borrowed(key.secret()),
            role,
        });
        let mut keys: Vec<Kept<'_>> = keys.collect();
        // Signing keys come in no particular order; sorted, equal worlds have equal bytes.
        keys.sort_by(|a, b| a.kid.cmp(&b.kid));
        postcard::to_allocvec(&(&self.settings, self.vault.root(), keys)).ok().map(Zeroizing::new)
    }

    /// The world that [`World::to_bytes`] has written; `None` when these are not such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (settings, mut root, kept) = postcard::from_bytes::<(Settings, [u8; 32], Vec<Kept<'_>>)>(bytes).ok()?;
        let keys = kept.iter().map(|kept| Some((Key::new(&kept.kid, kept.algorithm, &kept.secret).ok()?, kept.role)));
        let vault = Vault::new(root, KeySet::new(keys.collect::<Option<Vec<_>>>()?).ok()?);
        root.zeroize();
        Some(Self { settings, vault })
    }

    /// Checks signature, times and profile of an access token. Whether it was revoked, or its user is gone, stands in the
    /// store and is not looked at here.
    pub fn verify(&self, token: &str, now: UnixTime) -> Result<Verified, token::Refusal> {
        let Settings { issuer, audience, leeway, .. } = &self.settings;
        let profile = Profile { issuer, audience: audience.as_deref(), leeway: *leeway, typ: "JWT" };
        self.vault.keys().verify(token, &profile, now)
    }
}

/// A signing key in the bytes of a world.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    kid: Cow<'a, str>,
    algorithm: Algorithm,
    #[serde(borrow)]
    secret: Cow<'a, [u8]>,
    role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let keys = [("b", Role::Verify), ("a", Role::Sign)];
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
        let mut keys: Vec<_> = read.vault.keys().iter().map(|(key, role)| (key.kid(), key.secret(), role)).collect();
        keys.sort_by_key(|(kid, ..)| *kid);
        assert_eq!(keys, [("a", [7; 32].as_slice(), Role::Sign), ("b", [7; 32].as_slice(), Role::Verify)]);
        assert_eq!(read.to_bytes().unwrap(), bytes, "equal worlds have equal bytes");
    }

    #[test]
    fn cut_bytes_are_no_world() {
        let bytes = world().to_bytes().unwrap();
        for end in 0..bytes.len() {
            assert!(World::from_bytes(&bytes[..end]).is_none(), "the first {end} octets");
        }
    }
}

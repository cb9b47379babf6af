//! A set of keys as octets, for handing it into a module instance.

use super::{Algorithm, Key, KeyError, KeyRole, KeySet};
use crate::time::UnixTime;
use alloc::{borrow::Cow, string::String, vec::Vec};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize)]
struct HandedSet<'a> {
    #[serde(borrow)]
    keys: Vec<HandedKey<'a>>,
    #[serde(borrow)]
    unusable: Cow<'a, [String]>,
}

#[derive(Serialize, Deserialize)]
struct HandedKey<'a> {
    kid: &'a str,
    algorithm: Algorithm,
    role: KeyRole,
    until: Option<UnixTime>,
    octets: &'a [u8],
}

impl KeySet {
    /// The set as octets, secrets included, in the clear.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let keys = self.iter().map(|(key, role)| HandedKey {
            kid: key.kid(),
            algorithm: key.algorithm(),
            role,
            until: key.until(),
            octets: key.octets(),
        });
        let set = HandedSet { keys: keys.collect(), unusable: Cow::Borrowed(self.unusable()) };
        // Serializing into memory fails only for types that cannot be serialized; an empty result is not a set to any reader.
        Zeroizing::new(postcard::to_allocvec(&set).unwrap_or_default())
    }

    /// The set of [`KeySet::to_bytes`]. Its keys are keyed anew at each use, which is cheapest for a set that sees one token;
    /// for a longer life add [`KeySet::keyed`].
    ///
    /// # Errors
    /// [`KeyError::BadBytes`], [`KeyError::BadKid`], [`KeyError::ShortSecret`], and what [`KeySet::new`] finds. Whether a public key is a
    /// point that may be a key shows at its first use.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let (set, rest) = postcard::take_from_bytes::<HandedSet<'_>>(bytes).map_err(|_| KeyError::BadBytes)?;
        if !rest.is_empty() {
            return Err(KeyError::BadBytes);
        }
        let open = |key: &HandedKey<'_>| Ok(Key::unkeyed(key.kid, key.algorithm, key.octets)?.lasting(key.until));
        let keys = set.keys.iter().map(|key| Ok((open(key)?, key.role)));
        Self::with_unusable(keys.collect::<Result<_, _>>()?, set.unusable.into_owned())
    }
}

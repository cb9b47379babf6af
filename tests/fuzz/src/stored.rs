//! What is read from the store and from files.

use waxseal_core::{
    password::{Hash, List, prepare},
    record::{
        Admins, Attempts, Authorization, AuthorizationAt, Cluster, Count, CustomRole, CustomRoles, Ended, LastUid, Lock,
        Pair, PairOf, Published, Revoked, Schemes, Seen, SigningKey, SshKeys, Stored, User, UserProfile,
    },
    seam::{Record, Version, World},
    settings::Settings,
};

/// A record of any kind; the first octet says which. What can be read is written back the same.
pub(crate) fn records(data: &[u8]) {
    let Some((kind, value)) = data.split_first() else { return };
    let record = Record { version: Version(1), value: value.to_vec() };
    macro_rules! read {
        ($($number:literal => $type:ty,)*) => {
            match kind % 24 {
                $($number => {
                    if let Ok(read) = <$type>::of(&record) {
                        let again = Record { version: Version(1), value: read.encode() };
                        assert!(<$type>::of(&again).is_ok(), "what was written cannot be read");
                    }
                })*
                17 => drop(World::from_bytes(value)),
                18 => {
                    if let Ok(text) = core::str::from_utf8(value)
                        && let Ok(hash) = text.parse::<Hash>()
                    {
                        assert!(hash.to_string().parse::<Hash>().is_ok());
                        let _ = List::import(vec![hash], 16);
                    }
                }
                _ => {
                    if let Ok(text) = core::str::from_utf8(value) {
                        let _ = prepare(text);
                    }
                }
            }
        };
    }
    read! {
        0 => User, 1 => LastUid, 2 => Admins, 3 => Attempts, 4 => Lock, 5 => Seen, 6 => Authorization, 7 => AuthorizationAt,
        8 => Cluster, 9 => Pair, 10 => PairOf, 11 => Revoked, 12 => Count, 13 => Schemes, 14 => SigningKey,
        15 => SshKeys, 16 => UserProfile, 20 => CustomRole, 21 => CustomRoles, 22 => Ended, 23 => Published,
    }
}

/// A configuration of the rules.
pub(crate) fn settings(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(settings) = toml::from_str::<Settings>(text) {
        let again = serde_json::to_string(&settings).unwrap();
        serde_json::from_str::<Settings>(&again).unwrap();
    }
}

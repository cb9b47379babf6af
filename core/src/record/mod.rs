//! What is stored: one type per kind of record, its key and its encoding.
//!
//! Every value starts with one octet, the format version of its kind, followed by the `postcard` encoding of the type of that
//! version. A new version keeps the old type, or says what it lacked, and says in [`Stored::migrate`] how it becomes the new one;
//! records are rewritten in the new form whenever they change.

mod attempts;
mod authorization;
mod cluster;
mod count;
mod custom_role;
mod ended;
pub mod key;
mod pair;
mod profile;
mod revoked;
mod schemes;
mod signing_key;
mod snapshot;
mod ssh_keys;
mod user;

pub use attempts::{Attempts, Lock, Seen};
pub use authorization::{Authorization, AuthorizationAt, RevokedScopes, Scope};
pub use cluster::Cluster;
pub use count::Count;
pub use custom_role::{CustomRole, CustomRoles};
pub use ended::Ended;
pub use pair::{Pair, PairId, PairOf, PairsEnded};
pub use profile::UserProfile;
pub use revoked::Revoked;
pub use schemes::Schemes;
pub use signing_key::{KeyState, SigningKey};
pub use snapshot::Published;
pub use ssh_keys::{SshKey, SshKeys};
pub use user::{Admins, LastUid, Role, Uid, User};

use crate::{refusal::Refusal, seam::Record};
use alloc::vec::Vec;
use serde::{Serialize, de::DeserializeOwned};

/// A kind of record.
pub trait Stored: Serialize + DeserializeOwned {
    /// The format version this code writes.
    const VERSION: u8;

    /// Reads a value of an older format version.
    fn migrate(_version: u8, _body: &[u8]) -> Option<Self> {
        None
    }

    /// The stored form.
    fn encode(&self) -> Vec<u8> {
        // Serialising to a growing vector fails only for types without a length, and no record holds one.
        postcard::to_extend(self, alloc::vec![Self::VERSION]).unwrap_or_default()
    }

    /// From the stored form.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`] when it is of an unknown version, damaged, or followed by anything.
    fn decode(value: &[u8]) -> Result<Self, Refusal> {
        let (version, body) = value.split_first().ok_or(Refusal::BadRecord)?;
        if *version != Self::VERSION {
            return Self::migrate(*version, body).ok_or(Refusal::BadRecord);
        }
        match postcard::take_from_bytes(body) {
            Ok((decoded, [])) => Ok(decoded),
            _ => Err(Refusal::BadRecord),
        }
    }

    /// From a record as it was read.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`], see [`Stored::decode`].
    fn of(record: &Record) -> Result<Self, Refusal> {
        Self::decode(&record.value)
    }
}

/// What a record of `version` 1 holds, where that is one of today without its last member, which then is zero. Not for a version 3: it says
/// itself what versions 1 and 2 lacked.
fn from_version_1<T: DeserializeOwned>(version: u8, body: &[u8]) -> Option<T> {
    lacking(1, body).filter(|_| version == 1)
}

/// What `body` holds, where that is a record of today without its last `count` numbers, which then are zero.
fn lacking<T: DeserializeOwned>(count: usize, body: &[u8]) -> Option<T> {
    let mut body = body.to_vec();
    body.resize(body.len() + count, 0);
    match postcard::take_from_bytes(&body) {
        Ok((decoded, [])) => Some(decoded),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{password::Scheme, time::UnixTime};
    use serde::Deserialize;

    #[derive(Debug, Eq, PartialEq, Serialize, Deserialize)]
    struct Thing {
        count: u32,
        label: alloc::string::String,
    }

    /// Version 1 had no label.
    #[derive(Serialize, Deserialize)]
    struct ThingV1 {
        count: u32,
    }

    impl Stored for Thing {
        const VERSION: u8 = 2;

        fn migrate(version: u8, body: &[u8]) -> Option<Self> {
            let old: ThingV1 = (version == 1).then(|| postcard::from_bytes(body).ok())??;
            Some(Self { count: old.count, label: "none".into() })
        }
    }

    #[test]
    fn values_come_back_as_they_went() {
        let thing = Thing { count: 300, label: "x".into() };
        assert_eq!(thing.encode(), [2, 0xac, 0x02, 1, b'x']);
        assert_eq!(Thing::decode(&thing.encode()), Ok(thing));
    }

    #[test]
    fn older_versions_are_migrated_and_newer_ones_refused() {
        assert_eq!(Thing::decode(&[1, 7]), Ok(Thing { count: 7, label: "none".into() }));
        assert_eq!(Thing::decode(&[3, 7]), Err(Refusal::BadRecord));
    }

    #[test]
    fn damage_is_refused() {
        for value in [[].as_slice(), &[2], &[2, 0xac], &[2, 7, 5, b'x'], &[2, 7, 1, b'x', 0]] {
            assert_eq!(Thing::decode(value), Err(Refusal::BadRecord), "{value:?}");
        }
    }

    /// Checks against the stored form of the released format: whoever changes one of them has to raise its version and migrate.
    #[track_caller]
    fn check<T: Stored + PartialEq + core::fmt::Debug>(record: &T, octets: &[u8]) {
        assert_eq!(record.encode(), octets);
        assert_eq!(T::decode(octets).as_ref(), Ok(record));
    }

    const TIME: UnixTime = UnixTime::from_secs(1);

    fn uid() -> Uid {
        Uid::new(300).unwrap()
    }

    #[test]
    fn the_format_of_users_stays() {
        const HASH: &[u8] = b"$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$iqbHhgtqJMWWf23kIatRWniYNRyhFWif/l6I+m/2Exw";
        let hash: crate::password::Hash = core::str::from_utf8(HASH).unwrap().parse().unwrap();
        let user = User {
            uid: uid(),
            id: [5; 12],
            name: "n".into(),
            email: "e".into(),
            role: Role::UserManager,
            email_alerts: true,
            passwords: crate::password::List::new(hash),
            salt: [6; 16],
            password_issued: TIME,
            generation: 2,
            session_epoch: 3,
            lock_epoch: 4,
            disabled: false,
            created: TIME,
        };
        let [first, second, third] =
            [&[1, 0xac, 0x02][..], &[1, b'n', 1, b'e', 6, 1, 1, 77], &[0xe8, 0x07, 2, 3, 4, 0, 0xe8, 0x07]];
        check(&user, &[first, &[5; 12], second, HASH, &[6; 16], third].concat());
        for (number, role) in (0..).zip(Role::ALL) {
            assert_eq!(postcard::to_allocvec(&role).as_deref(), Ok(&[number][..]));
        }
        check(&uid(), &[1, 0xac, 0x02]);
        check(&LastUid(300), &[1, 0xac, 0x02]);
        check(&Admins([Uid::new(1).unwrap(), uid()].into()), &[1, 2, 1, 0xac, 0x02]);
        check(&Seen(TIME), &[1, 0xe8, 0x07]);
        check(&Ended { uid: uid(), generation: Ended::GONE }, &[1, 0xac, 0x02, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        let profile = UserProfile { full_name: Some("A".into()), roles: ["r".into()].into(), metadata: "{}".into() };
        check(&profile, &[1, 1, 1, b'A', 1, 1, b'r', 2, b'{', b'}']);
        check(&CustomRole { definition: "{}".into() }, &[1, 2, b'{', b'}']);
        check(&CustomRoles(["r".into()].into()), &[1, 1, 1, b'r']);
        let key = SshKey { name: "n".into(), kind: "k".into(), content: "c".into() };
        check(&SshKeys([key].into()), &[1, 1, 1, b'n', 1, b'k', 1, b'c']);
    }

    #[test]
    fn the_format_of_logins_stays() {
        let lock = Lock { until: TIME, epoch: 2, since: TIME };
        check(&lock, &[2, 0xe8, 0x07, 2, 0xe8, 0x07]);
        assert_eq!(Lock::decode(&[1, 0xe8, 0x07, 2]), Ok(Lock { since: UnixTime::default(), ..lock }));
        assert_eq!(Lock::decode(&[1, 0xe8, 0x07, 2, 0]), Err(Refusal::BadRecord));
        let attempts = Attempts { failures: 1, since: TIME, until: TIME, epoch: 2, succeeded: TIME, total: 3 };
        check(&attempts, &[2, 1, 0xe8, 0x07, 0xe8, 0x07, 2, 0xe8, 0x07, 3]);
        let old = Attempts::decode(&[1, 1, 0xe8, 0x07, 0xe8, 0x07, 2, 0xe8, 0x07]);
        assert_eq!(old, Ok(Attempts { total: 0, ..attempts }));
        let (argon2id, pbkdf2) =
            (Scheme::Argon2id { memory: 19_456, passes: 2, lanes: 1 }, Scheme::Pbkdf2Sha256 { iterations: 1000 });
        check(&Schemes([argon2id, pbkdf2].into()), &[1, 2, 0, 0x80, 0x98, 0x01, 2, 1, 1, 0xe8, 0x07]);
        check(&Cluster::default(), &[1, 0, 0, 8, 0, 5, 0x84, 0x07, 0x88, 0x0e, 15]);
        let cluster = Cluster { name: Some("n".into()), password_complexity: Some(true), ..Cluster::default() };
        check(&cluster, &[1, 1, 1, b'n', 1, 1, 8, 0, 5, 0x84, 0x07, 0x88, 0x0e, 15]);
    }

    #[test]
    fn the_format_of_tokens_stays() {
        let revoked = Revoked { until: TIME, only_here: true };
        check(&revoked, &[2, 0xe8, 0x07, 1]);
        assert_eq!(Revoked::decode(&[1, 0xe8, 0x07]), Ok(Revoked { only_here: false, ..revoked }));
        let ended = PairsEnded { last: TIME, issued: UnixTime::from_secs(0) };
        check(&ended, &[2, 0xe8, 0x07, 0]);
        assert_eq!(PairsEnded::decode(&[1, 0xe8, 0x07]), Ok(PairsEnded { issued: TIME, ..ended }));
        let of = PairOf { uid: uid(), id: [7; 32], family: [8; 32] };
        check(&of, &[[2, 0xac, 0x02].as_slice(), &[7; 32], &[8; 32]].concat());
        let old = [[1, 0xac, 0x02].as_slice(), &[7; 32]].concat();
        assert_eq!(PairOf::decode(&old), Ok(PairOf { family: [7; 32], ..of }));
        let pair = Pair {
            id: [7; 32],
            family: [8; 32],
            uid: uid(),
            client: Uid::new(1).unwrap(),
            generation: 2,
            created: TIME,
            access_expires: TIME,
            access_invalidated: true,
            refreshable: true,
            refresh_invalidated: false,
            refreshed: Some((TIME, [9; 32])),
            began: UnixTime::from_secs(0),
            family_ends: TIME,
            ended: [TIME, UnixTime::from_secs(0)],
        };
        let rest = [0xac, 0x02, 1, 2, 0xe8, 0x07, 0xe8, 0x07, 1, 1, 0, 1, 0xe8, 0x07];
        let octets = [[7; 32].as_slice(), &[8; 32], &rest, &[9; 32]].concat();
        check(&pair, &[[3].as_slice(), &octets, &[0, 0xe8, 0x07, 0xe8, 0x07, 0]].concat());
        // Its family has the end that the settings give it, and what ended with it has ended it, in the same moment too.
        let old = Pair { family_ends: UnixTime::from_millis(u64::MAX), ended: [UnixTime::from_millis(999); 2], ..pair };
        assert_eq!(Pair::decode(&[[2].as_slice(), &octets, &[0]].concat()).as_ref(), Ok(&old));
        assert_eq!(Pair::decode(&[[1].as_slice(), &octets].concat()), Ok(Pair { began: TIME, ..old }));
        for damaged in [
            [[2].as_slice(), &octets].concat(),
            [[2].as_slice(), &octets, &[0, 0]].concat(),
            [[1].as_slice(), &octets, &[0]].concat(),
            [[1].as_slice(), &octets[..octets.len() - 1]].concat(),
            [[0].as_slice(), &octets].concat(),
        ] {
            assert_eq!(Pair::decode(&damaged), Err(Refusal::BadRecord));
        }
    }

    #[test]
    fn the_format_of_authorizations_stays() {
        let authorization = Authorization {
            id: [5; 12],
            secret: [6; 32],
            uid: uid(),
            scopes: Scope::ALL.into(),
            note: Some("n".into()),
            created: TIME,
            expires: TIME,
            generation: 2,
            session_epoch: 3,
            era: 4,
        };
        let rest = [0xac, 0x02, 3, 0, 1, 2, 1, 1, b'n', 0xe8, 0x07, 0xe8, 0x07, 2, 3, 4];
        check(&authorization, &[[1].as_slice(), &[5; 12], &[6; 32], &rest].concat());
        let at = AuthorizationAt { uid: uid(), created: TIME, id: [5; 12] };
        check(&at, &[[1, 0xac, 0x02, 0xe8, 0x07].as_slice(), &[5; 12]].concat());
        check(&Count(300), &[1, 0xac, 0x02]);
        check(&RevokedScopes::default().plus(None).plus(Some(Scope::Userinfo)), &[1, 1, 1, 2]);
    }

    #[test]
    fn the_format_of_keys_stays() {
        let signing = SigningKey {
            kid: "k".into(),
            algorithm: crate::token::Algorithm::Hs256,
            state: KeyState::Signs,
            created: TIME,
            sealed: [9].into(),
        };
        check(&signing, &[1, 1, b'k', 0, 0, 0xe8, 0x07, 1, 9]);
        let verifies = SigningKey { state: KeyState::Verifies { until: Some(TIME) }, ..signing.clone() };
        check(&verifies, &[1, 1, b'k', 0, 1, 1, 0xe8, 0x07, 0xe8, 0x07, 1, 9]);
        let follows = SigningKey { state: KeyState::Follows { from: TIME }, ..signing.clone() };
        check(&follows, &[1, 1, b'k', 0, 2, 0xe8, 0x07, 0xe8, 0x07, 1, 9]);
        let leaves = SigningKey { state: KeyState::Leaves { at: TIME, until: TIME }, ..signing };
        check(&leaves, &[1, 1, b'k', 0, 3, 0xe8, 0x07, 0xe8, 0x07, 0xe8, 0x07, 1, 9]);
        #[cfg(feature = "public-keys")]
        for (algorithm, number) in [
            (crate::token::Algorithm::EdDsa, 3),
            (crate::token::Algorithm::Es256, 4),
            (crate::token::Algorithm::Ed25519, 5),
        ] {
            assert_eq!(SigningKey { algorithm, ..leaves.clone() }.encode()[3], number);
        }
        let published = Published { number: 1, issued: TIME, kid: "k".into(), issuer: "i".into(), text: "t".into() };
        check(&published, &[1, 1, 0xe8, 0x07, 1, b'k', 1, b'i', 1, b't']);
    }
}

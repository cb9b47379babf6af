//! The names of records: the whole key space on one page.

use super::{AuthorizationAt, PairId, Uid};
use crate::{hex, seam::RecordKey, token::base64url};
use alloc::{format, string::String};
use sha2::{Digest, Sha256};

/// What the keys of all users start with.
pub const USERS: &str = "user/";
/// What the keys of all signing keys start with.
pub const SIGNING_KEYS: &str = "key/";
/// What the keys of all locks start with.
pub const LOCKS: &str = "lock/";
/// What the keys of all times of last login start with.
pub const SEEN: &str = "seen/";

/// [`super::User`].
pub fn user(uid: Uid) -> RecordKey {
    RecordKey(of_user(USERS, uid))
}

/// Which user has this name: [`Uid`].
pub fn name(name: &str) -> RecordKey {
    RecordKey(format!("name/{}", plain(name, 255)))
}

/// Which user has this e-mail address: [`Uid`].
pub fn email(email: &str) -> RecordKey {
    RecordKey(format!("email/{}", plain(email, 255)))
}

/// [`super::Lock`] of a user.
pub fn lock(uid: Uid) -> RecordKey {
    RecordKey(of_user(LOCKS, uid))
}

/// [`super::Seen`]: the last login of a user.
pub fn seen(uid: Uid) -> RecordKey {
    RecordKey(of_user(SEEN, uid))
}

/// [`super::LastUid`]: the uid given out last.
pub fn last_uid() -> RecordKey {
    RecordKey("counter/uid".into())
}

/// [`super::Admins`]: the users with role `admin` who may log in.
pub fn admins() -> RecordKey {
    RecordKey("admins".into())
}

/// [`super::Cluster`]: policies that administrators change at run time.
pub fn cluster() -> RecordKey {
    RecordKey("cluster".into())
}

/// [`super::Schemes`]: password schemes in use.
pub fn schemes() -> RecordKey {
    RecordKey("schemes".into())
}

/// [`super::SigningKey`].
pub fn signing_key(kid: &str) -> RecordKey {
    RecordKey(format!("{SIGNING_KEYS}{}", plain(kid, 255)))
}

/// [`super::Count`]: how often signing keys were added.
pub fn key_changes() -> RecordKey {
    RecordKey("key-changes".into())
}

/// What the keys of all revoked tokens start with.
pub const REVOKED: &str = "revoked/";
/// What the keys of all users whose tokens have ended start with.
pub const ENDED: &str = "ended/";
/// What the keys of everybody's and every user's [`super::PairsEnded`] start with.
pub const PAIRS_ENDED: &str = "pairs-ended";

/// [`super::Ended`] of a user.
pub fn ended(uid: Uid) -> RecordKey {
    RecordKey(of_user(ENDED, uid))
}

/// [`super::Published`]: the revocation snapshot given out last.
pub fn snapshot() -> RecordKey {
    RecordKey("snapshot".into())
}

/// [`super::Revoked`]: present while the token with this `jti` is revoked and not yet expired.
pub fn revoked(jti: &str) -> RecordKey {
    RecordKey([REVOKED, &plain(jti, 64)].concat())
}

/// What the keys of the revoked tokens of one user start with. They hold nothing, and are there for counting.
pub fn revoked_of(uid: Uid) -> String {
    format!("revoked-of/{:08x}/", uid.as_u32())
}

/// That the token with this `jti` is one of these.
pub fn revoked_one_of(uid: Uid, jti: &str) -> RecordKey {
    RecordKey([&*revoked_of(uid), &plain(jti, 64)].concat())
}

/// What the keys of all token pairs start with.
pub const PAIRS: &str = "pair/";

/// What the keys of the token pairs of one user start with.
pub fn pairs_of(uid: Uid) -> String {
    format!("{PAIRS}{:08x}/", uid.as_u32())
}

/// [`super::Pair`].
pub fn pair(uid: Uid, id: &PairId) -> RecordKey {
    RecordKey(format!("{}{}", pairs_of(uid), base64url::encode(id)))
}

/// [`super::PairsEnded`] of one user, or of everybody.
pub fn pairs_ended(whose: Option<Uid>) -> RecordKey {
    RecordKey(whose.map_or_else(|| PAIRS_ENDED.into(), |uid| of_user("pairs-ended/", uid)))
}

/// Present while there is a [`family_ended`] of this user. It holds nothing.
pub fn families_ended(uid: Uid) -> RecordKey {
    RecordKey(of_user("family-ended/", uid))
}

/// Present while a pair of this family could live, none of which is good any more. It holds nothing.
pub fn family_ended(uid: Uid, family: &PairId) -> RecordKey {
    RecordKey(format!("family-ended/{:08x}/{}", uid.as_u32(), base64url::encode(family)))
}

/// [`super::PairOf`] an access token, by its `jti`.
pub fn pair_of_access(jti: &str) -> RecordKey {
    RecordKey(format!("access/{}", plain(jti, 64)))
}

/// [`super::PairOf`] a refresh token, by its digest.
pub fn pair_of_refresh(token: &str) -> RecordKey {
    RecordKey(format!("refresh/{}", base64url::encode(&Sha256::digest(token))))
}

/// What the keys of the authorizations of one user start with; newer ones come first.
pub fn authorizations_of(uid: Uid) -> String {
    format!("authz/{:08x}/", uid.as_u32())
}

/// [`super::Authorization`].
pub fn authorization(at: &AuthorizationAt) -> RecordKey {
    let id = u128::from_be_bytes([[0; 4].as_slice(), &at.id].concat().try_into().unwrap_or_default());
    RecordKey(format!("{}{:016x}{id:024x}", authorizations_of(at.uid), u64::MAX - at.created.as_millis()))
}

/// [`AuthorizationAt`] of the id that is shown: 24 hex digits.
pub fn authorization_id(id: &str) -> RecordKey {
    RecordKey(format!("authz-id/{}", plain(id, 24)))
}

/// [`AuthorizationAt`] of a token, by its digest.
pub fn authorization_token(token: &str) -> RecordKey {
    RecordKey(["authz-token/", &base64url::encode(&Sha256::digest(token))].concat())
}

/// [`super::Count`]: how often an administrator revoked everybody's authorizations.
pub fn era_of_everybody() -> RecordKey {
    RecordKey("authz-era".into())
}

/// [`super::RevokedScopes`] of a user.
pub fn era_of_user(uid: Uid) -> RecordKey {
    RecordKey(of_user("authz-era/", uid))
}

/// [`super::SshKeys`] of a user.
pub fn ssh_keys(uid: Uid) -> RecordKey {
    RecordKey(of_user("ssh-keys/", uid))
}

/// What the keys of all profiles start with.
pub const PROFILES: &str = "profile/";

/// [`super::UserProfile`] of a user.
pub fn profile(uid: Uid) -> RecordKey {
    RecordKey(of_user(PROFILES, uid))
}

/// [`super::CustomRole`].
pub fn custom_role(name: &str) -> RecordKey {
    RecordKey(format!("role/{}", plain(name, 255)))
}

/// [`super::CustomRoles`]: the names of all of them.
pub fn custom_roles() -> RecordKey {
    RecordKey("roles".into())
}

/// [`super::Attempts`] on one account over all sources; `id` hides the name.
pub fn account_attempts(id: &[u8; 16]) -> RecordKey {
    RecordKey(format!("tries/account/{}", base64url::encode(id)))
}

/// [`super::Attempts`] on one account from one source.
pub fn pair_attempts(id: &[u8; 16]) -> RecordKey {
    RecordKey(format!("tries/pair/{}", base64url::encode(id)))
}

/// [`super::Attempts`] of which only `until` counts: until when a source was told that it is turned away.
pub fn turned_away(id: &[u8; 16]) -> RecordKey {
    RecordKey(format!("tries/away/{}", base64url::encode(id)))
}

/// [`super::Attempts`] from one source over all accounts.
pub fn source_attempts(id: &[u8; 16]) -> RecordKey {
    RecordKey(format!("tries/source/{}", base64url::encode(id)))
}

/// The user whose record this is, one of those that [`pairs_ended`] names; `None` for the one of everybody.
pub fn whose_pairs_ended(key: &RecordKey) -> Option<Uid> {
    let digits = key.as_str().strip_prefix(PAIRS_ENDED)?.strip_prefix('/')?;
    u32::from_str_radix(digits, 16).ok().and_then(Uid::new)
}

/// The number of a user behind `prefix`, such as [`USERS`]: eight hex digits, so that keys sort by number. Made on every request,
/// hence without `format!`.
pub(crate) fn of_user(prefix: &str, uid: Uid) -> String {
    let mut key = String::with_capacity(prefix.len() + 8);
    key.push_str(prefix);
    hex::append(&uid.as_u32().to_be_bytes(), &mut key);
    key
}

/// `text` if it may stand in a key as it is, else its digest after a `#`, which no plain text starts with.
fn plain(text: &str, max: usize) -> String {
    let is_plain =
        text.len() <= max && !text.starts_with('#') && text.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' ');
    if is_plain { text.into() } else { format!("#{}", base64url::encode(&Sha256::digest(text))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;

    const DIGEST: &str = "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A";

    fn uid() -> Uid {
        Uid::new(300).unwrap()
    }

    fn made(secs: u64, id: u8) -> AuthorizationAt {
        AuthorizationAt { uid: uid(), created: UnixTime::from_secs(secs), id: [id; 12] }
    }

    /// Whoever changes one of them orphans what every store holds under it.
    #[test]
    fn the_keys_of_records_stay() {
        let digest = [7; 16];
        for (key, expected) in [
            (user(uid()), "user/0000012c"),
            (name("ada"), "name/ada"),
            (email("a b@example.com"), "email/a b@example.com"),
            (lock(uid()), "lock/0000012c"),
            (seen(uid()), "seen/0000012c"),
            (last_uid(), "counter/uid"),
            (admins(), "admins"),
            (cluster(), "cluster"),
            (schemes(), "schemes"),
            (signing_key("k"), "key/k"),
            (key_changes(), "key-changes"),
            (ended(uid()), "ended/0000012c"),
            (snapshot(), "snapshot"),
            (revoked("j"), "revoked/j"),
            (revoked_one_of(uid(), "j"), "revoked-of/0000012c/j"),
            (pair(uid(), &[7; 32]), "pair/0000012c/BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"),
            (families_ended(uid()), "family-ended/0000012c"),
            (family_ended(uid(), &[7; 32]), "family-ended/0000012c/BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"),
            (pairs_ended(None), "pairs-ended"),
            (pairs_ended(Some(uid())), "pairs-ended/0000012c"),
            (pair_of_access("j"), "access/j"),
            (pair_of_refresh("token"), &format!("refresh/{DIGEST}")),
            (authorization(&made(1, 5)), "authz/0000012c/fffffffffffffc17050505050505050505050505"),
            (authorization_id("0a"), "authz-id/0a"),
            (authorization_token("token"), &format!("authz-token/{DIGEST}")),
            (era_of_everybody(), "authz-era"),
            (era_of_user(uid()), "authz-era/0000012c"),
            (ssh_keys(uid()), "ssh-keys/0000012c"),
            (profile(uid()), "profile/0000012c"),
            (custom_role("r"), "role/r"),
            (custom_roles(), "roles"),
            (account_attempts(&digest), "tries/account/BwcHBwcHBwcHBwcHBwcHBw"),
            (pair_attempts(&digest), "tries/pair/BwcHBwcHBwcHBwcHBwcHBw"),
            (turned_away(&digest), "tries/away/BwcHBwcHBwcHBwcHBwcHBw"),
            (source_attempts(&digest), "tries/source/BwcHBwcHBwcHBwcHBwcHBw"),
        ] {
            assert_eq!(key.as_str(), expected);
        }
    }

    #[test]
    fn what_may_not_stand_in_a_key_is_there_by_its_digest() {
        let long = "x".repeat(256);
        for (key, expected) in [
            (name("caf\u{e9}"), "name/#hQ99xDkQ_4kPiHnA7Sb-aXyToGetk6fVD0ZqcCipv04"),
            (email("#a"), "email/#MC1ZxPnnV1AWYQXqHYs2cw7WEcu0MSwBrudj0l7jkjE"),
            (signing_key(&long[1..]), &format!("key/{}", &long[1..])),
            (signing_key(&long), "key/#heYqzXUMTrVre2odZtylv6rF8GJgihqJNBDQKIk2wJo"),
            (revoked(&long[..64]), &format!("revoked/{}", &long[..64])),
            (revoked(&long[..65]), "revoked/#lTfF_fEgSC99WNJentWD9SwCtOME6oFNsWM61WWu1-k"),
        ] {
            assert_eq!(key.as_str(), expected);
        }
    }

    #[test]
    fn what_a_range_lists_begins_with_its_prefix() {
        for (key, prefix) in [
            (user(uid()), USERS.into()),
            (signing_key("k"), SIGNING_KEYS.into()),
            (lock(uid()), LOCKS.into()),
            (seen(uid()), SEEN.into()),
            (revoked("j"), REVOKED.into()),
            (ended(uid()), ENDED.into()),
            (pairs_ended(Some(uid())), PAIRS_ENDED.into()),
            (revoked_one_of(uid(), "j"), revoked_of(uid())),
            (pair(uid(), &[7; 32]), pairs_of(uid())),
            (pair(uid(), &[7; 32]), PAIRS.into()),
            (authorization(&made(1, 5)), authorizations_of(uid())),
            (profile(uid()), PROFILES.into()),
        ] {
            assert!(key.as_str().starts_with(&prefix), "{key:?} {prefix}");
        }
        assert!(user(Uid::new(1).unwrap()) < user(uid()), "users by number");
        assert_eq!(whose_pairs_ended(&pairs_ended(Some(uid()))), Some(uid()));
        assert_eq!(whose_pairs_ended(&pairs_ended(None)), None);
    }

    #[test]
    fn newer_authorizations_come_first() {
        let sorted =
            [made(u64::MAX / 1000, 0), made(3, 0), made(2, 1), made(2, 2), made(0, 0)].map(|at| authorization(&at));
        assert!(sorted.is_sorted(), "{sorted:?}");
    }
}

//! What the Elasticsearch dialect keeps of users besides: read together with them, changed with them, deleted with them.

use super::{user, verify};
use crate::{
    record::{Uid, User, UserProfile, key},
    seam::{Op, Stop},
};
use alloc::vec::Vec;

/// The profile of a user; an empty one if none was ever stored.
pub(crate) fn profile(op: &Op<'_>, uid: Uid) -> Result<UserProfile, Stop> {
    Ok(op.load::<UserProfile>(&key::profile(uid))?.unwrap_or_default())
}

/// Stores the profile of a user, which was `before`; an empty one takes no room.
pub(crate) fn store_profile(op: &Op<'_>, uid: Uid, before: &UserProfile, after: &UserProfile) {
    if after == before {
        return;
    }
    if *after == UserProfile::default() {
        op.remove(key::profile(uid));
    } else {
        op.store(key::profile(uid), after);
    }
}

/// The users of these names and their profiles, in the order of the names. However many they are, they are read together.
pub(crate) fn named(op: &Op<'_>, names: &[&str]) -> Result<Vec<(User, UserProfile)>, Stop> {
    let keys: Vec<_> = names.iter().map(|name| key::name(name)).collect();
    op.want(&keys);
    let mut uids = Vec::with_capacity(keys.len());
    for key in &keys {
        uids.extend(op.load::<Uid>(key)?);
    }
    for uid in &uids {
        op.want(&[key::user(*uid), key::profile(*uid)]);
    }
    let mut found = Vec::with_capacity(uids.len());
    for uid in uids {
        if let Some(user) = user(op, uid)? {
            found.push((user, profile(op, uid)?));
        }
    }
    Ok(found)
}

/// Says that the profile of whoever logs in as `login` will be read, as soon as it is known who that is.
pub(crate) fn want_profile(op: &Op<'_>, login: &str) {
    if let Ok(Some(user)) = super::find_user(op, login) {
        op.want(&[key::profile(user.uid)]);
    }
}

/// Says that the profile of the user whose token this is will be read. For a token that is not good, does nothing.
pub(crate) fn want_profile_of_token(op: &Op<'_>, token: &str) {
    if let Some(uid) = verify(op, token).ok().and_then(|verified| verified.owner()) {
        op.want(&[key::profile(uid)]);
    }
}

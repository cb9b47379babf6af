//! The user object.

use crate::{
    engine,
    record::{Lock, Seen, User, key},
    seam::{Op, Stop},
};
use alloc::string::{String, ToString};
use serde::Serialize;

/// A user as shown by this API; never a password or hash. Times are RFC 3339.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    uid: u32,
    name: &'a str,
    /// Empty if there is none.
    email: &'a str,
    role: &'static str,
    disabled: bool,
    /// Whether at least one source may not log in after too many failures.
    locked: bool,
    /// None when it is not locked, or locked until an administrator unlocks.
    locked_until: Option<String>,
    passwords: usize,
    password_issued: String,
    created: String,
    last_login: Option<String>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(op: &Op<'_>, user: &'a User, lock: Option<Lock>, seen: Option<Seen>) -> Self {
        let lock = lock.filter(|lock| engine::is_locked(op, user, Some(lock)));
        Self {
            uid: user.uid.as_u32(),
            name: &user.name,
            email: &user.email,
            role: user.role.as_str(),
            disabled: user.disabled,
            locked: lock.is_some(),
            locked_until: lock.and_then(|lock| lock.ends()).map(|until| until.to_string()),
            passwords: user.passwords.len(),
            password_issued: user.password_issued.to_string(),
            created: user.created.to_string(),
            last_login: seen.map(|seen| seen.0.to_string()),
        }
    }

    /// With lock and last login as they are stored.
    ///
    /// # Errors
    /// [`Stop::Need`].
    pub(super) fn read(op: &Op<'_>, user: &'a User) -> Result<Self, Stop> {
        let (lock, seen) = (key::lock(user.uid), key::seen(user.uid));
        op.want(&[lock.clone(), seen.clone()]);
        Ok(Self::new(op, user, op.load(&lock)?, op.load(&seen)?))
    }
}

//! Creating, changing and deleting users.

use super::{audit, passwords::remember_schemes};
use crate::{
    password,
    record::{Admins, LastUid, Role, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Op, Stop},
};
use alloc::string::String;
use core::fmt::Display;

/// What a new user is made of; names and addresses have been checked by the dialect.
pub(crate) struct NewUser {
    /// The login name.
    pub(crate) name: String,
    /// Empty if there is none.
    pub(crate) email: String,
    /// What the user may do.
    pub(crate) role: Role,
    /// Kept for clients.
    pub(crate) email_alerts: bool,
}

/// What changes about a user; `None` stays.
#[derive(Default)]
pub(crate) struct Changes {
    /// The login name.
    pub(crate) name: Option<String>,
    /// The e-mail address.
    pub(crate) email: Option<String>,
    /// The role.
    pub(crate) role: Option<Role>,
    /// Kept for clients.
    pub(crate) email_alerts: Option<bool>,
}

/// The salt under which the passwords of a user that is being created are hashed.
///
/// # Errors
/// [`Refusal::NoEntropy`].
pub(crate) fn new_salt(op: &Op<'_>) -> Result<[u8; 16], Refusal> {
    op.moment.draw("salt")
}

/// Refuses a name or an address that another user goes by. Both kinds share one space, as both are good for logging in.
///
/// # Errors
/// [`Refusal::NameTaken`], [`Refusal::EmailTaken`].
pub(crate) fn check_free(op: &Op<'_>, name: Option<&str>, email: Option<&str>, except: Option<Uid>) -> Result<(), Stop> {
    let email = email.filter(|email| !email.is_empty());
    for text in [name, email].into_iter().flatten() {
        op.want(&[key::name(text), key::email(text)]);
    }
    let taken = |text: &str| -> Result<bool, Stop> {
        let owners = [op.load::<Uid>(&key::name(text))?, op.load::<Uid>(&key::email(text))?];
        Ok(owners.into_iter().flatten().any(|owner| Some(owner) != except))
    };
    if name.map(taken).transpose()? == Some(true) {
        return Err(Refusal::NameTaken.into());
    }
    if email.map(taken).transpose()? == Some(true) {
        return Err(Refusal::EmailTaken.into());
    }
    Ok(())
}

/// Creates a user with these passwords, hashed under `salt`.
///
/// # Errors
/// [`Refusal::NameTaken`], [`Refusal::EmailTaken`], [`Refusal::NoEntropy`].
pub(crate) fn create_user(
    op: &Op<'_>,
    actor: &dyn Display,
    new: NewUser,
    passwords: password::List,
    salt: [u8; 16],
) -> Result<User, Stop> {
    op.want(&[key::last_uid(), key::admins(), key::schemes()]);
    check_free(op, Some(&new.name), Some(&new.email), None)?;
    let last = op.load::<LastUid>(&key::last_uid())?.map_or(0, |last| last.0);
    let uid = last.checked_add(1).and_then(Uid::new).ok_or(Refusal::BadRecord)?;
    let user = User {
        uid,
        id: op.moment.draw("user id")?,
        name: new.name,
        email: new.email,
        role: new.role,
        email_alerts: new.email_alerts,
        passwords,
        salt,
        password_issued: op.now(),
        generation: 0,
        session_epoch: 0,
        lock_epoch: 0,
        disabled: false,
        created: op.now(),
    };
    remember_schemes(op, user.passwords.schemes())?;
    enlist(op, uid, None, Some(user.role))?;
    op.store(key::last_uid(), &LastUid(uid.as_u32()));
    op.store(key::name(&user.name), &uid);
    if !user.email.is_empty() {
        op.store(key::email(&user.email), &uid);
    }
    // Not read: another operation may have given out this uid since the counter was read, and then this one has lost a race and
    // starts over, instead of finding a record that should not be there.
    op.put_new(key::user(uid), user.encode());
    audit(op, "user.create", actor, &uid, None);
    Ok(user)
}

/// Changes names, address, role and alerts of `user`, and stores him.
///
/// # Errors
/// [`Refusal::NameTaken`], [`Refusal::EmailTaken`], [`Refusal::LastAdmin`].
pub(crate) fn change_user(op: &Op<'_>, actor: &dyn Display, user: &mut User, changes: Changes) -> Result<(), Stop> {
    check_free(op, changes.name.as_deref(), changes.email.as_deref(), Some(user.uid))?;
    if let Some(role) = changes.role.filter(|role| *role != user.role) {
        enlist(op, user.uid, Some(user.role), Some(role))?;
        user.role = role;
    }
    if let Some(name) = changes.name.filter(|name| *name != user.name) {
        remove_index(op, key::name(&user.name))?;
        op.store(key::name(&name), &user.uid);
        user.name = name;
    }
    if let Some(email) = changes.email.filter(|email| *email != user.email) {
        if !user.email.is_empty() {
            remove_index(op, key::email(&user.email))?;
        }
        if !email.is_empty() {
            op.store(key::email(&email), &user.uid);
        }
        user.email = email;
    }
    user.email_alerts = changes.email_alerts.unwrap_or(user.email_alerts);
    store_user(op, user);
    audit(op, "user.change", actor, &user.uid, None);
    Ok(())
}

/// Deletes a user; all his tokens end with him, as his uid is never given out again.
///
/// # Errors
/// [`Refusal::LastAdmin`].
pub(crate) fn delete_user(op: &Op<'_>, actor: &dyn Display, user: &User) -> Result<(), Stop> {
    op.want(&[key::name(&user.name), key::email(&user.email), key::admins()]);
    enlist(op, user.uid, Some(user.role), None)?;
    remove_index(op, key::name(&user.name))?;
    if !user.email.is_empty() {
        remove_index(op, key::email(&user.email))?;
    }
    op.remove(key::user(user.uid));
    op.remove(key::lock(user.uid));
    op.remove(key::seen(user.uid));
    op.remove(key::ssh_keys(user.uid));
    op.remove(key::revoked_scopes(user.uid));
    audit(op, "user.delete", actor, &user.uid, None);
    Ok(())
}

/// Stores a user as he is now.
pub(crate) fn store_user(op: &Op<'_>, user: &User) {
    op.store(key::user(user.uid), user);
}

/// Removes an entry of the directory, on the condition that it is as read.
fn remove_index(op: &Op<'_>, key: crate::seam::Key) -> Result<(), Stop> {
    op.read(&key)?;
    op.remove(key);
    Ok(())
}

/// Keeps the list of administrators current.
///
/// # Errors
/// [`Refusal::LastAdmin`] when it would become empty.
fn enlist(op: &Op<'_>, uid: Uid, before: Option<Role>, after: Option<Role>) -> Result<(), Stop> {
    let is_admin = |role| role == Some(Role::Admin);
    if is_admin(before) == is_admin(after) {
        return Ok(());
    }
    let mut admins = op.load::<Admins>(&key::admins())?.unwrap_or_default();
    if is_admin(after) {
        admins.0.push(uid);
    } else {
        admins.0.retain(|admin| *admin != uid);
        if admins.0.is_empty() {
            return Err(Refusal::LastAdmin.into());
        }
    }
    op.store(key::admins(), &admins);
    Ok(())
}

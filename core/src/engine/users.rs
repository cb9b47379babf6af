//! Creating, changing and deleting users.

use super::{add_detail, audit, audit_change, passwords::remember_schemes};
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
    /// May not log in yet.
    pub(crate) disabled: bool,
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

impl Changes {
    /// The same changes; but where the name of `user` is the address, as it is for whoever was created without a name, the name changes
    /// with the address, as the old one would go on to sign the user in. When the address is removed the name stays, as there would be
    /// none.
    pub(crate) fn with_name_of(mut self, user: &User) -> Self {
        if user.name == user.email && self.name.is_none() {
            self.name = self.email.clone().filter(|email| !email.is_empty());
        }
        self
    }
}

/// The salt under which the passwords of a user that is being created are hashed.
///
/// # Errors
/// [`Refusal::NoEntropy`].
pub(crate) fn new_salt(op: &Op<'_>) -> Result<[u8; 16], Refusal> {
    op.moment.draw("salt")
}

/// Refuses a name or an address that another user goes by. Both kinds share one space, as both are good for logging in. A name that is
/// the address is checked as the address: mostly nobody has chosen it.
///
/// # Errors
/// [`Refusal::NameTaken`], [`Refusal::EmailTaken`].
pub(crate) fn check_free(op: &Op<'_>, name: Option<&str>, email: Option<&str>, except: Option<Uid>) -> Result<(), Stop> {
    let email = email.filter(|email| !email.is_empty());
    let name = name.filter(|name| email != Some(name));
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
        generation: User::next_generation(op, 0),
        session_epoch: 0,
        lock_epoch: 0,
        disabled: new.disabled,
        created: op.now(),
    };
    remember_schemes(op, user.passwords.schemes())?;
    if user.role == Role::Admin && !user.disabled {
        enlist(op, uid, true)?;
    }
    op.store(key::last_uid(), &LastUid(uid.as_u32()));
    op.store(key::name(&user.name), &uid);
    if !user.email.is_empty() {
        op.store(key::email(&user.email), &uid);
    }
    // Not read: another operation may have given out this uid since the counter was read, and then this one has lost a race and
    // starts over, instead of finding a record that should not be there.
    op.put_new(key::user(uid), user.encode());
    audit_change(op, "user.create", actor, &uid, ["role ", user.role.as_str()].concat());
    Ok(user)
}

/// Changes names, address, role and alerts of `user`, and stores the user unless nothing changes.
///
/// # Errors
/// [`Refusal::NameTaken`], [`Refusal::EmailTaken`], [`Refusal::LastAdmin`].
pub(crate) fn change_user(op: &Op<'_>, actor: &dyn Display, user: &mut User, changes: Changes) -> Result<(), Stop> {
    check_free(op, changes.name.as_deref(), changes.email.as_deref(), Some(user.uid))?;
    let mut changed = String::new();
    if let Some(role) = changes.role.filter(|role| *role != user.role) {
        if user.role == Role::Admin || role == Role::Admin {
            enlist(op, user.uid, role == Role::Admin && !user.disabled)?;
        }
        add_detail(&mut changed, &["role ", user.role.as_str(), " -> ", role.as_str()]);
        user.role = role;
    }
    if let Some(name) = changes.name.filter(|name| *name != user.name) {
        remove_index(op, key::name(&user.name))?;
        op.store(key::name(&name), &user.uid);
        add_detail(&mut changed, &["name"]);
        user.name = name;
    }
    if let Some(email) = changes.email.filter(|email| *email != user.email) {
        if !user.email.is_empty() {
            remove_index(op, key::email(&user.email))?;
        }
        if !email.is_empty() {
            op.store(key::email(&email), &user.uid);
        }
        add_detail(&mut changed, &["email"]);
        user.email = email;
    }
    if let Some(alerts) = changes.email_alerts.filter(|alerts| *alerts != user.email_alerts) {
        add_detail(&mut changed, &["email_alerts"]);
        user.email_alerts = alerts;
    }
    if !changed.is_empty() {
        store_user(op, user);
        audit_change(op, "user.change", actor, &user.uid, changed);
    }
    Ok(())
}

/// Deletes a user; all the user's tokens end too. The uid is not given out again, unless the store is restored from a backup that is older
/// than the user: then the generation keeps the user's tokens from the next owner.
///
/// # Errors
/// [`Refusal::LastAdmin`].
pub(crate) fn delete_user(op: &Op<'_>, actor: &dyn Display, user: &User) -> Result<(), Stop> {
    op.want(&[key::name(&user.name), key::email(&user.email), key::admins()]);
    if user.role == Role::Admin {
        enlist(op, user.uid, false)?;
    }
    remove_index(op, key::name(&user.name))?;
    if !user.email.is_empty() {
        remove_index(op, key::email(&user.email))?;
    }
    user.end_for_good(op);
    op.remove(key::user(user.uid));
    op.remove(key::lock(user.uid));
    op.remove(key::seen(user.uid));
    op.remove(key::ssh_keys(user.uid));
    op.remove(key::era_of_user(user.uid));
    op.remove(key::profile(user.uid));
    audit(op, "user.delete", actor, &user.uid);
    Ok(())
}

/// Lets a user log in again, or no longer. Disabling ends all the user's tokens, and enabling revives none.
///
/// # Errors
/// [`Refusal::LastAdmin`].
pub(crate) fn enable_user(op: &Op<'_>, actor: &dyn Display, user: &mut User, enabled: bool) -> Result<(), Stop> {
    if user.role == Role::Admin {
        enlist(op, user.uid, enabled)?;
    }
    user.set_disabled(op, !enabled);
    store_user(op, user);
    audit(op, if enabled { "user.enable" } else { "user.disable" }, actor, &user.uid);
    Ok(())
}

/// Whether `actor` manages other users (contract/redis.md section 7).
pub(crate) const fn manages_users(actor: &User) -> bool {
    matches!(actor.role, Role::Admin | Role::UserManager)
}

/// Whether `actor` may change `target`, who is somebody else: user managers may not change administrators.
pub(crate) fn may_manage(actor: &User, target: &User) -> bool {
    actor.role == Role::Admin || (manages_users(actor) && target.role != Role::Admin)
}

/// Whether `actor` may make a user with this role: only administrators make administrators.
pub(crate) fn may_create(actor: &User, role: Role) -> bool {
    actor.role == Role::Admin || (manages_users(actor) && role != Role::Admin)
}

/// Whether `actor` may leave `target` with this role: only administrators give themselves another.
pub(crate) fn may_give(actor: &User, target: &User, role: Role) -> bool {
    role == target.role || (may_create(actor, role) && (actor.role == Role::Admin || actor.uid != target.uid))
}

/// Stores `user` as it is now.
pub(crate) fn store_user(op: &Op<'_>, user: &User) {
    op.store(key::user(user.uid), user);
}

/// Removes an entry of the directory, on the condition that it is as read.
fn remove_index(op: &Op<'_>, key: crate::seam::RecordKey) -> Result<(), Stop> {
    op.read(&key)?;
    op.remove(key);
    Ok(())
}

/// Keeps the list of administrators who may log in current.
///
/// # Errors
/// [`Refusal::LastAdmin`] when it would become empty.
fn enlist(op: &Op<'_>, uid: Uid, belongs: bool) -> Result<(), Stop> {
    let mut admins = op.load::<Admins>(&key::admins())?.unwrap_or_default();
    if admins.0.contains(&uid) == belongs {
        return Ok(());
    }
    if belongs {
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

#[cfg(test)]
mod tests {
    use crate::{
        record::{Uid, key},
        seam::Response,
        testing::{TestWorld, basic, json, request},
    };

    fn local(world: &mut TestWorld, line: &str, body: &str) -> Response {
        world.local(request(line, body))
    }

    /// A server with `admin` and `ann`, who has no rights.
    fn world() -> TestWorld {
        let mut world = TestWorld::with_admin("admin password");
        let ann = r#"{"name": "ann", "email": "ann@example.com", "role": "none", "password": "ann password"}"#;
        assert_eq!(local(&mut world, "POST /admin/users", ann).status, 201);
        world
    }

    /// An administrator who may not log in keeps no other from being the last who may.
    #[test]
    fn a_disabled_user_who_becomes_an_administrator_does_not_count_as_one() {
        let mut world = world();
        assert_eq!(local(&mut world, "POST /admin/users/ann/disable", "").status, 200);
        assert_eq!(local(&mut world, "PATCH /admin/users/ann", r#"{"role": "admin"}"#).status, 200);
        for (line, body) in [
            ("DELETE /admin/users/admin", ""),
            ("POST /admin/users/admin/disable", ""),
            ("PATCH /admin/users/admin", r#"{"role": "none"}"#),
        ] {
            let refused = local(&mut world, line, body);
            assert_eq!((refused.status, json(&refused)["error"].as_str()), (409, Some("last_admin")), "{line}");
        }
        assert_eq!(local(&mut world, "POST /admin/users/ann/enable", "").status, 200);
        assert_eq!(local(&mut world, "DELETE /admin/users/admin", "").status, 204);
    }

    /// Nothing that is kept of users outlives them, except that their tokens have ended.
    #[test]
    fn nothing_of_a_deleted_user_is_kept() {
        let mut world = world();
        let uid = Uid::new(2).unwrap();
        let by_ann = |line, body| request(line, body).with_header("authorization", &basic("ann", "ann password"));
        let key = r#"{"name": "laptop", "type": "ssh-rsa", "content": "AAAA"}"#;
        assert_eq!(world.call(by_ann("POST /broker/rest/user/keys", key)).status, 201);
        assert_eq!(world.call(by_ann("POST /broker/rest/user/authorizations", "{}")).status, 201);
        assert_eq!(world.call(by_ann("DELETE /broker/rest/user/authorizations", "")).status, 200);
        for _ in 0..5 {
            let wrong = request("POST /v1/users/authorize", "").with_header("authorization", &basic("ann", "wrong"));
            assert_eq!(world.call(wrong).status, 401);
        }
        let put = request("PUT /_security/user/ann", r#"{"roles": [], "full_name": "Ann"}"#);
        let put = put.with_header("authorization", &basic("admin", "admin password"));
        assert_eq!(world.call_from("192.0.2.7", put).status, 200);
        let kept = [
            key::user(uid),
            key::name("ann"),
            key::lock(uid),
            key::seen(uid),
            key::ssh_keys(uid),
            key::era_of_user(uid),
            key::profile(uid),
        ];
        let count = |world: &TestWorld| kept.each_ref().map(|key| world.count(key.as_str()));
        assert_eq!(count(&world), [1; 7]);
        assert_eq!(local(&mut world, "DELETE /admin/users/ann", "").status, 204);
        assert_eq!((count(&world), world.count(key::ended(uid).as_str())), ([0; 7], 1));
    }
}

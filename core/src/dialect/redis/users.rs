//! `/v1/users` and `/v1/users/{uid}` (contract section 7).

use super::{
    JSON,
    body::{Body, check_real},
    caller::{Caller, caller},
    error::{forbidden, invalid, no_such_user},
    json,
    user::Shown,
};
use crate::{
    engine::{self, Changes, NAME_RULE, NewPassword, NewUser, valid_email, valid_name},
    password,
    record::{Lock, Role, Seen, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use alloc::{format, string::String, vec::Vec};
use serde_json::Value;

/// About what one user takes in the list, in octets.
const SHOWN: usize = 384;

/// All users, in the order of their uid.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    if !caller(op)?.manages_users() {
        return forbidden();
    }
    let cluster = engine::cluster(op)?;
    // The pages of all three kinds are asked for together.
    let (locks, seen, users) =
        (engine::all_records(op, key::LOCKS), engine::all_records(op, key::SEEN), engine::all_records(op, key::USERS));
    let (locks, seen, users) = (engine::decoded_by_id::<Lock>(locks?)?, engine::decoded_by_id::<Seen>(seen?)?, users?);
    // One after the other, as an instance of the component has room for many users' records once, but not twice.
    let mut body = Vec::with_capacity(users.len() * SHOWN);
    for (id, record) in users {
        body.push(if body.is_empty() { b'[' } else { b',' });
        let user = User::of(record)?;
        let shown = Shown::new(op, &user, &cluster, locks.get(&id).copied(), seen.get(&id).copied());
        body.extend_from_slice(&serde_json::to_vec(&shown).map_err(|_| Refusal::BadRecord)?);
    }
    body.extend_from_slice(if body.is_empty() { b"[]" } else { b"]" });
    Ok(Response::new(200, JSON, body))
}

/// One user; users may see themselves.
pub(super) fn show(op: &Op<'_>, uid: &str) -> Result<Response, Stop> {
    if let Some(uid) = Uid::parse(uid) {
        // With what the caller needs, in one round.
        op.want(&[key::user(uid), key::lock(uid), key::seen(uid)]);
    }
    let caller = caller(op)?;
    let user = target(op, &caller, uid)?;
    answer(op, &user)
}

/// A new user.
pub(super) fn create(op: &Op<'_>) -> Result<Response, Stop> {
    let caller = caller(op)?;
    let body = Body::required(op)?;
    let (name, email) = (name_of(&body)?, email_of(&body)?);
    let (role, email_alerts) = (role_of(&body)?.unwrap_or(Role::DbViewer), body.flag("email_alerts")?.unwrap_or(true));
    check_auth_method(&body)?;
    body.check_hash_method()?;
    let password = Body::need("password", body.password("password")?)?;
    let email = email.unwrap_or_default();
    let name = match name {
        Some(name) => name,
        None if !email.is_empty() => email.clone(),
        None => Body::need("name", None)?,
    };
    if !engine::may_create(&caller.user, role) {
        return forbidden();
    }
    engine::check_free(op, Some(&name), Some(&email), None)?;
    let salt = engine::new_salt(op)?;
    let hash = NewPassword::fresh(op, &password, &name, &email, &salt)?.into_hash();
    let new = NewUser { name, email, role, email_alerts, disabled: false };
    let user = engine::create_user(op, &caller.user.uid, new, password::List::new(hash), salt)?;
    answer(op, &user)
}

/// Changes of a user: name, alerts and password by the user; the address, and what is another's, by administrators and user managers.
pub(super) fn change(op: &Op<'_>, uid: &str) -> Result<Response, Stop> {
    let caller = caller(op)?;
    let body = Body::required(op)?;
    let mut changes = Changes {
        name: name_of(&body)?,
        email: email_of(&body)?,
        role: role_of(&body)?,
        email_alerts: body.flag("email_alerts")?,
    };
    check_auth_method(&body)?;
    body.check_hash_method()?;
    let password = body.password("password")?;
    let mut user = target(op, &caller, uid)?;
    let own = user.uid == caller.user.uid;
    if own && password.is_some() && caller.login.is_none() && op.settings.redis.require_old_password {
        return invalid(
            "a token alone does not change the password: use `PUT /v1/users/password` with `old_password`, or HTTP Basic",
        );
    }
    if !own && !caller.may_manage(&user) {
        return forbidden();
    }
    if changes.role.is_some_and(|role| !engine::may_give(&caller.user, &user, role)) {
        return forbidden();
    }
    // Clients put back whole objects, so a name that is as it was says as little as none.
    changes.name = changes.name.filter(|name| *name != user.name);
    // An address names its owner to whoever trusts it, so users give themselves neither an address nor a name that looks like one at a
    // glance, or like a uid.
    let poses = |name: &String| name.contains('@') && *name != user.email || engine::is_like_uid(name);
    let poses = changes.name.as_ref().is_some_and(poses);
    if !caller.manages_users() && (poses || changes.email.as_ref().is_some_and(|email| *email != user.email)) {
        return forbidden();
    }
    if !own && changes.name.is_some() {
        return invalid("the name of another user cannot be changed");
    }
    let changes = changes.with_name_of(&user);
    if let Some(password) = &password {
        // Before it is said whether the name is free.
        let (name, email) = (changes.name.as_ref().unwrap_or(&user.name), changes.email.as_ref().unwrap_or(&user.email));
        NewPassword::precheck(op, password, name, email)?;
    }
    engine::change_user(op, &caller.user.uid, &mut user, changes)?;
    if let Some(password) = password {
        let new = NewPassword::reset(op, &user, &password)?;
        let set = if own { engine::replace_passwords } else { engine::reset_passwords };
        user = set(op, &caller.user.uid, user, new)?;
    }
    answer(op, &user)
}

/// Deletes a user.
pub(super) fn delete(op: &Op<'_>, uid: &str) -> Result<Response, Stop> {
    let caller = caller(op)?;
    check_real(op)?;
    if !caller.manages_users() {
        return forbidden();
    }
    let user = target(op, &caller, uid)?;
    if !caller.may_manage(&user) && user.uid != caller.user.uid {
        return forbidden();
    }
    engine::delete_user(op, &caller.user.uid, &user)?;
    Ok(Response::new(200, JSON, "{}"))
}

/// The user a path names, as far as the caller may know of that user: others are 403 for those who manage nobody, existing or not.
fn target(op: &Op<'_>, caller: &Caller, uid: &str) -> Result<User, Stop> {
    let Some(uid) = Uid::parse(uid) else {
        return if caller.manages_users() { no_such_user() } else { Err(Stop::answer(super::error::not_found())) };
    };
    if uid == caller.user.uid {
        return Ok(caller.user.clone());
    }
    if !caller.manages_users() {
        return forbidden();
    }
    match engine::user(op, uid)? {
        Some(user) => Ok(user),
        None => no_such_user(),
    }
}

fn answer(op: &Op<'_>, user: &User) -> Result<Response, Stop> {
    let (lock, seen) = (key::lock(user.uid), key::seen(user.uid));
    op.want(&[key::cluster(), lock.clone(), seen.clone()]);
    let cluster = engine::cluster(op)?;
    let (lock, seen) = (op.load::<Lock>(&lock)?, op.load::<Seen>(&seen)?);
    json(&Shown::new(op, user, &cluster, lock, seen))
}

fn name_of(body: &Body) -> Result<Option<String>, Stop> {
    match body.text("name")? {
        Some(name) if !valid_name(&name) => invalid(&format!("`name` must be {NAME_RULE}")),
        name => Ok(name),
    }
}

fn email_of(body: &Body) -> Result<Option<String>, Stop> {
    match body.text("email")? {
        Some(email) if !email.is_empty() && !valid_email(&email) => {
            invalid("`email` is no e-mail address, or longer than 255 characters")
        }
        email => Ok(email),
    }
}

/// The role, from `role`, `role_uids`, or both when they agree.
fn role_of(body: &Body) -> Result<Option<Role>, Stop> {
    let by_name = match body.text("role")? {
        None => None,
        Some(text) => match Role::parse(&text) {
            Some(role) => Some(role),
            None => return invalid("`role` is not a role"),
        },
    };
    let by_uid = match body.value("role_uids") {
        None => None,
        Some(Value::Array(uids)) => match uids.as_slice() {
            [] => None,
            [uid] => match uid.as_u64().and_then(Role::from_uid) {
                Some(role) => Some(role),
                None => return invalid("`role_uids` names no role"),
            },
            _ => return invalid("`role_uids` must name one role"),
        },
        Some(_) => return invalid("`role_uids` must be a list of numbers"),
    };
    match (by_name, by_uid) {
        (Some(name), Some(uid)) if name != uid => invalid("`role` and `role_uids` contradict each other"),
        (name, uid) => Ok(name.or(uid)),
    }
}

/// Users of other kinds live elsewhere.
fn check_auth_method(body: &Body) -> Result<(), Stop> {
    match body.text("auth_method")?.as_deref() {
        None | Some("regular") => Ok(()),
        Some(_) => invalid("`auth_method` must be regular"),
    }
}

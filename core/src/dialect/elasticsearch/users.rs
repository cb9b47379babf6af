//! `…/user`, `…/user/{name}` and `…/user/{name}/_enable`, `_disable`.
//!
//! As in the product, a user who is put anew is what the request says: what it leaves out of full name, address and metadata is gone. Only
//! the password and whether the user is enabled stay when they are not said.

use super::{
    Prefix, answer,
    body::{self, Body, bad, invalid},
    caller::{Caller, caller, manager, refused},
    user::{Shown, built_in},
};
use crate::{
    dialect::form,
    engine::{self, Changes, NAME_RULE, NewPassword, NewUser, ROLE_NAME_RULE, valid_email, valid_name, valid_role_name},
    password,
    record::{Role, User, UserProfile, key},
    seam::{Op, Response, Stop},
    sorted::{Sorted, in_order},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::mem;
use serde_json::json as value;
use zeroize::Zeroizing;

const GET: &str = "cluster:admin/xpack/security/user/get";
const PUT: &str = "cluster:admin/xpack/security/user/put";
const DELETE: &str = "cluster:admin/xpack/security/user/delete";
const SET_ENABLED: &str = "cluster:admin/xpack/security/user/set_enabled";

/// How many users one path may name.
const MAX_NAMES: usize = 256;
/// The longest full name, in octets.
const MAX_FULL_NAME: usize = 1024;
/// How many roles a user may have.
const MAX_ROLES_OF_USER: usize = 64;
/// The most metadata, in octets of JSON.
const MAX_METADATA: usize = 8192;
/// The fewest characters of a password, whatever the policy (contract section 10).
const MIN_PASSWORD: u16 = 6;

/// All users.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    manager(op, GET)?;
    // The pages of both kinds are asked for together.
    let (users, profiles) = (engine::all_records(op, key::USERS), engine::all_records(op, key::PROFILES));
    let (users, mut profiles) = (engine::decoded_by_id::<User>(users?)?, engine::decoded_by_id::<UserProfile>(profiles?)?);
    let users = users.into_vec().into_iter();
    let users = users.map(|(id, user)| (user, profiles.get_mut(&id).map(mem::take).unwrap_or_default())).collect();
    show_all(op, 200, users)
}

/// The users whom a path names, as far as there are any.
pub(super) fn show(op: &Op<'_>, names: &str) -> Result<Response, Stop> {
    manager(op, GET)?;
    let names = names_of(op, names)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = engine::named(op, &names)?;
    let status = if found.is_empty() { 404 } else { 200 };
    show_all(op, status, found)
}

fn show_all(op: &Op<'_>, status: u16, users: Vec<(User, UserProfile)>) -> Result<Response, Stop> {
    let mut all = Sorted::default();
    for (user, profile) in in_order(users, |(one, _), (other, _)| one.name.cmp(&other.name)) {
        let shown = Shown::new(&user, profile)?;
        all.insert(user.name, shown);
    }
    Ok(answer::json(op, status, &all))
}

/// A new user, or what a user is from now on.
pub(super) fn put(op: &Op<'_>, prefix: Prefix, name: &str) -> Result<Response, Stop> {
    let name = name_of(op, name);
    let wanted = Wanted::read(op, name.as_deref().unwrap_or_default());
    if let (Ok(name), Ok(wanted)) = (&name, &wanted) {
        want_all(op, name, wanted);
    }
    let caller = caller(op)?;
    let (wanted, name) = (wanted?, name?);
    if !engine::manages_users(&caller.user) {
        return Err(refused(op, PUT, &caller));
    }
    let known = target(op, &name)?;
    // Users who are there already keep the name they have.
    if known.is_none() && !valid_name(&name) {
        return invalid(op, &format!("the name is not {NAME_RULE}"));
    }
    let created = known.is_none();
    match known {
        Some((user, profile)) => change(op, &caller, user, &profile, wanted)?,
        None => create(op, &caller, name, wanted)?,
    }
    Ok(match prefix {
        Prefix::Security => answer::json(op, 200, &value!({ "created": created })),
        Prefix::Xpack => answer::json(op, 200, &value!({ "user": { "created": created }, "created": created })),
    })
}

/// Asks for what a change can need together with the caller, so that nothing is read after a password was derived.
fn want_all(op: &Op<'_>, name: &str, wanted: &Wanted) {
    op.want(&[key::schemes(), key::cluster()]);
    if !wanted.email.is_empty() {
        op.want(&[key::name(&wanted.email), key::email(&wanted.email)]);
    }
    match target(op, name) {
        Ok(None) => op.want(&[key::email(name), key::last_uid(), key::admins()]),
        Ok(Some((user, _))) => {
            if user.role == Role::Admin || wanted.role == Role::Admin {
                op.want(&[key::admins()]);
            }
            if !user.email.is_empty() {
                op.want(&[key::email(&user.email)]);
            }
        }
        Err(_) => {}
    }
}

fn create(op: &Op<'_>, caller: &Caller, name: String, wanted: Wanted) -> Result<(), Stop> {
    let Wanted { password, role, profile, email, enabled } = wanted;
    let Some(password) = password else { return invalid(op, "password is missing: a new user needs one") };
    if !engine::may_create(&caller.user, role) {
        return Err(refused(op, PUT, caller));
    }
    engine::check_free(op, Some(&name), Some(&email), None)?;
    let salt = engine::new_salt(op)?;
    let hash = NewPassword::fresh(op, &password, &name, &email, &salt)?.into_hash();
    let new = NewUser { name, email, role, email_alerts: true, disabled: enabled == Some(false) };
    let user = engine::create_user(op, &caller.user.uid, new, password::List::new(hash), salt)?;
    engine::store_profile(op, user.uid, &UserProfile::default(), &profile);
    Ok(())
}

fn change(op: &Op<'_>, caller: &Caller, user: User, before: &UserProfile, wanted: Wanted) -> Result<(), Stop> {
    let Wanted { password, role, profile, email, enabled } = wanted;
    let own = user.uid == caller.user.uid;
    // As the login has left it, if it is the caller.
    let mut user = if own { caller.user.clone() } else { user };
    // Services go by the roles that are defined here. Their order says nothing, and none is named twice.
    let same_roles =
        profile.roles.len() == before.roles.len() && profile.roles.iter().all(|role| before.roles.contains(role));
    let takes_roles = own && caller.user.role != Role::Admin && !same_roles;
    if takes_roles || (!own && !engine::may_manage(&caller.user, &user)) || !engine::may_give(&caller.user, &user, role) {
        return Err(refused(op, PUT, caller));
    }
    let actor = &caller.user.uid;
    let changes = Changes { email: Some(email), role: Some(role), ..Changes::default() };
    engine::change_user(op, actor, &mut user, changes)?;
    if let Some(enabled) = enabled.filter(|enabled| *enabled == user.disabled) {
        set_enabled(op, caller, &mut user, enabled)?;
    }
    if profile != *before {
        engine::store_profile(op, user.uid, before, &profile);
        engine::audit_change(op, "user.change", actor, &user.uid, "profile".into());
    }
    if let Some(password) = password {
        if own {
            let new = NewPassword::replacing(op, &user, &password, &caller.setter())?;
            engine::replace_passwords(op, actor, user, new)?;
        } else {
            let new = NewPassword::reset(op, &user, &password)?;
            engine::reset_passwords(op, actor, user, new)?;
        }
    }
    Ok(())
}

/// Deletes a user; the user's tokens end too.
pub(super) fn delete(op: &Op<'_>, name: &str) -> Result<Response, Stop> {
    let name = name_of(op, name);
    let known = name.as_deref().ok().map(|name| target(op, name));
    let caller = manager(op, DELETE)?;
    body::none(op, "delete_user")?;
    name?;
    let Some((user, _)) = known.transpose()?.flatten() else {
        return Ok(answer::json(op, 404, &value!({ "found": false })));
    };
    if user.uid != caller.user.uid && !engine::may_manage(&caller.user, &user) {
        return Err(refused(op, DELETE, &caller));
    }
    engine::delete_user(op, &caller.user.uid, &user)?;
    Ok(answer::json(op, 200, &value!({ "found": true })))
}

/// `_enable` and `_disable`: whether a user may log in.
pub(super) fn enable(op: &Op<'_>, name: &str, enabled: bool) -> Result<Response, Stop> {
    let name = name_of(op, name);
    let known = name.as_deref().ok().map(|name| target(op, name));
    let caller = manager(op, SET_ENABLED)?;
    body::none(op, "set_enabled")?;
    let name = name?;
    let Some((mut user, _)) = known.transpose()?.flatten() else { return nobody(op, &name) };
    if user.uid != caller.user.uid && !engine::may_manage(&caller.user, &user) {
        return Err(refused(op, SET_ENABLED, &caller));
    }
    set_enabled(op, &caller, &mut user, enabled)?;
    Ok(answer::json(op, 200, &value!({})))
}

/// Nobody shuts their own account out, as in the product.
fn set_enabled(op: &Op<'_>, caller: &Caller, user: &mut User, enabled: bool) -> Result<(), Stop> {
    if user.uid == caller.user.uid {
        return bad(op, "illegal_argument_exception", "nobody may enable or disable their own account");
    }
    engine::enable_user(op, &caller.user.uid, user, enabled)
}

/// What a user is to be.
struct Wanted {
    password: Option<Zeroizing<String>>,
    role: Role,
    profile: UserProfile,
    /// Empty if there is none.
    email: String,
    enabled: Option<bool>,
}

impl Wanted {
    /// `name` is the one of the path. Some clients, the JavaScript ones of version 8 among them, say it again in the body.
    fn read(op: &Op<'_>, name: &str) -> Result<Self, Stop> {
        let known = ["username", "password", "password_hash", "roles", "full_name", "email", "metadata", "enabled"];
        let body = Body::of_any(op, "put_user", &known)?;
        if body.string(op, "username")?.is_some_and(|again| again != name) {
            return bad(op, "illegal_argument_exception", "username in the body is not the one in the path");
        }
        let password = password_of(op, &body)?;
        let email = body.string_or_none(op, "email")?.unwrap_or_default();
        let full_name = body.string_or_none(op, "full_name")?;
        let metadata = metadata_of(op, &body)?;
        let enabled = body.flag(op, "enabled")?;
        let Some(roles) = body.strings_or_text(op, "roles")? else { return invalid(op, "roles is missing") };
        if !email.is_empty() && !valid_email(email) {
            return invalid(op, "email is not an e-mail address");
        }
        if full_name.is_some_and(|name| name.len() > MAX_FULL_NAME) {
            return invalid(op, &format!("full_name is longer than {MAX_FULL_NAME} octets"));
        }
        let (role, roles) = roles_of(op, &roles)?;
        let profile = UserProfile { full_name: full_name.map(String::from), roles, metadata };
        Ok(Self { password, role, profile, email: email.into(), enabled })
    }
}

/// The one role among `names` that grants something, and the others.
fn roles_of(op: &Op<'_>, names: &[&str]) -> Result<(Role, Vec<String>), Stop> {
    if names.len() > MAX_ROLES_OF_USER {
        return invalid(op, &format!("there are more than {MAX_ROLES_OF_USER} roles"));
    }
    let (mut granted, mut custom) = (None, Vec::<String>::new());
    for name in names {
        match built_in(name) {
            // Which of two is the stronger must not be guessed.
            Some(role) if granted.is_some_and(|known| known != role) => {
                return invalid(op, "a user has one role of those that grant something; the others must be custom ones");
            }
            Some(role) => granted = Some(role),
            None if !valid_role_name(name) => {
                return invalid(op, &format!("the name of a role is not {ROLE_NAME_RULE}"));
            }
            None if custom.iter().any(|known| known == name) => {}
            None => custom.push((*name).into()),
        }
    }
    Ok((granted.unwrap_or(Role::None), custom))
}

/// A new password, long enough for this API; the policy comes later, as it needs to know whose it is.
pub(super) fn password_of(op: &Op<'_>, body: &Body) -> Result<Option<Zeroizing<String>>, Stop> {
    if body.has("password_hash") {
        return invalid(op, "password_hash is not supported: send the password itself");
    }
    let Some(password) = body.string(op, "password")? else { return Ok(None) };
    // As the policies count: characters as they are after normalisation. One that is too large is refused by them.
    let begins = |octet: &&u8| **octet & 0xc0 != 0x80;
    let length = password::prepare(password).map_or(password.len(), |normal| normal.iter().filter(begins).count());
    if length < usize::from(MIN_PASSWORD) {
        return invalid(op, &password::Refusal::TooShort { min: MIN_PASSWORD }.to_string());
    }
    Ok(Some(Zeroizing::new(password.into())))
}

/// The text of the metadata; empty if there is none.
pub(super) fn metadata_of(op: &Op<'_>, body: &Body) -> Result<String, Stop> {
    let Some(metadata) = body.object(op, "metadata")?.filter(|metadata| !metadata.is_empty()) else {
        return Ok(String::new());
    };
    if metadata.keys().any(|name| name.starts_with('_')) {
        return invalid(op, "the names of metadata may not start with [_]");
    }
    let text = serde_json::to_string(metadata).unwrap_or_default();
    if text.len() > MAX_METADATA {
        return invalid(op, &format!("metadata is longer than {MAX_METADATA} octets"));
    }
    Ok(text)
}

/// The user of this name, and that user's profile. Unlike for a login, an e-mail address is no name here.
pub(super) fn target(op: &Op<'_>, name: &str) -> Result<Option<(User, UserProfile)>, Stop> {
    Ok(engine::named(op, &[name])?.pop())
}

/// 400, as the product answers whoever would change somebody who is not there.
pub(super) fn nobody<T>(op: &Op<'_>, name: &str) -> Result<T, Stop> {
    let text = super::error::findings(&[format!("there is no user [{}]", engine::as_typed(op, name))]);
    bad(op, "validation_exception", &text)
}

/// A name as a path has it.
pub(super) fn name_of(op: &Op<'_>, segment: &str) -> Result<String, Stop> {
    match form::segment(segment) {
        Ok(name) => Ok(name),
        Err(_) => bad(op, "illegal_argument_exception", "the path is not percent-encoded UTF-8"),
    }
}

/// The names that a path has between commas, each once; and the whole of it as one name, since a name may have a comma.
pub(super) fn names_of(op: &Op<'_>, segment: &str) -> Result<Vec<String>, Stop> {
    let whole = name_of(op, segment)?;
    let names = whole.split(',').filter(|name| !name.is_empty()).map(String::from).collect();
    let mut names: Vec<String> = in_order(names, Ord::cmp);
    names.dedup();
    if names.len() > MAX_NAMES {
        return bad(op, "illegal_argument_exception", &format!("the path has more than {MAX_NAMES} names"));
    }
    if !names.contains(&whole) {
        names.push(whole);
    }
    Ok(names)
}

//! `POST /admin/bootstrap`: the first administrator and the first signing key (security P10).

use super::{ACTOR, body::Body, error::refused, json, user, users};
use crate::{
    engine::{self, NewPassword, NewUser},
    password::List,
    record::{LastUid, Role, key},
    seam::{Op, Response, Stop},
};
use alloc::string::String;

/// Creates them; once.
///
/// # Errors
/// 409 `already_bootstrapped` when there ever was a user.
pub(super) fn bootstrap(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["name", "password"])?;
    let (name, password) = (users::name_of(&body)?, body.need("password")?);
    op.want(&[key::last_uid(), key::admins(), key::schemes(), key::cluster()]);
    if op.load::<LastUid>(&key::last_uid())?.is_some() {
        return refused(409, "already_bootstrapped", "this server already has its first user");
    }
    engine::bootstrap_key(op, &ACTOR)?;
    engine::check_free(op, Some(name), None, None)?;
    let salt = engine::new_salt(op)?;
    let hash = NewPassword::fresh(op, password, name, "", &salt)?.into_hash();
    let new = NewUser { name: name.into(), email: String::new(), role: Role::Admin, email_alerts: true };
    let user = engine::create_user(op, &ACTOR, new, List::new(hash), salt)?;
    json(201, &user::Shown::new(op, &user, None, None))
}

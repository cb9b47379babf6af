//! `/admin/users/{who}/password`.

use super::{ACTOR, body::Body, target};
use crate::{
    engine::{self, NewPassword},
    record::{User, key},
    seam::{Op, Response, Stop},
};

/// The list becomes exactly this password, locks end, and so do all tokens.
pub(super) fn replace(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    let (body, mut user) = request(op, who)?;
    let new = NewPassword::fresh(op, body.need("password")?, &user.name, &user.email, &user.salt.clone())?;
    user.unlock();
    engine::replace_passwords(op, &ACTOR, user, new)?;
    Ok(Response::empty(204))
}

/// One more password.
pub(super) fn add(op: &Op<'_>, who: &str) -> Result<Response, Stop> {
    let (body, user) = request(op, who)?;
    let new = NewPassword::other(op, &user, body.need("password")?)?;
    engine::add_password(op, &ACTOR, user, new)?;
    Ok(Response::empty(204))
}

fn request(op: &Op<'_>, who: &str) -> Result<(Body, User), Stop> {
    let body = Body::of(op, &["password"])?;
    body.need("password")?;
    op.want(&[key::cluster(), key::schemes()]);
    Ok((body, target(op, who)?))
}

//! `PUT`, `POST` and `DELETE /v1/users/password` (contract section 6), in both generations: with an `Authorization` header, or
//! without one and with name and old password in the body.

use super::{
    body::Body,
    caller::{Caller, optional},
    error::{forbidden, no_such_user, refused},
};
use crate::{
    engine::{self, Expired, NewPassword, Proof, Setter},
    record::{Role, User},
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use alloc::string::String;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Whose list, who asks, and the passwords of the body.
struct Change {
    actor: User,
    target: User,
    /// The proof that `old_password` is one of the target, if it was given.
    old: Option<Proof>,
    new: Option<Zeroizing<String>>,
    /// Whether who asks has shown a password, and not just a token.
    shown: bool,
}

impl Change {
    fn new_password(&self) -> &str {
        self.new.as_deref().map_or("", String::as_str)
    }

    const fn setter(&self) -> Setter<'_> {
        if self.shown { Setter::WithPassword(&self.actor) } else { Setter::WithToken(&self.actor) }
    }
}

/// The list becomes exactly the new password, and all tokens of the user end.
pub(super) fn replace(op: &Op<'_>) -> Result<Response, Stop> {
    let change = read(op, Needed { old: false, new: true, expired: Expired::Taken })?;
    let new = NewPassword::replacing(op, &change.target, change.new_password(), &change.setter())?;
    let Change { actor, target, .. } = change;
    let set = if actor.uid == target.uid { engine::replace_passwords } else { engine::reset_passwords };
    set(op, &actor.uid, target, new)?;
    Ok(done())
}

/// The new password is appended; all of them work.
pub(super) fn add(op: &Op<'_>) -> Result<Response, Stop> {
    let change = read(op, Needed { old: false, new: true, expired: Expired::Refused })?;
    let new = NewPassword::added(op, &change.target, change.new_password(), &change.setter())?;
    engine::add_password(op, &change.actor.uid, change.target, new)?;
    Ok(done())
}

/// The old password is removed, unless it is the last.
pub(super) fn delete(op: &Op<'_>) -> Result<Response, Stop> {
    let Change { actor, target, old, .. } = read(op, Needed { old: true, new: false, expired: Expired::Refused })?;
    let proof = old.ok_or(Refusal::BadCredentials)?;
    engine::remove_password(op, &actor.uid, target, &proof)?;
    Ok(done())
}

/// Every success is 200 with an empty body.
fn done() -> Response {
    Response::empty(200)
}

/// What a request with a header must hold; one without must hold the name and the old password as well.
#[derive(Clone, Copy)]
struct Needed {
    old: bool,
    new: bool,
    expired: Expired,
}

fn read(op: &Op<'_>, needed: Needed) -> Result<Change, Stop> {
    let caller = optional(op, needed.expired)?;
    let body = Body::required(op)?;
    if needed.new {
        body.check_hash_method()?;
    }
    let username = body.text("username")?;
    if username.as_deref() == Some("") {
        return refused(400, "invalid_schema", "`username` is empty: name a user, or leave it out for yourself");
    }
    let old = body.password("old_password")?;
    // A member that is not needed is as unknown as any other.
    let new = if needed.new { Some(Body::need("new_password", body.password("new_password")?)?) } else { None };
    match caller {
        None => {
            let (Some(username), Some(old)) = (username, old) else {
                let text = "without an `Authorization` header, `username` and `old_password` are needed";
                return refused(400, "missing_field", text);
            };
            let login = engine::login(op, &username, &old, needed.expired)?;
            Ok(Change { actor: login.user.clone(), target: login.user, old: Some(login.proof), new, shown: true })
        }
        Some(caller) => {
            let old = if needed.old || op.settings.redis.require_old_password {
                Some(Body::need("old_password", old)?)
            } else {
                old
            };
            let target = target(op, &caller, username.as_deref())?;
            let (target, old) = match old {
                Some(old) => proof(op, &caller, target, &old).map(|(target, proof)| (target, Some(proof)))?,
                None => (target, None),
            };
            let shown = caller.login.is_some() || old.is_some();
            Ok(Change { actor: caller.user, target, old, new, shown })
        }
    }
}

/// The user whose list is meant: by name or e-mail, else the caller. Only an administrator reaches others, and nobody else learns whether
/// they exist.
fn target(op: &Op<'_>, caller: &Caller, username: Option<&str>) -> Result<User, Stop> {
    let own = |name: &str| name == caller.user.name || name == caller.user.email;
    match username {
        None => Ok(caller.user.clone()),
        Some(name) if own(name) => Ok(caller.user.clone()),
        Some(_) if caller.expired => Err(Refusal::PasswordExpired.into()),
        Some(_) if caller.user.role != Role::Admin => forbidden(),
        Some(name) => match engine::find_user(op, name)? {
            Some(user) => Ok(user),
            None => no_such_user(),
        },
    }
}

/// Checks that `old` is a password of `target`, which comes back as that has left it; a wrong one counts as a failed login of that user.
fn proof(op: &Op<'_>, caller: &Caller, target: User, old: &Zeroizing<String>) -> Result<(User, Proof), Stop> {
    match &caller.login {
        // It is the password of the header, checked and counted a moment ago.
        Some((password, proof))
            if target.uid == caller.user.uid && bool::from(password.as_bytes().ct_eq(old.as_bytes())) =>
        {
            Ok((target, proof.clone()))
        }
        _ => engine::check_old_password(op, &caller.user, target, old),
    }
}

//! Tokens of every dialect, alike.

use crate::{
    engine, hex,
    record::{Role, Scope, User},
    seam::{Op, Stop},
    time::UnixTime,
    token::dialect,
};
use alloc::{string::String, vec::Vec};

/// A token that is good at this moment.
pub(super) struct Live {
    /// Whose it is.
    pub(super) user: User,
    /// Which dialect issued it.
    pub(super) dialect: String,
    /// Its id: `jti`, or the id of the authorization.
    pub(super) id: String,
    /// What it may do; none for dialects without scopes, where that is everything.
    pub(super) scopes: Option<Vec<Scope>>,
    /// When it was issued.
    pub(super) issued: UnixTime,
    /// When it ends.
    pub(super) expires: UnixTime,
}

impl Live {
    /// Whether it may do less than its owner.
    pub(super) fn is_limited(&self) -> bool {
        self.scopes.as_ref().is_some_and(|scopes| !scopes.contains(&Scope::Session))
    }

    /// The rights that it gives. Whoever goes by the role alone must not give a limited token its owner's.
    pub(super) fn role(&self) -> Role {
        if self.is_limited() { Role::None } else { self.user.role }
    }
}

/// Checks a token, signed or found by its digest.
///
/// # Errors
/// [`Refusal::is_token`](crate::refusal::Refusal::is_token).
pub(super) fn live(op: &Op<'_>, token: &str) -> Result<Live, Stop> {
    if engine::is_authorization_token(token) {
        return engine::authorized(op, token).map(of_authorization);
    }
    engine::any_bearer(op, token).map(of_bearer)
}

/// Like [`live`], for those who ask about a token that is not their credential: `None` for one that is not good.
///
/// # Errors
/// Whatever is not the token's fault.
pub(super) fn if_live(op: &Op<'_>, token: &str) -> Result<Option<Live>, Stop> {
    unless_refused(op, live(op, token))
}

/// Like [`if_live`], for those who end it: also one that is not good now but can be later, or elsewhere.
///
/// # Errors
/// Whatever is not the token's fault.
pub(super) fn if_revocable(op: &Op<'_>, token: &str) -> Result<Option<Live>, Stop> {
    let found = if engine::is_authorization_token(token) {
        engine::revocable(op, token).map(of_authorization)
    } else {
        engine::bearer_to_end(op, token).map(of_bearer)
    };
    unless_refused(op, found)
}

fn of_bearer(bearer: engine::Bearer) -> Live {
    let engine::Bearer { user, jti, dialect, issued, expires } = bearer;
    Live { user, dialect, id: jti, scopes: None, issued, expires }
}

fn of_authorization(found: engine::Authorized) -> Live {
    let engine::Authorized { user, authorization } = found;
    Live {
        user,
        dialect: dialect::OPENSHIFT.into(),
        id: hex::encode(&authorization.id),
        scopes: Some(authorization.scopes),
        issued: authorization.created,
        expires: authorization.expires,
    }
}

fn unless_refused(op: &Op<'_>, live: Result<Live, Stop>) -> Result<Option<Live>, Stop> {
    match live {
        Ok(live) => Ok(Some(live)),
        Err(Stop::Refuse(refusal)) if refusal.is_token() => {
            op.note_token(&refusal);
            Ok(None)
        }
        Err(stop) => Err(stop),
    }
}

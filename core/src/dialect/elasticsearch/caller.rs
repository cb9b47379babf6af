//! Who is asking (contract section 3).

use super::error::{unauthorized, uri};
use crate::{
    engine::{self, Credentials, DIALECT},
    record::User,
    refusal::Refusal,
    seam::{Op, Stop},
};
use alloc::format;

/// A user whose credentials are good.
pub(super) struct Caller {
    /// Who it is.
    pub(super) user: User,
    /// The credentials were a token.
    pub(super) by_token: bool,
}

/// The caller of a request that needs one.
///
/// # Errors
/// 401.
pub(super) fn caller(op: &Op<'_>) -> Result<Caller, Stop> {
    match optional(op)? {
        Some(caller) => Ok(caller),
        None => Err(Refusal::NoCredentials.into()),
    }
}

/// The caller, if the request has an `Authorization` header. A header that is wrong is 401, even where none would do.
///
/// # Errors
/// 401.
pub(super) fn optional(op: &Op<'_>) -> Result<Option<Caller>, Stop> {
    match Credentials::of(op.request) {
        Credentials::None => Ok(None),
        Credentials::Malformed => Err(Refusal::NoCredentials.into()),
        Credentials::Basic { login, password } => {
            let user = login_as(op, &login, &password, &format!("REST request [{}]", uri(op)))?;
            Ok(Some(Caller { user, by_token: false }))
        }
        Credentials::Token(token) => {
            let user = engine::bearer(op, &token, &[DIALECT])?.user;
            Ok(Some(Caller { user, by_token: true }))
        }
    }
}

/// A login, whose failure names the user and what it was for, as the product does.
///
/// # Errors
/// 401; unknown user, wrong password and expired password alike.
pub(super) fn login_as(op: &Op<'_>, login: &str, password: &str, purpose: &str) -> Result<User, Stop> {
    let refused = || Stop::Answer(unauthorized(op, &format!("unable to authenticate user [{login}] for {purpose}")));
    match engine::login(op, login, password) {
        Ok(login) if login.expired => Err(refused()),
        Ok(login) => Ok(login.user),
        Err(Stop::Refuse(Refusal::BadCredentials)) => Err(refused()),
        Err(stop) => Err(stop),
    }
}

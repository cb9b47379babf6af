//! Who is asking (contract section 3).

use crate::{
    engine::{self, Bearer, Credentials},
    record::{User, key},
    refusal::Refusal,
    seam::{Op, Stop},
    token::dialect,
};
use alloc::string::String;
use zeroize::Zeroizing;

/// A user whose credentials are good.
pub(super) struct Caller {
    /// Who it is.
    pub(super) user: User,
    /// The password is too old: only replacing the own list is allowed.
    pub(super) expired: bool,
    /// The password that was given and where it stands in the list, so that it need not be checked twice.
    pub(super) login: Option<(Zeroizing<String>, usize)>,
}

impl Caller {
    /// Whether the caller manages other users.
    pub(super) fn manages_users(&self) -> bool {
        engine::manages_users(&self.user)
    }

    /// Whether the caller may change `target`, who is not himself: user managers have no hand on administrators.
    pub(super) fn may_manage(&self, target: &User) -> bool {
        engine::may_manage(&self.user, target)
    }
}

/// The caller of a request that needs one.
///
/// # Errors
/// 401; also when the password has expired.
pub(super) fn caller(op: &Op<'_>) -> Result<Caller, Stop> {
    let caller = caller_even_expired(op)?.ok_or(Refusal::NoCredentials)?;
    if caller.expired { Err(Refusal::PasswordExpired.into()) } else { Ok(caller) }
}

/// The caller, if the request has an `Authorization` header, and be his password expired.
///
/// # Errors
/// 401.
pub(super) fn caller_even_expired(op: &Op<'_>) -> Result<Option<Caller>, Stop> {
    match Credentials::with_jwt(op.request) {
        Credentials::None => Ok(None),
        Credentials::Malformed => Err(Refusal::BadCredentials.into()),
        Credentials::Basic { login, password } => {
            let login = engine::login(op, &login, &password)?;
            Ok(Some(Caller { user: login.user, expired: login.expired, login: Some((password, login.position)) }))
        }
        Credentials::Token(token) => {
            op.want(&[key::cluster()]);
            let Bearer { user, .. } = engine::bearer(op, &token, &[dialect::REDIS])?;
            let expired = engine::has_expired(op, &user)?;
            Ok(Some(Caller { user, expired, login: None }))
        }
    }
}

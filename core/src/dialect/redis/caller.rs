//! Who is asking (contract section 3).

use crate::{
    engine::{self, Bearer, Credentials, Expired, Proof},
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
    /// The password that was given, and the proof that it is one of the user's, so that it need not be checked twice.
    pub(super) login: Option<(Zeroizing<String>, Proof)>,
}

impl Caller {
    /// Whether the caller manages other users.
    pub(super) fn manages_users(&self) -> bool {
        engine::manages_users(&self.user)
    }

    /// Whether the caller may change `target`, who is somebody else: user managers may not change administrators.
    pub(super) fn may_manage(&self, target: &User) -> bool {
        engine::may_manage(&self.user, target)
    }
}

/// The caller of a request that needs one.
///
/// # Errors
/// 401; also when the password has expired.
pub(super) fn caller(op: &Op<'_>) -> Result<Caller, Stop> {
    optional(op, Expired::Refused)?.ok_or_else(|| Refusal::NoCredentials.into())
}

/// The caller, if the request has an `Authorization` header.
///
/// # Errors
/// 401.
pub(super) fn optional(op: &Op<'_>, expired: Expired) -> Result<Option<Caller>, Stop> {
    let caller = known(op, expired)?;
    if let Some(caller) = &caller {
        op.note_caller(caller.user.uid);
    }
    Ok(caller)
}

fn known(op: &Op<'_>, expired: Expired) -> Result<Option<Caller>, Stop> {
    match Credentials::with_jwt(op.request) {
        Credentials::None => Ok(None),
        Credentials::Malformed => Err(Refusal::BadCredentials.into()),
        Credentials::Basic { login, password } => {
            let login = engine::login(op, &login, &password, expired)?;
            Ok(Some(Caller { user: login.user, expired: login.expired, login: Some((password, login.proof)) }))
        }
        Credentials::Token(token) => {
            op.want(&[key::cluster()]);
            let Bearer { user, .. } = engine::bearer(op, &token, &[dialect::REDIS])?;
            match engine::has_expired(op, &user)? {
                true if expired == Expired::Refused => Err(Refusal::PasswordExpired.into()),
                expired => Ok(Some(Caller { user, expired, login: None })),
            }
        }
    }
}

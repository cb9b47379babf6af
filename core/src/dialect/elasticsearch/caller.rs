//! Who is asking (contract section 3), and what the caller may do to others.

use super::error::{error, forbidden, unauthorized, uri};
use crate::{
    engine::{self, Bearer, Credentials, Expired, Setter},
    record::User,
    refusal::Refusal,
    seam::{Op, Response, Stop},
    token::{self, dialect},
};
use alloc::{format, string::String};

/// A user whose credentials are good.
pub(super) struct Caller {
    /// Who it is.
    pub(super) user: User,
    /// The `jti` of the token that was shown, if it was one.
    pub(super) token: Option<String>,
    /// The password that was shown is too old: only replacing it is allowed.
    pub(super) expired: bool,
}

impl Caller {
    /// As one who sets a password.
    pub(super) const fn setter(&self) -> Setter<'_> {
        if self.token.is_some() { Setter::WithToken(&self.user) } else { Setter::WithPassword(&self.user) }
    }
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

/// The caller, who must manage users, whichever way; `action` is the product's name for what the caller wants to do.
///
/// # Errors
/// 401, 403.
pub(super) fn manager(op: &Op<'_>, action: &str) -> Result<Caller, Stop> {
    let caller = caller(op)?;
    if engine::manages_users(&caller.user) { Ok(caller) } else { Err(refused(op, action, &caller)) }
}

/// The caller, if the request has an `Authorization` header. A header that is wrong is 401, even where none would do.
///
/// # Errors
/// 401; also when the password has expired.
pub(super) fn optional(op: &Op<'_>) -> Result<Option<Caller>, Stop> {
    known(op, Expired::Refused)
}

/// Like [`optional`], even if the password has expired.
///
/// # Errors
/// 401.
pub(super) fn even_expired(op: &Op<'_>) -> Result<Option<Caller>, Stop> {
    known(op, Expired::Taken)
}

fn known(op: &Op<'_>, expired: Expired) -> Result<Option<Caller>, Stop> {
    let caller = shown(op, expired)?;
    if let Some(caller) = &caller {
        op.note_caller(caller.user.uid);
    }
    // Whoever asks to act as another must not act as the caller, who may do more.
    match op.request.header_values("es-security-runas-user").next() {
        None => Ok(caller),
        Some(_) if caller.is_none() => Err(Refusal::NoCredentials.into()),
        Some(_) => Err(Stop::answer(error(op, 403, "security_exception", "run as is not supported", &[]))),
    }
}

fn shown(op: &Op<'_>, expired: Expired) -> Result<Option<Caller>, Stop> {
    match Credentials::of(op.request) {
        Credentials::None => Ok(None),
        // Whoever says "Bearer", or "ApiKey", has shown something, however wrong it is.
        Credentials::Malformed if shows_something(op) => Err(Refusal::Token(token::Refusal::Malformed).into()),
        Credentials::Malformed => Err(Refusal::NoCredentials.into()),
        Credentials::Basic { login, password } => {
            let login = prove(op, &login, &password, &format!("REST request [{}]", uri(op)), expired)?;
            Ok(Some(Caller { user: login.user, token: None, expired: login.expired }))
        }
        Credentials::Token(token) => {
            let Bearer { user, jti, .. } = engine::bearer(op, &token, &[dialect::ELASTICSEARCH])?;
            Ok(Some(Caller { user, token: Some(jti), expired: false }))
        }
    }
}

/// The caller of a request for a new token, as far as the caller is known. A token stays good when the passwords of its user have expired,
/// but gets no other: else it would renew itself for ever.
///
/// # Errors
/// 401.
pub(super) fn renewing(op: &Op<'_>, known: Option<Caller>) -> Result<Caller, Stop> {
    let caller = known.map_or_else(|| caller(op), Ok)?;
    // For whoever came with a password, this was checked before.
    if let Some(jti) = &caller.token
        && engine::has_expired(op, &caller.user)?
    {
        engine::audit_refused(op, "token.refresh", &caller.user.uid, jti, Refusal::PasswordExpired.code());
        return Err(Stop::answer(expired(op, &caller)));
    }
    Ok(caller)
}

/// Whether there is one `Authorization` header and its scheme is `Bearer`, or the one for API keys, of which this server has none.
fn shows_something(op: &Op<'_>) -> bool {
    let mut values = op.request.header_values("authorization");
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let scheme = value.trim_ascii().split(|octet| *octet == b' ').next();
    scheme.is_some_and(|scheme| [&b"bearer"[..], b"apikey"].iter().any(|known| scheme.eq_ignore_ascii_case(known)))
}

/// Says that the profile of the caller will be read, so that it comes together with the caller.
pub(super) fn want_profile(op: &Op<'_>) {
    match Credentials::of(op.request) {
        Credentials::Basic { login, .. } => engine::want_profile(op, &login),
        Credentials::Token(token) => engine::want_profile_of_token(op, &token),
        Credentials::None | Credentials::Malformed => {}
    }
}

/// A login, whose failure names the user and what it was for, as the product does.
///
/// # Errors
/// 401; unknown user, wrong password and expired password alike.
pub(super) fn login_as(op: &Op<'_>, login: &str, password: &str, purpose: &str) -> Result<User, Stop> {
    Ok(prove(op, login, password, purpose, Expired::Refused)?.user)
}

/// 401 for a caller who may do no more than replace their password.
pub(super) fn expired(op: &Op<'_>, caller: &Caller) -> Response {
    not_authenticated(op, &caller.user.name, &format!("REST request [{}]", uri(op)))
}

/// 403 for a caller.
pub(super) fn refused(op: &Op<'_>, action: &str, caller: &Caller) -> Stop {
    Stop::answer(forbidden(op, action, &caller.user.name))
}

fn prove(op: &Op<'_>, login: &str, password: &str, purpose: &str, expired: Expired) -> Result<engine::Login, Stop> {
    match engine::login(op, login, password, expired) {
        Err(Stop::Refuse(Refusal::BadCredentials | Refusal::PasswordExpired)) => {
            Err(Stop::answer(not_authenticated(op, login, purpose)))
        }
        outcome => outcome,
    }
}

fn not_authenticated(op: &Op<'_>, login: &str, purpose: &str) -> Response {
    unauthorized(op, &format!("unable to authenticate user [{}] for {purpose}", engine::as_typed(op, login)))
}

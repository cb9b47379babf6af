//! Who is asking, and what the caller may do (contract sections 3 and 9).

use super::Exchange;
use crate::{
    dialect::CROSS_SITE,
    engine::{self, Credentials, Expired},
    hex,
    record::{Scope, User, key},
    refusal::Refusal,
    seam::{Response, Stop},
};
use alloc::{string::ToString, vec, vec::Vec};

/// A user whose credentials are good.
pub(super) struct Caller {
    /// Who it is.
    pub(super) user: User,
    /// What the credentials allow; a password allows what `session` does.
    scopes: Vec<Scope>,
    /// The id of the authorization whose token was shown, if one was.
    pub(super) authorization: Option<[u8; 12]>,
}

/// What a scope tells apart.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Area {
    /// Authorizations.
    Authorizations,
    /// The account itself.
    Account,
    /// Everything else.
    Other,
}

impl Caller {
    /// Whether one of the scopes allows to read (`get`) or change something of this kind.
    pub(super) fn may(&self, get: bool, kind: Area) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Session => true,
            Scope::Read => get && kind != Area::Authorizations,
            Scope::Userinfo => get && kind == Area::Account,
        })
    }
}

/// The caller.
///
/// # Errors
/// 401.
pub(super) fn caller(exchange: &Exchange<'_>) -> Result<Caller, Stop> {
    let op = exchange.op;
    // What it asks for is another user's, and would be done to the caller's own.
    if op.request.header_values("x-impersonate-user").next().is_some() {
        return Err(Refusal::NoCredentials.into());
    }
    match Credentials::of(op.request) {
        Credentials::None | Credentials::Malformed => Err(Refusal::NoCredentials.into()),
        Credentials::Basic { login, password } => {
            let login = engine::login(op, &login, &password, Expired::Refused)?;
            op.note_caller(login.user.uid);
            Ok(Caller { user: login.user, scopes: vec![Scope::Session], authorization: None })
        }
        Credentials::Token(token) => {
            // Read with the rest, for whoever asks for another authorization.
            op.want(&[key::cluster()]);
            let engine::Authorized { user, authorization } = engine::authorized(op, &token)?;
            op.note_caller(user.uid);
            Ok(Caller { user, scopes: authorization.scopes, authorization: Some(authorization.id) })
        }
    }
}

/// Says in the headers who the caller is taken for.
pub(super) fn identify(response: Response, caller: &Caller) -> Response {
    response
        .with_header("x-openshift-identity", caller.user.name.clone())
        .with_header("x-openshift-identity-id", hex::encode(&caller.user.id))
        .with_header("x-oauth-scopes", Scope::join(&caller.scopes))
}

/// A failure to authenticate: a short text.
pub(super) fn refuse(refusal: &Refusal) -> Response {
    let text = |status, body: &str| {
        Response::new(status, "text/plain; charset=utf-8", body).with_header("cache-control", "no-store")
    };
    match refusal {
        Refusal::Throttled { retry_after } => {
            text(429, "Too many failed attempts, try again later.\n").with_header("retry-after", retry_after.to_string())
        }
        Refusal::CrossSite => text(403, &[CROSS_SITE, "\n"].concat()),
        Refusal::Token(_)
        | Refusal::TokenRevoked
        | Refusal::TokenEnded
        | Refusal::TokenUserGone
        | Refusal::TokenForeign
        | Refusal::RevocationsStale => text(401, "The token is unknown, revoked or expired.\n").with_header(
            "www-authenticate",
            "Bearer error=\"invalid_token\", error_description=\"The token is unknown, revoked or expired\", realm=\"OpenShift broker API\"",
        ),
        // From `NotAllowed` on: what no route of this dialect comes to, or is answered in the envelope.
        Refusal::NoCredentials
        | Refusal::BadCredentials
        | Refusal::PasswordExpired
        | Refusal::NotAllowed
        | Refusal::Lifetime(_)
        | Refusal::Password(_)
        | Refusal::UserNotFound
        | Refusal::NameTaken
        | Refusal::EmailTaken
        | Refusal::LastAdmin
        | Refusal::TooManyKeys
        | Refusal::TooManyRoles
        | Refusal::NoPublicKey
        | Refusal::TooManyRevocations
        | Refusal::NoEntropy
        | Refusal::NoSigningKey
        | Refusal::Unavailable { .. }
        | Refusal::BadRecord => {
            text(401, "HTTP Basic: Access denied.\n").with_header("www-authenticate", "Basic realm=\"OpenShift broker API\"")
        }
    }
}

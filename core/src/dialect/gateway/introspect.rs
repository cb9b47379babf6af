//! `POST /auth/introspect`: what a token says, if it is good (RFC 7662).

use super::{
    caller::{caller, token},
    live::{Live, if_live},
};
use crate::{
    record::Scope,
    refusal::Refusal,
    seam::{Op, Response, Stop},
};
use alloc::string::{String, ToString};
use serde::Serialize;

/// RFC 7662, 2.2, and what the headers of `/auth/verify` say besides.
#[derive(Serialize)]
struct Introspection<'a> {
    active: bool,
    sub: &'a str,
    username: &'a str,
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    iat: u64,
    exp: u64,
    jti: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    uid: u32,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    dialect: &'a str,
}

/// Some roles see every token, everybody their own. A token that is not good, or is none of the caller's business, is told by nothing but
/// `{"active":false}` (security T19).
///
/// # Errors
/// 401 for a caller who does not prove their identity; 400 without a token.
pub(super) fn introspect(op: &Op<'_>) -> Result<Response, Stop> {
    // Looked up before the caller's password costs a derivation; what came of it counts only after that.
    let asked = token(op);
    let found = asked.as_ref().ok().map(|token| if_live(op, token));
    let caller = caller(op)?;
    asked?;
    let sees_all = op.settings.gateway.introspection_roles.iter().any(|role| role == caller.role.as_str());
    match found.transpose()?.flatten().filter(|live| sees_all || live.user.uid == caller.uid) {
        Some(live) => active(op, &live),
        None => Ok(json("{\"active\":false}")),
    }
}

fn active(op: &Op<'_>, live: &Live) -> Result<Response, Stop> {
    let Live { user, dialect, id, scopes, issued, expires } = live;
    let body = Introspection {
        active: true,
        sub: &user.uid.to_string(),
        username: &user.name,
        iss: &op.settings.issuer,
        aud: op.settings.audience.as_deref(),
        iat: issued.as_secs(),
        exp: expires.as_secs(),
        jti: id,
        token_type: "Bearer",
        scope: scopes.as_deref().map(Scope::join),
        uid: user.uid.as_u32(),
        role: live.role().as_str(),
        email: Some(user.email.as_str()).filter(|email| !email.is_empty()),
        dialect,
    };
    Ok(json(serde_json::to_vec(&body).map_err(|_| Refusal::BadRecord)?))
}

fn json(body: impl Into<alloc::vec::Vec<u8>>) -> Response {
    Response::new(200, "application/json", body).with_header("cache-control", "no-store")
}

//! `POST /v1/users/authorize` and `POST /v1/users/refresh_jwt` (contract sections 4 and 5).

use super::{JSON, body::Body};
use crate::{
    engine::{self, Credentials, Expired, audit},
    lifetime::Lifetime,
    record::{User, key},
    refusal::Refusal,
    seam::{Op, Response, Stop},
    token::dialect,
};
use alloc::string::String;
use serde::Serialize;

#[derive(Serialize)]
struct AccessToken {
    access_token: String,
}

/// A token for the name and password in the header. A token in the header is refused: that is what refreshing is for.
pub(super) fn authorize(op: &Op<'_>) -> Result<Response, Stop> {
    let Credentials::Basic { login, password } = Credentials::with_jwt(op.request) else {
        return Err(Refusal::NoCredentials.into());
    };
    let login = engine::login(op, &login, &password, Expired::Refused)?;
    let lifetime = lifetime(op)?;
    answer(op, &login.user, lifetime)
}

/// A new token for a good one; the old one lives on until its own end.
pub(super) fn refresh(op: &Op<'_>) -> Result<Response, Stop> {
    let Credentials::Token(token) = Credentials::with_jwt(op.request) else {
        return Err(Refusal::NoCredentials.into());
    };
    op.want(&[key::cluster()]);
    let bearer = match engine::bearer(op, &token, &[dialect::REDIS]) {
        Err(Stop::Refuse(refusal)) => {
            engine::audit_unrefreshed(op, &token, &refusal)?;
            return Err(refusal.into());
        }
        judged => judged?,
    };
    if engine::has_expired(op, &bearer.user)? {
        engine::audit_unrefreshed(op, &token, &Refusal::PasswordExpired)?;
        return Err(Refusal::PasswordExpired.into());
    }
    let lifetime = lifetime(op)?;
    audit(op, "token.refresh", &bearer.user.uid, &bearer.jti);
    answer(op, &bearer.user, lifetime)
}

fn lifetime(op: &Op<'_>) -> Result<Lifetime, Stop> {
    let ttl = &op.settings.redis.ttl;
    match Body::optional(op)?.integer("ttl")? {
        Some(asked) => Ok(ttl.admit(asked)?),
        None => Ok(ttl.unasked()),
    }
}

fn answer(op: &Op<'_>, user: &User, lifetime: Lifetime) -> Result<Response, Stop> {
    let access_token = engine::issue(op, user, dialect::REDIS, lifetime)?.token;
    let body = serde_json::to_vec(&AccessToken { access_token }).map_err(|_| Refusal::BadRecord)?;
    Ok(Response::new(200, JSON, body).with_header("cache-control", "no-store"))
}

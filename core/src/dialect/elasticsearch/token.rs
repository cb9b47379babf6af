//! `POST …/oauth2/token` (contract sections 4 and 5).

use super::{
    Prefix, answer,
    body::Body,
    caller::{caller, login_as, optional, renewing, want_profile},
    error::{findings, oauth},
    info::{self, About},
};
use crate::{
    engine::{self, Grant, NotRefreshed},
    record::key,
    seam::{Op, Response, Stop},
};
use alloc::{format, string::String, vec::Vec};
use serde::Serialize;

const FIELDS: [&str; 6] = ["grant_type", "username", "password", "refresh_token", "kerberos_ticket", "scope"];

#[derive(Serialize)]
struct Token {
    access_token: String,
    #[serde(rename = "type")]
    kind: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication: Option<About>,
}

/// A token for one of the three grants.
pub(super) fn create(op: &Op<'_>, prefix: Prefix) -> Result<Response, Stop> {
    let shows = prefix == Prefix::Security;
    op.want(&[key::cluster()]);
    if shows {
        want_profile(op);
    }
    // Only the password grant of the older prefix may come without a caller: its body says who asks.
    let caller = match (prefix, optional(op)?) {
        (Prefix::Security, None) => Some(caller(op)?),
        (_, caller) => caller,
    };
    let body = Body::read(op, "token_request", &FIELDS)?;
    let caller = match body.text("grant_type") {
        Some("refresh_token" | "client_credentials") if caller.is_none() => Some(self::caller(op)?),
        _ => caller,
    };
    let scope = body.has("scope").then_some("full");
    let grant = match validate(op, &body)? {
        GrantType::Password { username, password } => {
            if shows {
                engine::want_profile(op, username);
            }
            let user = login_as(op, username, password, "action [cluster:admin/xpack/security/token/create]")?;
            let client = caller.map_or(user.uid, |caller| caller.user.uid);
            Ok(engine::grant(op, &user, client, true)?)
        }
        GrantType::ClientCredentials => {
            let client = renewing(op, caller)?;
            match &client.token {
                Some(jti) => engine::grant_for_token(op, &client.user, jti)?,
                None => Ok(engine::grant(op, &client.user, client.user.uid, false)?),
            }
        }
        GrantType::RefreshToken(token) => {
            let client = renewing(op, caller)?;
            engine::refresh(op, token, client.user.uid)?
        }
    };
    // Not an early end: a token that was used twice has consequences, which must be committed.
    let grant = match grant {
        Ok(grant) => grant,
        Err(refusal) => return Ok(oauth(op, "invalid_grant", why(refusal))),
    };
    let Grant { access_token, expires_in, refresh_token, user } = grant;
    let authentication = if shows {
        let profile = engine::profile(op, user.uid)?;
        Some(info::about(&user, profile, "realm")?)
    } else {
        None
    };
    let token = Token { access_token, kind: "Bearer", expires_in, scope, refresh_token, authentication };
    Ok(answer::json(op, 200, &token))
}

enum GrantType<'b> {
    Password { username: &'b str, password: &'b str },
    RefreshToken(&'b str),
    ClientCredentials,
}

fn validate<'b>(op: &Op<'_>, body: &'b Body) -> Result<GrantType<'b>, Stop> {
    let password_grant = op.settings.elasticsearch.password_grant;
    let grant_type = body.text("grant_type").unwrap_or_default();
    let needed: &[&str] = match grant_type {
        "password" if password_grant => &["username", "password"],
        "refresh_token" => &["refresh_token"],
        "client_credentials" => &[],
        _ => {
            let offered = if password_grant {
                "password, refresh_token, client_credentials"
            } else {
                "refresh_token, client_credentials"
            };
            let text = findings(&[format!("grant_type only supports the values: [{offered}]")]);
            return Err(Stop::answer(oauth(op, "unsupported_grant_type", &text)));
        }
    };
    let mut found = Vec::new();
    for field in ["username", "password", "refresh_token", "kerberos_ticket"] {
        if needed.contains(&field) {
            if body.text(field).is_none() {
                found.push(format!("{field} is missing"));
            }
        } else if body.has(field) {
            found.push(format!("{field} is not supported with the {grant_type} grant_type"));
        }
    }
    if !found.is_empty() {
        return Err(Stop::answer(oauth(op, "invalid_request", &findings(&found))));
    }
    let text = |name| body.text(name).unwrap_or_default();
    Ok(match grant_type {
        "password" => GrantType::Password { username: text("username"), password: text("password") },
        "refresh_token" => GrantType::RefreshToken(text("refresh_token")),
        _ => GrantType::ClientCredentials,
    })
}

const fn why(refusal: NotRefreshed) -> &'static str {
    match refusal {
        NotRefreshed::Unknown => "could not refresh the requested token",
        NotRefreshed::OtherClient => "tokens must be refreshed by the creating client",
        NotRefreshed::Invalidated => "token has been invalidated",
        NotRefreshed::PasswordExpired => "the password of the user has expired",
        NotRefreshed::Expired => "token document has expired",
        NotRefreshed::Used => "token has already been refreshed more than 30 seconds in the past",
    }
}

//! `/admin/tokens`: making, explaining and ending tokens.

use super::{
    ACTOR,
    body::{Body, invalid, missing},
    error::refused,
    json, target,
};
use crate::{
    engine::{self, DIALECT, Selection},
    record::{PairOf, Revoked, Uid, User, key},
    refusal::Refusal,
    seam::{Op, Response, Stop},
    time::UnixTime,
    token::{self, Explanation, Profile},
};
use alloc::{
    format,
    string::{String, ToString},
};
use serde::Serialize;

/// The longest `jti` that can be revoked by name, in octets.
const MAX_JTI: usize = 256;

#[derive(Serialize)]
struct Issued<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u32,
    jti: &'a str,
}

/// A token of the Redis dialect for a user, without his password.
pub(super) fn issue(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["user", "ttl"])?;
    let (who, ttl) = (body.need("user")?, body.integer("ttl")?);
    let bounds = op.settings.redis.ttl;
    let lifetime = ttl.map_or(Ok(bounds.unasked()), |asked| bounds.admit(asked))?;
    let user = target(op, who)?;
    if user.disabled {
        return refused(409, "user_disabled", "this user is disabled: no token of his works");
    }
    let issued = engine::issue(op, &user, "redis", lifetime)?;
    engine::audit(op, "token.mint", &ACTOR, &issued.jti, None);
    let (access_token, jti) = (&issued.token, &issued.jti);
    json(201, &Issued { access_token, token_type: "Bearer", expires_in: lifetime.as_secs(), jti })
}

/// Whether a token works now, and if not, why; its parts, if it has any.
#[derive(Serialize)]
struct Explained {
    live: bool,
    /// The stable code of what speaks against it.
    code: Option<&'static str>,
    sentence: &'static str,
    user: Option<Owner>,
    /// Of signed tokens: what they say.
    token: Option<Explanation>,
    /// Of tokens that are found by their digest: what is stored.
    authorization: Option<Found>,
}

#[derive(Serialize)]
struct Owner {
    uid: u32,
    name: String,
    disabled: bool,
}

#[derive(Serialize)]
struct Found {
    id: String,
    scopes: String,
    created: String,
    expires: String,
}

/// Lays a token open. The verdict is that of every other route, by the same checks.
pub(super) fn explain(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["token"])?;
    let token = body.need("token")?;
    let owner = |user: User| Owner { uid: user.uid.as_u32(), name: user.name, disabled: user.disabled };
    let mut explained =
        Explained { live: true, code: None, sentence: "the token holds", user: None, token: None, authorization: None };
    let verdict = if engine::is_token(token) {
        engine::authorization(op, token).map(|authorized| {
            let authorization = authorized.authorization;
            explained.authorization = Some(Found {
                id: engine::hex(&authorization.id),
                scopes: engine::scopes(&authorization.scopes),
                created: authorization.created.to_string(),
                expires: authorization.expires.to_string(),
            });
            explained.user = Some(owner(authorized.user));
        })
    } else {
        explained.token = Some(op.vault.keys().explain(token, &profile(op), op.now()));
        let verdict = engine::any_bearer(op, token).map(drop);
        explained.user = owner_of(op, token)?.map(owner);
        verdict
    };
    match verdict {
        Ok(()) => {}
        Err(Stop::Refuse(refusal)) if refusal.is_token() => {
            explained.live = false;
            explained.code = Some(refusal.code());
            explained.sentence = sentence(&refusal);
        }
        Err(stop) => return Err(stop),
    }
    json(200, &explained)
}

/// Whose token it is, once the signature holds.
fn owner_of(op: &Op<'_>, token: &str) -> Result<Option<User>, Stop> {
    match engine::verify(op, token).ok().and_then(|verified| Uid::parse(verified.uid()?)) {
        Some(uid) => engine::user(op, uid),
        None => Ok(None),
    }
}

fn profile<'a>(op: &Op<'a>) -> Profile<'a> {
    let settings = op.settings;
    Profile {
        issuer: &settings.issuer,
        audience: settings.audience.as_deref(),
        leeway: settings.leeway,
        typ: token::ACCESS,
    }
}

fn sentence(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Token(refusal) => refusal.sentence(),
        Refusal::TokenRevoked => "the token was revoked, or never issued here",
        Refusal::TokenEnded => "all tokens of its user were ended after it was issued",
        Refusal::TokenUserGone => "its user is deleted or disabled",
        _ => "the token has no id, so this server did not issue it",
    }
}

/// Ends a token, given itself or by its id. Of a token that is not good there is nothing to end.
pub(super) fn revoke(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["token", "jti", "expires"])?;
    match (body.text("token")?, body.text("jti")?, body.integer("expires")?) {
        (None, Some(jti), expires) => revoke_id(op, jti, expires),
        (Some(token), None, None) => revoke_token(op, token),
        (Some(_), Some(_), _) => invalid("jti", "cannot stand beside `token`"),
        (Some(_), None, Some(_)) => invalid("expires", "cannot stand beside `token`, which says it itself"),
        (None, None, _) => missing("token"),
    }
}

fn revoke_token(op: &Op<'_>, token: &str) -> Result<Response, Stop> {
    if engine::is_token(token) {
        return match engine::authorization(op, token) {
            Ok(found) => {
                engine::end(op, &ACTOR, &found.authorization);
                revoked(&engine::hex(&found.authorization.id))
            }
            Err(Stop::Refuse(refusal)) if refusal.is_token() => nothing(&refusal),
            Err(stop) => Err(stop),
        };
    }
    if op.load::<PairOf>(&key::pair_of_refresh(token))?.is_some() {
        engine::invalidate(op, &ACTOR, &Selection::Grant(token))?;
        return revoked("refresh token");
    }
    let verified = match engine::verify(op, token) {
        Ok(verified) => verified,
        Err(refusal) => return nothing(&refusal),
    };
    let Some(jti) = verified.jti() else { return nothing(&Refusal::TokenForeign) };
    let of_pair = verified.dialect() == Some(DIALECT);
    if !of_pair || engine::invalidate(op, &ACTOR, &Selection::Access(token))?.is_none() {
        engine::revoke(op, jti, verified.expires());
        engine::audit(op, "token.revoke", &ACTOR, &jti, None);
    }
    revoked(jti)
}

/// Ends the token with this id. The entry lasts until every token that this server could have issued by now has expired, or longer if
/// `expires` (in Unix seconds) is later: for tokens that were issued elsewhere. It never gets shorter (security T16).
fn revoke_id(op: &Op<'_>, jti: &str, expires: Option<i128>) -> Result<Response, Stop> {
    if !(1..=MAX_JTI).contains(&jti.len()) {
        return invalid("jti", &format!("is not 1 to {MAX_JTI} octets long"));
    }
    let expires = match expires.map(u32::try_from) {
        None => UnixTime::default(),
        Some(Ok(secs)) => UnixTime::from_secs(secs.into()),
        Some(Err(_)) => return invalid("expires", "is not a time in Unix seconds before 2106"),
    };
    let known = op.load::<Revoked>(&key::revoked(jti))?.map_or(UnixTime::default(), |revoked| revoked.0);
    let expires = engine::last_expiry(op).max(expires);
    if known < expires.plus_secs(token::MAX_LEEWAY.into()) {
        engine::revoke(op, jti, expires);
    }
    engine::audit(op, "token.revoke", &ACTOR, &jti, None);
    revoked(jti)
}

fn revoked(id: &str) -> Result<Response, Stop> {
    json(200, &serde_json::json!({ "revoked": true, "id": id }))
}

/// There was nothing to end, and why.
fn nothing(refusal: &Refusal) -> Result<Response, Stop> {
    json(200, &serde_json::json!({ "revoked": false, "code": refusal.code(), "sentence": sentence(refusal) }))
}

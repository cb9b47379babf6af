//! `/admin/keys` and what is done to signing keys.

use super::{
    ACTOR, JSON,
    body::{self, Body, invalid, missing, wrong_type},
    error::refused,
    json,
};
use crate::{
    dialect::form::Form,
    engine::{self, Imported},
    record::{KeyState, SigningKey, key},
    refusal::Refusal,
    seam::{Op, Response, Stop},
    token::{Algorithm, Jwk, Key, KeyError},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

/// A key as this API shows it; never its secret. Times are RFC 3339.
#[derive(Serialize)]
struct Shown<'a> {
    kid: &'a str,
    alg: &'static str,
    /// `signs` or `verifies`.
    state: &'static str,
    /// When it stops to verify; none if it does not.
    until: Option<String>,
    created: String,
}

impl<'a> From<&'a SigningKey> for Shown<'a> {
    fn from(key: &'a SigningKey) -> Self {
        let (state, until) = match key.state {
            KeyState::Signs => ("signs", None),
            KeyState::Verifies { until } => ("verifies", until),
        };
        let until = until.map(|until| until.to_string());
        Self { kid: &key.kid, alg: key.algorithm.name(), state, until, created: key.created.to_string() }
    }
}

#[derive(Serialize)]
struct List<'a> {
    keys: Vec<Shown<'a>>,
}

/// All keys.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    let keys = engine::keys(op)?;
    json(200, &List { keys: keys.iter().map(Shown::from).collect() })
}

/// A new key signs from now on.
pub(super) fn rotate(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["algorithm"])?;
    let algorithm = match body.text("algorithm")?.map(Algorithm::from_name) {
        None => Algorithm::Hs256,
        Some(Some(algorithm)) => algorithm,
        Some(None) => {
            return invalid("algorithm", &format!("is not one of {}", Algorithm::ALL.map(Algorithm::name).join(", ")));
        }
    };
    json(201, &Shown::from(&engine::rotate_key(op, &ACTOR, algorithm)?))
}

/// A key that does not sign goes, and its tokens with it.
pub(super) fn retire(op: &Op<'_>, kid: &str) -> Result<Response, Stop> {
    body::none(op)?;
    let Some(known) = op.load::<SigningKey>(&key::signing_key(kid))? else { return no_such_key() };
    if known.state == KeyState::Signs {
        return refused(409, "key_signs", "this key signs: rotate first");
    }
    engine::retire_key(op, &ACTOR, kid)?;
    Ok(Response::empty(204))
}

/// Every key, or the one of the query's `kid`, as a JWK set with secrets.
pub(super) fn export(op: &Op<'_>) -> Result<Response, Stop> {
    let malformed = || refused(400, "malformed_query", "the query is not a form, or has other names than `kid`");
    let Ok(query) = Form::parse(op.request.query.as_bytes()) else { return malformed() };
    let (Ok(kid), true) = (query.one("kid"), query.pairs().all(|(name, _)| name == "kid")) else { return malformed() };
    let keys = engine::keys(op)?;
    let wanted: Vec<_> = keys.iter().filter(|key| kid.is_none_or(|kid| key.kid == kid)).collect();
    if wanted.is_empty() && kid.is_some() {
        return no_such_key();
    }
    let mut jwks = Vec::new();
    for key in wanted {
        let secret = op.vault.unseal(&key.kid, &key.sealed)?;
        let opened = Key::new(&key.kid, key.algorithm, &secret).map_err(|_| Refusal::BadRecord)?;
        engine::audit(op, "key.export", &ACTOR, &key.kid, None);
        jwks.push(Jwk::write(&opened));
    }
    let texts: Vec<&str> = jwks.iter().map(|jwk| jwk.as_str()).collect();
    let set = Zeroizing::new(texts.join(","));
    Ok(Response::new(200, JSON, format!("{{\"keys\":[{}]}}", *set)).with_header("cache-control", "no-store"))
}

/// Takes keys in that were made elsewhere: `keys` is a JWK or a JWK set.
pub(super) fn import(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["keys", "sign"])?;
    let sign = body.flag("sign")?;
    let keys = match body.value("keys") {
        None => return missing("keys"),
        Some(value @ Value::Object(_)) => read(value)?,
        Some(_) => return wrong_type("keys", "a JSON web key or a set of them"),
    };
    match engine::import_keys(op, &ACTOR, &keys, sign)? {
        Imported::Done => {
            let kids: Vec<_> = keys.iter().map(Key::kid).collect();
            json(201, &serde_json::json!({ "imported": kids }))
        }
        Imported::KidTaken(kid) => refused(409, "kid_taken", &format!("there is a key with the kid `{kid}` already")),
        Imported::TooMany => Err(Refusal::TooManyKeys.into()),
    }
}

/// The keys of a JWK or a JWK set, each of which must be good to verify with and have a `kid` of its own.
fn read(value: &Value) -> Result<Vec<Key>, Stop> {
    let text = Zeroizing::new(value.to_string());
    let mut keys: Vec<Key> = Vec::new();
    for jwk in Jwk::read(&text).or_else(bad_key)? {
        let key = match jwk {
            Jwk::Usable(key) => key,
            Jwk::Unusable { kid, reason, .. } => {
                return refused(400, "unusable_key", &format!("the key `{kid}` cannot be used: {reason}"));
            }
        };
        if key.kid().is_empty() {
            return bad_key(KeyError::BadKid);
        }
        if keys.iter().any(|known| known.kid() == key.kid()) {
            return bad_key(KeyError::RepeatedKid(key.kid().into()));
        }
        keys.push(key);
    }
    if keys.is_empty() { refused(400, "no_keys", "the set holds no key") } else { Ok(keys) }
}

fn bad_key<T>(error: KeyError) -> Result<T, Stop> {
    refused(400, error.code(), &error.to_string())
}

fn no_such_key<T>() -> Result<T, Stop> {
    refused(404, "key_not_found", "there is no such key")
}

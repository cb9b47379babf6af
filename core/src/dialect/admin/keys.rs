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
        Some(Some(algorithm)) if algorithm.is_symmetric() => algorithm,
        Some(_) => {
            return invalid("algorithm", &format!("is not one of {}", Algorithm::ALL.iter().filter(|known| known.is_symmetric()).map(|known| known.name()).collect::<Vec<_>>().join(", ")));
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
    for jwk in Jwk::read(&text).or_else(|error| bad_key(&error))? {
        let key = match jwk {
            Jwk::Usable(key) => key,
            Jwk::Unusable { kid, reason, .. } => {
                return refused(400, "unusable_key", &format!("the key `{kid}` cannot be used: {reason}"));
            }
        };
        if key.kid().is_empty() {
            return bad_key(&KeyError::BadKid);
        }
        if keys.iter().any(|known| known.kid() == key.kid()) {
            return bad_key(&KeyError::RepeatedKid(key.kid().into()));
        }
        if !key.algorithm().is_symmetric() {
            return refused(400, "unusable_key", &format!("the key `{}` cannot be used here yet", key.kid()));
        }
        keys.push(key);
    }
    if keys.is_empty() { refused(400, "no_keys", "the set holds no key") } else { Ok(keys) }
}

fn bad_key<T>(error: &KeyError) -> Result<T, Stop> {
    refused(400, error.code(), &error.to_string())
}

fn no_such_key<T>() -> Result<T, Stop> {
    refused(404, "key_not_found", "there is no such key")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{done, refused, world};
    use crate::testing::{TestWorld, request};
    use alloc::{
        format,
        string::{String, ToString},
        vec::Vec,
    };
    use serde_json::{Value, json};

    fn listed(world: &mut TestWorld) -> Vec<Value> {
        let Value::Array(keys) = done(world, "GET /admin/keys", "", 200)["keys"].take() else { panic!("no list") };
        keys
    }

    fn alive(world: &mut TestWorld, token: &str) -> bool {
        let verify = request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
        world.call(verify).status == 204
    }

    /// A JWK of 32 octets.
    fn jwk(kid: &str) -> Value {
        json!({"kty": "oct", "kid": kid, "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr0"})
    }

    fn import(keys: &Value, sign: bool) -> String {
        json!({"keys": keys, "sign": sign}).to_string()
    }

    #[test]
    fn keys_are_shown_without_secrets() {
        let mut world = world();
        let expected = json!({
            "kid": "test", "alg": "HS256", "state": "signs", "until": null, "created": "2027-01-15T08:00:00Z",
        });
        assert_eq!(listed(&mut world), [expected]);
    }

    #[test]
    fn a_rotated_key_verifies_until_its_last_token_has_expired() {
        let mut world = world();
        let old = world.token("ann", "ann password");
        let new = done(&mut world, "POST /admin/keys/rotate", r#"{"algorithm": "HS512"}"#, 201);
        assert_eq!((&new["alg"], &new["state"]), (&"HS512".into(), &"signs".into()));
        assert_eq!(world.audited().last().map(String::as_str), Some("key.rotate"));
        let keys = listed(&mut world);
        let old_key = keys.iter().find(|key| key["kid"] == "test").unwrap();
        assert_eq!((&old_key["state"], &old_key["until"]), (&"verifies".into(), &"2027-01-16T08:00:01Z".into()));
        let token = world.token("ann", "ann password");
        assert!(alive(&mut world, &old) && alive(&mut world, &token));
        world.advance(86_401);
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        assert!(listed(&mut world).iter().all(|key| key["kid"] != "test"));
    }

    #[test]
    fn rotating_for_ever_keeps_the_number_of_keys_bounded() {
        let mut world = world();
        for _ in 1..64 {
            done(&mut world, "POST /admin/keys/rotate", "", 201);
        }
        assert_eq!(listed(&mut world).len(), 64);
        refused(&mut world, "POST /admin/keys/rotate", "", 409, "too_many_keys");
        refused(&mut world, "POST /admin/keys/import", &import(&jwk("more"), false), 409, "too_many_keys");
        let token = world.token("ann", "ann password");
        assert!(alive(&mut world, &token));
        world.advance(86_401);
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        assert_eq!(listed(&mut world).len(), 2);
    }

    #[test]
    fn wrong_rotations_are_refused() {
        let mut world = world();
        for (body, code) in [
            (r#"{"algorithm": "none"}"#, "invalid_value"),
            (r#"{"algorithm": "hs256"}"#, "invalid_value"),
            (r#"{"algorithm": "RS256"}"#, "invalid_value"),
            (r#"{"algorithm": 256}"#, "wrong_type"),
            (r#"{"alg": "HS256"}"#, "unknown_member"),
        ] {
            refused(&mut world, "POST /admin/keys/rotate", body, 400, code);
        }
    }

    #[test]
    fn a_retired_key_takes_its_tokens_with_it() {
        let mut world = world();
        let token = world.token("ann", "ann password");
        refused(&mut world, "POST /admin/keys/test/retire", "", 409, "key_signs");
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        world.audited();
        done(&mut world, "POST /admin/keys/test/retire", "", 204);
        assert_eq!(world.audited(), ["key.retire"]);
        assert!(!alive(&mut world, &token));
        refused(&mut world, "POST /admin/keys/test/retire", "", 404, "key_not_found");
    }

    #[test]
    fn what_is_exported_can_be_imported_elsewhere() {
        let mut world = world();
        let token = world.token("ann", "ann password");
        world.audited();
        let exported = done(&mut world, "GET /admin/keys/export", "", 200);
        assert_eq!(world.audited(), ["key.export"]);
        assert_eq!(done(&mut world, "GET /admin/keys/export?kid=test", "", 200), exported);
        assert_eq!(exported["keys"][0]["kid"], "test");
        assert_eq!(exported["keys"][0]["k"], "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");

        let mut other = TestWorld::unsown();
        done(&mut other, "POST /admin/bootstrap", r#"{"name": "admin", "password": "pw"}"#, 201);
        done(&mut other, "POST /admin/users", r#"{"name": "ann", "password": "ann password"}"#, 201);
        assert!(!alive(&mut other, &token));
        let answer = done(&mut other, "POST /admin/keys/import", &import(&exported, false), 201);
        assert_eq!(answer, json!({"imported": ["test"]}));
        assert!(alive(&mut other, &token));
        assert_ne!(done(&mut other, "GET /admin/status", "", 200)["signing_key"], "test");
    }

    #[test]
    fn wrong_exports_are_refused() {
        let mut world = world();
        refused(&mut world, "GET /admin/keys/export?kid=other", "", 404, "key_not_found");
        for query in ["key=test", "kid=test&kid=test", "kid=%"] {
            refused(&mut world, &format!("GET /admin/keys/export?{query}"), "", 400, "malformed_query");
        }
    }

    #[test]
    fn the_first_imported_key_signs_if_asked_to() {
        let mut world = world();
        done(&mut world, "POST /admin/keys/import", &import(&json!({"keys": [jwk("a"), jwk("b")]}), true), 201);
        assert_eq!(world.audited(), ["key.import", "key.import"]);
        let states: Vec<_> = listed(&mut world).iter().map(|key| key["state"].as_str().unwrap().to_string()).collect();
        assert_eq!(states, ["signs", "verifies", "verifies"]);
        assert_eq!(done(&mut world, "GET /admin/status", "", 200)["signing_key"], "a");
        let body = json!({"keys": jwk("c")}).to_string();
        done(&mut world, "POST /admin/keys/import", &body, 201);
        assert_eq!(done(&mut world, "GET /admin/status", "", 200)["signing_key"], "a");
    }

    #[test]
    fn wrong_imports_are_refused() {
        let mut world = world();
        let with = |name: &str, value: Value| {
            let mut jwk = jwk("new");
            jwk[name] = value;
            jwk
        };
        for (keys, status, code) in [
            (json!("text"), 400, "wrong_type"),
            (json!([jwk("new")]), 400, "wrong_type"),
            (json!({}), 400, "bad_jwk"),
            (json!({"keys": []}), 400, "no_keys"),
            (json!({"keys": {}}), 400, "bad_jwk"),
            (with("kty", json!("RSA")), 400, "unusable_key"),
            (with("kty", json!(1)), 400, "bad_jwk"),
            (with("use", json!("enc")), 400, "unusable_key"),
            (with("alg", json!("none")), 400, "unusable_key"),
            (with("alg", json!("HS512")), 400, "short_secret"),
            (with("k", json!("AyM1")), 400, "short_secret"),
            (with("k", json!("***")), 400, "bad_jwk"),
            (with("kid", json!("")), 400, "bad_key_kid"),
            (with("kid", json!("x".repeat(257))), 400, "bad_key_kid"),
            (json!({"kty": "oct", "alg": "HS256", "k": jwk("x")["k"]}), 400, "bad_key_kid"),
            (json!({"keys": [jwk("new"), jwk("new")]}), 400, "repeated_kid"),
            (json!({"keys": [jwk("new"), jwk("test")]}), 409, "kid_taken"),
        ] {
            refused(&mut world, "POST /admin/keys/import", &import(&keys, true), status, code);
        }
        refused(&mut world, "POST /admin/keys/import", "", 400, "missing_member");
        refused(
            &mut world,
            "POST /admin/keys/import",
            &json!({"keys": jwk("new"), "sign": 1}).to_string(),
            400,
            "wrong_type",
        );
        assert_eq!(listed(&mut world).len(), 1);
    }

    #[test]
    fn of_two_rotations_at_once_one_key_signs_in_the_end() {
        let mut world = world();
        let late = world.race_local(request("POST /admin/keys/rotate", ""), |world| {
            done(world, "POST /admin/keys/rotate", "", 201);
        });
        assert_eq!(late.status, 201);
        let states = listed(&mut world);
        assert_eq!(states.iter().filter(|key| key["state"] == "signs").count(), 1);
        assert_eq!(states.len(), 3);
    }
}

//! `/admin/keys` and what is done to signing keys.

use super::{
    ACTOR, JSON,
    body::{self, Body, invalid, missing, wrong_type},
    error::refused,
    json,
};
use crate::{
    dialect::form::Form,
    engine::{self, NotImported, NotRetired, NotRotated, Rotation},
    record::{KeyState, SigningKey},
    refusal::Refusal,
    seam::{Op, Response, Stop},
    time::UnixTime,
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
    /// `signs`, `verifies`, or `follows`: it is published and signs later.
    state: &'static str,
    /// The time from which it signs, if it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// When it stops verifying; none if it does not.
    until: Option<String>,
    created: String,
}

impl<'a> Shown<'a> {
    fn new(op: &Op<'_>, key: &'a SigningKey) -> Self {
        let (state, from) = match key.state {
            state if state.signs_at(op.now()) => ("signs", None),
            KeyState::Follows { from } => ("follows", Some(from.to_string())),
            _ => ("verifies", None),
        };
        let until = key.state.until().map(|until| until.to_string());
        Self { kid: &key.kid, alg: key.algorithm.name(), state, from, until, created: key.created.to_string() }
    }
}

#[derive(Serialize)]
struct List<'a> {
    keys: Vec<Shown<'a>>,
}

/// All keys.
pub(super) fn list(op: &Op<'_>) -> Result<Response, Stop> {
    let keys = engine::keys(op)?;
    json(200, &List { keys: keys.iter().map(|key| Shown::new(op, key)).collect() })
}

/// A new key signs from now on, or when it has been published for a while.
pub(super) fn rotate(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["algorithm", "end_tokens", "at_once"])?;
    let algorithm = match body.text("algorithm")?.map(Algorithm::from_name) {
        None => None,
        Some(Some(algorithm)) => Some(algorithm),
        Some(None) => {
            let names: Vec<_> = Algorithm::ALL.iter().map(|known| known.name()).collect();
            return invalid("algorithm", &format!("is not one of {}", names.join(", ")));
        }
    };
    let rotation = Rotation { algorithm, end_tokens: body.flag("end_tokens")?, at_once: body.flag("at_once")? };
    match engine::rotate_key(op, &ACTOR, rotation)? {
        Ok(new) => json(201, &Shown::new(op, &new)),
        Err(NotRotated::OtherKind) => other_kind(),
        Err(NotRotated::Pending(from)) => pending(from),
    }
}

/// A key that does not sign goes, and its tokens with it.
pub(super) fn retire(op: &Op<'_>, kid: &str) -> Result<Response, Stop> {
    body::none(op)?;
    match engine::retire_key(op, &ACTOR, kid)? {
        Ok(()) => Ok(Response::empty(204)),
        Err(NotRetired::Unknown) => no_such_key(),
        Err(NotRetired::Needed) => refused(409, "key_signs", "this key signs, or is going to: rotate first"),
    }
}

/// Every key, or the one of the query's `kid`, as a JWK set: with secrets and private parts, unless `secret` is `false`.
pub(super) fn export(op: &Op<'_>) -> Result<Response, Stop> {
    let malformed =
        || refused(400, "malformed_query", "the query is not a form, or has other names than `kid` and `secret`");
    let Ok(query) = Form::parse(op.request.query.as_bytes()) else { return malformed() };
    let known = query.pairs().all(|(name, _)| matches!(name, "kid" | "secret"));
    let (Ok(kid), Ok(secret), true) = (query.one("kid"), query.one("secret"), known) else { return malformed() };
    let secret = match secret {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return malformed(),
    };
    let keys = engine::keys(op)?;
    // One whose last token has expired verifies nothing any more: it is shown only to whoever asks for it by name.
    let lives = |key: &SigningKey| key.state.until().is_none_or(|until| op.now() < until);
    let wanted: Vec<_> = keys.iter().filter(|key| kid.map_or_else(|| lives(key), |kid| key.kid == kid)).collect();
    if wanted.is_empty() && kid.is_some() {
        return no_such_key();
    }
    let mut jwks = Vec::new();
    for key in wanted {
        if secret {
            jwks.push(engine::export_key(op, &ACTOR, key)?);
        } else {
            jwks.extend(engine::public_part(op, key)?.map(Zeroizing::new));
        }
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
        Ok(()) => {
            let kids: Vec<_> = keys.iter().map(Key::kid).collect();
            json(201, &serde_json::json!({ "imported": kids }))
        }
        Err(NotImported::KidTaken(kid)) => {
            refused(409, "kid_taken", &format!("there is a key with the kid `{kid}` already"))
        }
        Err(NotImported::TooMany) => Err(Refusal::TooManyKeys.into()),
        Err(NotImported::OtherKind) => other_kind(),
        Err(NotImported::CannotSign) => bad_key(&KeyError::PublicSigner),
        Err(NotImported::Pending(from)) => pending(from),
    }
}

/// The keys of a JWK or a JWK set, each of which must be good to verify with and have a `kid` of its own without control characters.
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
        // No path could name the key.
        if key.kid().is_empty() || key.kid().chars().any(char::is_control) {
            return refused(400, KeyError::BadKid.code(), "a kid to import is not empty and has no control character");
        }
        if keys.iter().any(|known| known.kid() == key.kid()) {
            return bad_key(&KeyError::RepeatedKid(key.kid().into()));
        }
        keys.push(key);
    }
    if keys.is_empty() { refused(400, "no_keys", "the set holds no key") } else { Ok(keys) }
}

fn other_kind<T>() -> Result<T, Stop> {
    let why = "shared secrets (HS256, HS384, HS512) and public keys are never in use together: `waxseal key rotate \
               --algorithm … --end-tokens` changes the kind, and ends every token";
    refused(409, "mixed_key_set", why)
}

fn pending<T>(from: UnixTime) -> Result<T, Stop> {
    refused(
        409,
        "rotation_pending",
        &format!("a key is published already and signs from {from} on: wait, or use `at_once`"),
    )
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
        assert_eq!((&old_key["state"], &old_key["until"]), (&"verifies".into(), &"2027-01-16T08:01:01Z".into()));
        let token = world.token("ann", "ann password");
        assert!(alive(&mut world, &old) && alive(&mut world, &token));
        world.advance(86_461);
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        assert!(listed(&mut world).iter().all(|key| key["kid"] != "test"));
    }

    #[test]
    fn a_clock_that_was_ahead_takes_no_key_with_it() {
        let mut world = world();
        let right = world.now();
        let old = world.token("ann", "ann password");
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        world.advance(2 * 86_400);
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        let (import, ahead) = (import(&jwk("more"), false), world.now());
        done(&mut world, "POST /admin/keys/import", &import, 201);
        assert!(listed(&mut world).iter().all(|key| key["kid"] != "test"));
        world.set(right.plus_secs(60));
        assert!(alive(&mut world, &old) && listed(&mut world).iter().any(|key| key["kid"] == "test"));
        // Nor does it keep a key that was to go.
        world.set(ahead);
        done(&mut world, "POST /admin/keys/rotate", r#"{"end_tokens": true}"#, 201);
        world.set(right.plus_secs(60));
        assert_eq!((alive(&mut world, &old), listed(&mut world).len()), (false, 1));
    }

    /// Mixed, they could not be read again, and nothing would be answered any more.
    #[test]
    fn changes_that_race_never_mix_secrets_with_public_keys() {
        let rotate = || request("POST /admin/keys/rotate", r#"{"algorithm": "ES256", "end_tokens": true}"#);
        let late = import(&jwk("late"), false);
        let mut world_1 = world();
        let rotated = world_1.race_local(rotate(), |world| {
            done(world, "POST /admin/keys/import", &late, 201);
        });
        assert_eq!(rotated.status, 201);
        let left = listed(&mut world_1);
        assert!(left.len() == 1 && left[0]["alg"] == "ES256", "the late one is removed as all others: {left:?}");

        let mut world_2 = world();
        let imported = world_2.race_local(request("POST /admin/keys/import", &late), |world| {
            assert_eq!(world.local(rotate()).status, 201);
        });
        assert_eq!(imported.status, 409);
        assert_eq!(listed(&mut world_2).len(), 1);
    }

    #[test]
    fn changes_that_race_leave_one_set_whatever_was_read_before() {
        let rotations = ["", r#"{"algorithm": "ES256", "end_tokens": true}"#];
        for (round, rotation) in (0..8).flat_map(|round| rotations.map(|rotation| (round, rotation))) {
            let mut world = world();
            let late = request("POST /admin/keys/import", &import(&jwk("late"), true));
            let mut raced = false;
            let imported = world.race_local_at(round, late, |world| {
                assert_eq!(world.local(request("POST /admin/keys/rotate", rotation)).status, 201);
                raced = true;
            });
            assert!(matches!(imported.status, 201 | 409), "round {round}: {}", imported.status);
            let keys = listed(&mut world);
            assert_eq!(keys.iter().filter(|key| key["state"] == "signs").count(), 1, "round {round}: {keys:?}");
            let public = raced && rotation.contains("ES256");
            assert!(keys.iter().all(|key| (key["alg"] == "ES256") == public), "round {round}: {keys:?}");
        }
    }

    #[test]
    fn of_two_keys_with_one_name_one_is_taken() {
        for round in 0..8 {
            let mut world = world();
            let same = import(&jwk("same"), false);
            let mut raced = false;
            let imported = world.race_local_at(round, request("POST /admin/keys/import", &same), |world| {
                assert_eq!(world.local(request("POST /admin/keys/import", &same)).status, 201);
                raced = true;
            });
            assert_eq!(imported.status, if raced { 409 } else { 201 }, "round {round}");
        }
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
        world.advance(86_461);
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
    fn a_key_that_verifies_nothing_any_more_is_exported_by_name_only() {
        let mut world = world();
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        let kids = |world: &mut TestWorld, query: &str| -> Vec<String> {
            let exported = done(world, &format!("GET /admin/keys/export{query}"), "", 200);
            exported["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_string()).collect()
        };
        assert!(kids(&mut world, "").contains(&"test".into()));
        world.advance(86_461);
        assert!(listed(&mut world).iter().any(|key| key["kid"] == "test"));
        assert!(!kids(&mut world, "").contains(&"test".into()));
        assert_eq!(kids(&mut world, "?kid=test"), ["test"]);
    }

    #[test]
    fn wrong_exports_are_refused() {
        let mut world = world();
        refused(&mut world, "GET /admin/keys/export?kid=other", "", 404, "key_not_found");
        for query in ["key=test", "kid=test&kid=test", "kid=%", "secret=yes", "secret=false&secret=true"] {
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
            (with("kid", json!("a\nb")), 400, "bad_key_kid"),
            (with("kid", json!("a\u{0}")), 400, "bad_key_kid"),
            (with("kid", json!("\u{7f}")), 400, "bad_key_kid"),
            (with("kid", json!("\u{9b}b")), 400, "bad_key_kid"),
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

    /// A server whose first key signs like this.
    fn public_world(algorithm: crate::token::Algorithm) -> TestWorld {
        let mut world = TestWorld::unsown();
        world.settings_mut().signing_algorithm = algorithm;
        done(&mut world, "POST /admin/bootstrap", r#"{"name": "admin", "password": "pw"}"#, 201);
        world
    }

    /// What is published, by `kid`.
    fn published(world: &mut TestWorld) -> Vec<String> {
        let set = world.call(request("GET /.well-known/jwks.json", ""));
        assert_eq!((set.status, set.header("content-type")), (200, Some("application/jwk-set+json")));
        let set: Value = serde_json::from_slice(&set.body).unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().into()).collect()
    }

    /// The `kid` in the header of a new token.
    fn signed_by(world: &mut TestWorld) -> String {
        let token = world.token("admin", "pw");
        assert!(alive(world, &token));
        let header = crate::token::KeySet::default().explain(
            &token,
            &crate::token::Profile { issuer: "waxseal", audience: None, leeway: 0, typ: crate::token::ACCESS },
            world.now(),
        );
        let Some(crate::token::Part::Json(header)) = header.header else { panic!("no header") };
        header["kid"].as_str().unwrap().into()
    }

    #[test]
    fn a_public_key_is_published_before_it_signs() {
        for algorithm in [crate::token::Algorithm::EdDsa, crate::token::Algorithm::Es256] {
            let mut world = public_world(algorithm);
            let first = signed_by(&mut world);
            assert_eq!(published(&mut world), [first.as_str()]);
            let token = world.token("admin", "pw");
            let next = done(&mut world, "POST /admin/keys/rotate", "", 201);
            let second = next["kid"].as_str().unwrap();
            assert_eq!(
                (&next["state"], &next["from"], &next["alg"]),
                (&"follows".into(), &"2027-01-15T08:10:00Z".into(), &algorithm.name().into())
            );
            let mut both = [first.as_str(), second];
            both.sort_unstable();
            assert_eq!(published(&mut world), both);
            world.advance(599);
            assert_eq!(signed_by(&mut world), first);
            refused(&mut world, "POST /admin/keys/rotate", "", 409, "rotation_pending");
            for kid in [&first, second] {
                refused(&mut world, &format!("POST /admin/keys/{kid}/retire"), "", 409, "key_signs");
            }
            world.advance(1);
            assert_eq!(signed_by(&mut world), second);
            let states: Vec<_> = listed(&mut world).iter().map(|key| key["state"].clone()).collect();
            assert_eq!(states.iter().filter(|state| *state == "signs").count(), 1);
            // The last token of the first key was issued a moment ago, and may live a day.
            world.settings_mut().redis.ttl =
                crate::lifetime::Bounds::new(1, 86_400, 86_400, crate::lifetime::Manner::Refuse).unwrap();
            assert!(published(&mut world).contains(&first));
            let third = done(&mut world, "POST /admin/keys/rotate", "", 201)["kid"].as_str().unwrap().to_string();
            world.advance(600);
            assert_eq!((signed_by(&mut world), published(&mut world).len()), (third, 3));
            world.advance(86_460 - 600);
            assert!(published(&mut world).contains(&first), "it may have signed until the second one did");
            world.advance(1);
            assert!(!published(&mut world).contains(&first) && !alive(&mut world, &token));
        }
    }

    #[test]
    fn in_an_emergency_a_public_key_signs_at_once() {
        let mut world = public_world(crate::token::Algorithm::EdDsa);
        let first = signed_by(&mut world);
        let waiting = done(&mut world, "POST /admin/keys/rotate", "", 201);
        let urgent = done(&mut world, "POST /admin/keys/rotate", r#"{"at_once": true, "algorithm": "ES256"}"#, 201);
        assert_eq!((&urgent["state"], &urgent["alg"]), (&"signs".into(), &"ES256".into()));
        assert_eq!(signed_by(&mut world), urgent["kid"]);
        let known = published(&mut world);
        assert!(known.contains(&first) && !known.iter().any(|kid| waiting["kid"] == **kid), "{known:?}");
        done(&mut world, &format!("POST /admin/keys/{first}/retire"), "", 204);
        let last = done(&mut world, "POST /admin/keys/rotate", r#"{"end_tokens": true}"#, 201);
        assert_eq!(published(&mut world), [last["kid"].as_str().unwrap()]);
    }

    #[test]
    fn a_key_that_is_published_already_is_the_one_that_signs_at_once() {
        let mut world = public_world(crate::token::Algorithm::EdDsa);
        let first = signed_by(&mut world);
        let waiting = done(&mut world, "POST /admin/keys/rotate", "", 201);
        let known = published(&mut world);
        let urgent = done(&mut world, "POST /admin/keys/rotate", r#"{"at_once": true}"#, 201);
        assert_eq!((&urgent["kid"], &urgent["state"]), (&waiting["kid"], &"signs".into()));
        assert_eq!(
            (signed_by(&mut world), published(&mut world).len()),
            (urgent["kid"].as_str().unwrap().into(), known.len())
        );
        assert!(published(&mut world).contains(&first));
        let next = done(&mut world, "POST /admin/keys/rotate", r#"{"at_once": true}"#, 201);
        assert_ne!(next["kid"], waiting["kid"]);
        // One that has waited long enough signs already, and is no successor of its own.
        let waited = done(&mut world, "POST /admin/keys/rotate", "", 201);
        world.advance(601);
        assert_eq!(signed_by(&mut world), waited["kid"]);
        let last = done(&mut world, "POST /admin/keys/rotate", r#"{"at_once": true}"#, 201);
        assert_ne!(last["kid"], waited["kid"]);
        assert_eq!(signed_by(&mut world), last["kid"]);
    }

    #[test]
    fn secrets_and_public_keys_are_never_in_use_together() {
        let mut world = public_world(crate::token::Algorithm::Hs256);
        let token = world.token("admin", "pw");
        assert_eq!(published(&mut world), [""; 0]);
        for algorithm in ["EdDSA", "ES256", "Ed25519"] {
            let body = format!(r#"{{"algorithm": "{algorithm}"}}"#);
            refused(&mut world, "POST /admin/keys/rotate", &body, 409, "mixed_key_set");
        }
        let public = crate::token::Key::generate("new", crate::token::Algorithm::EdDsa, &[9; 64]).unwrap();
        let public: Value = serde_json::from_str(&crate::token::Jwk::write(&public)).unwrap();
        refused(&mut world, "POST /admin/keys/import", &import(&public, false), 409, "mixed_key_set");
        world.audited();
        let change = r#"{"algorithm": "EdDSA", "end_tokens": true}"#;
        assert_eq!(done(&mut world, "POST /admin/keys/rotate", change, 201)["state"], "signs");
        assert_eq!(world.audited(), ["key.retire", "token.revoke_all", "key.rotate"]);
        assert!(!alive(&mut world, &token));
        assert_eq!(published(&mut world).len(), 1);
        let mixed = json!({"keys": [public, jwk("more")]});
        refused(&mut world, "POST /admin/keys/import", &import(&mixed, false), 409, "mixed_key_set");
        refused(&mut world, "POST /admin/keys/import", &import(&jwk("more"), false), 409, "mixed_key_set");
        refused(&mut world, "POST /admin/keys/rotate", r#"{"algorithm": "HS256"}"#, 409, "mixed_key_set");
        let token = world.token("admin", "pw");
        done(&mut world, "POST /admin/keys/rotate", r#"{"algorithm": "HS256", "end_tokens": true}"#, 201);
        assert!(!alive(&mut world, &token));
        assert_eq!(published(&mut world), [""; 0]);
    }

    #[test]
    fn a_public_part_alone_verifies_and_does_not_sign() {
        let mut issuer = public_world(crate::token::Algorithm::Es256);
        // With a key of its own, as the same calls draw the same randomness.
        let other_world = || {
            let mut world = public_world(crate::token::Algorithm::EdDsa);
            done(&mut world, "POST /admin/keys/rotate", r#"{"end_tokens": true}"#, 201);
            world
        };
        let mut other = other_world();
        let token = issuer.token("admin", "pw");
        let public = done(&mut issuer, "GET /admin/keys/export?secret=false", "", 200);
        assert_eq!(
            public["keys"][0].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(),
            ["alg", "crv", "kid", "kty", "use", "x", "y"]
        );
        assert!(!issuer.audited().contains(&"key.export".into()));
        assert!(!alive(&mut other, &token));
        refused(&mut other, "POST /admin/keys/import", &import(&public, true), 400, "public_signer");
        done(&mut other, "POST /admin/keys/import", &import(&public, false), 201);
        assert!(alive(&mut other, &token));
        let whole = done(&mut issuer, "GET /admin/keys/export?secret=true", "", 200);
        assert!(whole["keys"][0]["d"].is_string());
        assert_eq!(issuer.audited(), ["key.export"]);
        // With its private part it signs, when it has been published for long enough.
        let mut third = other_world();
        let first = signed_by(&mut third);
        done(&mut third, "POST /admin/keys/import", &import(&whole, true), 201);
        assert_eq!(signed_by(&mut third), first);
        third.advance(600);
        assert_eq!(signed_by(&mut third), whole["keys"][0]["kid"]);
        let private = whole["keys"][0]["d"].as_str().unwrap();
        let octets = {
            use base64::Engine;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(private).unwrap()
        };
        assert!(!third.stores(private) && !third.stores(octets), "a private key lies in the store in the clear");
    }

    #[test]
    fn of_two_rotations_at_once_one_public_key_follows() {
        let mut world = public_world(crate::token::Algorithm::EdDsa);
        let late = world.race_local(request("POST /admin/keys/rotate", ""), |world| {
            done(world, "POST /admin/keys/rotate", "", 201);
        });
        assert_eq!(late.status, 409);
        world.advance(600);
        let states = listed(&mut world);
        assert_eq!(states.iter().filter(|key| key["state"] == "signs").count(), 1);
        assert_eq!(states.len(), 2);
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

    /// It stands in the list still, so that whoever imports another of this name has mistaken the one for the other.
    #[test]
    fn the_kid_of_a_key_that_has_expired_is_taken_while_it_is_listed() {
        let mut world = world();
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        world.advance(86_461);
        assert!(listed(&mut world).iter().any(|key| key["kid"] == "test"));
        refused(&mut world, "POST /admin/keys/import", &import(&jwk("test"), false), 409, "kid_taken");
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        done(&mut world, "POST /admin/keys/import", &import(&jwk("test"), false), 201);
    }

    /// A rotation writes what becomes of the other keys, and must not write one back that was retired meanwhile.
    #[test]
    fn a_key_that_is_retired_during_a_rotation_stays_away() {
        let mut world = public_world(crate::token::Algorithm::EdDsa);
        let first = signed_by(&mut world);
        done(&mut world, "POST /admin/keys/rotate", "", 201);
        world.advance(600);
        let rotated = world.race_local(request("POST /admin/keys/rotate", ""), |world| {
            done(world, &format!("POST /admin/keys/{first}/retire"), "", 204);
        });
        assert_eq!(rotated.status, 201);
        assert!(listed(&mut world).iter().all(|key| key["kid"] != first));
    }
}

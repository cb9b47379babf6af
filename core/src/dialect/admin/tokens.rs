//! `/admin/tokens`: making, explaining and ending tokens.

use super::{
    ACTOR,
    body::{self, Body, invalid, missing},
    error::refused,
    json, target,
};
use crate::{
    engine::{self, Selection},
    hex,
    record::{Ended, PairOf, Scope, User, key},
    refusal::Refusal,
    seam::{Op, Response, Stop},
    time::UnixTime,
    token::{Explanation, dialect},
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

/// A token of the Redis dialect for a user, without the user's password.
pub(super) fn issue(op: &Op<'_>) -> Result<Response, Stop> {
    let body = Body::of(op, &["user", "ttl"])?;
    let (who, ttl) = (body.need("user")?, body.integer("ttl")?);
    let bounds = op.settings.redis.ttl;
    let lifetime = ttl.map_or(Ok(bounds.unasked()), |asked| bounds.admit(asked))?;
    let user = target(op, who)?;
    if user.disabled {
        return refused(409, "user_disabled", "this user is disabled: none of their tokens works");
    }
    let issued = engine::issue(op, &user, dialect::REDIS, lifetime)?;
    engine::audit(op, "token.mint", &ACTOR, &issued.jti);
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
    let verdict = if let Some(pair) = op.load::<PairOf>(&key::pair_of_refresh(token))? {
        explained.live = false;
        explained.code = Some("refresh_token");
        explained.sentence = "it is a refresh token, which no service takes";
        explained.user = engine::user(op, pair.uid)?.map(owner);
        Ok(())
    } else if engine::is_authorization_token(token) {
        engine::authorized(op, token).map(|authorized| {
            let authorization = authorized.authorization;
            explained.authorization = Some(Found {
                id: hex::encode(&authorization.id),
                scopes: Scope::join(&authorization.scopes),
                created: authorization.created.to_string(),
                expires: authorization.expires.to_string(),
            });
            explained.user = Some(owner(authorized.user));
        })
    } else {
        explained.token = Some(engine::explain(op, token));
        let verdict = engine::any_bearer(op, token).map(drop);
        explained.user = owner_of(op, token)?.map(owner);
        verdict
    };
    match verdict {
        Ok(()) => {}
        Err(Stop::Refuse(refusal)) if refusal.is_token() => {
            explained.live = false;
            explained.code = Some(refusal.code());
            explained.sentence = refusal.sentence().unwrap_or_default();
        }
        Err(stop) => return Err(stop),
    }
    json(200, &explained)
}

/// Whose token it is, once the signature holds.
fn owner_of(op: &Op<'_>, token: &str) -> Result<Option<User>, Stop> {
    match engine::verify(op, token).ok().and_then(|verified| verified.owner()) {
        Some(uid) => engine::user(op, uid),
        None => Ok(None),
    }
}

/// Ends a token, given itself or by its id. Of one that nobody can ever accept again there is nothing to end.
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
    if engine::is_authorization_token(token) {
        return match engine::revocable(op, token) {
            Ok(found) => {
                engine::end_authorization(op, &ACTOR, &found.authorization);
                revoked(&hex::encode(&found.authorization.id))
            }
            Err(Stop::Refuse(refusal)) if refusal.is_token() => nothing(&refusal),
            Err(stop) => Err(stop),
        };
    }
    if op.load::<PairOf>(&key::pair_of_refresh(token))?.is_some() {
        engine::invalidate(op, &ACTOR, &Selection::Grant(token))?;
        return revoked("refresh token");
    }
    let verified = match engine::verify_to_end(op, token) {
        Ok(verified) => verified,
        Err(refusal) => return nothing(&refusal),
    };
    let Some(jti) = verified.jti() else { return nothing(&Refusal::TokenForeign) };
    let of_pair = verified.dialect().as_deref() == Some(dialect::ELASTICSEARCH);
    if !of_pair || engine::invalidate(op, &ACTOR, &Selection::Access(token))?.is_none() {
        engine::revoke(op, &jti, verified.expires());
        engine::audit(op, "token.revoke", &ACTOR, &jti);
    }
    revoked(&jti)
}

/// Ends the token, or the OpenShift authorization, with this id. For a token an entry is made, whether the token is known or not. The
/// entry lasts until every token that this server could have issued by now has expired, or until `expires` (in Unix seconds) if that is
/// later: for tokens that were issued elsewhere. It never gets shorter (security T16).
fn revoke_id(op: &Op<'_>, jti: &str, expires: Option<i128>) -> Result<Response, Stop> {
    // Without this check, a token given as an id would live on, called revoked. Some have it from a header, with `Bearer`, or in capitals.
    let token = jti.trim();
    let token = token.rsplit_once(' ').map_or(token, |(_, token)| token);
    let (stored, refresh) = (key::authorization_token(&token.to_ascii_lowercase()), key::pair_of_refresh(token));
    op.want(&[stored.clone(), refresh.clone()]);
    if op.read(&stored)?.is_some() || op.read(&refresh)?.is_some() || engine::verify_to_end(op, token).is_ok() {
        return invalid("jti", "is a token and no id of one: it belongs into `token`");
    }
    if !(1..=MAX_JTI).contains(&jti.len()) {
        return invalid("jti", &format!("is not 1 to {MAX_JTI} octets long"));
    }
    if let Some(authorization) = engine::authorization_with_id(op, jti)? {
        engine::end_authorization(op, &ACTOR, &authorization);
        return revoked(jti);
    }
    let expires = match expires.map(u32::try_from) {
        None => UnixTime::default(),
        Some(Ok(secs)) => UnixTime::from_secs(secs.into()),
        Some(Err(_)) => return invalid("expires", "is not a time in Unix seconds before 2106"),
    };
    engine::revoke_again(op, jti, Ended::until(op.now()).max(expires))?;
    // What is counted when the token's pair is ended has to know of it.
    let ended = engine::invalidate(op, &ACTOR, &Selection::AccessId(jti))?;
    if ended.is_none_or(|counts| counts.invalidated == 0) {
        engine::audit(op, "token.revoke", &ACTOR, &engine::as_typed(op, jti));
    }
    revoked(jti)
}

/// Ends the OpenShift authorizations of everybody, as the old broker's `revoke_all` did (contract/openshift.md).
pub(super) fn revoke_authorizations(op: &Op<'_>) -> Result<Response, Stop> {
    body::none(op)?;
    engine::revoke_everything(op, &ACTOR)?;
    Ok(Response::empty(204))
}

fn revoked(id: &str) -> Result<Response, Stop> {
    json(200, &serde_json::json!({ "revoked": true, "id": id }))
}

/// There was nothing to end, and why.
fn nothing(refusal: &Refusal) -> Result<Response, Stop> {
    json(200, &serde_json::json!({ "revoked": false, "code": refusal.code(), "sentence": refusal.sentence() }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{done, refused, world};
    use crate::testing::{TestWorld, json, request};
    use alloc::{
        format,
        string::{String, ToString},
    };
    use serde_json::{Value, json};

    /// A token of `ann`, made here, and its id.
    fn made(world: &mut TestWorld) -> (String, String) {
        let made = done(world, "POST /admin/tokens", r#"{"user": "ann"}"#, 201);
        ["access_token", "jti"].map(|name| made[name].as_str().unwrap().to_string()).into()
    }

    fn alive(world: &mut TestWorld, token: &str) -> bool {
        let request = request("GET /auth/verify", "").with_header("authorization", &format!("Bearer {token}"));
        world.call(request).status == 204
    }

    /// An OpenShift token of `ann`.
    fn authorization(world: &mut TestWorld) -> String {
        let add = request("POST /broker/rest/user/authorizations", "")
            .with_header("accept", "application/json")
            .with_header("authorization", &crate::testing::basic("ann", "ann password"));
        let body: Value = serde_json::from_slice(&world.call(add).body).unwrap();
        body["data"]["token"].as_str().unwrap().into()
    }

    #[test]
    fn a_token_needs_no_password() {
        let mut world = world();
        for who in ["2", "ann", "ann@example.com"] {
            let body = json!({ "user": who, "ttl": 60 }).to_string();
            let made = done(&mut world, "POST /admin/tokens", &body, 201);
            assert_eq!((&made["expires_in"], &made["token_type"]), (&60.into(), &"Bearer".into()));
            assert_eq!(world.audited(), ["token.issue", "token.mint"]);
            let token = made["access_token"].as_str().unwrap();
            assert!(alive(&mut world, token));
            let own = request("GET /v1/users/2", "").with_header("authorization", &format!("Bearer {token}"));
            assert_eq!(json(&world.call(own))["name"], "ann");
            world.advance(60);
            assert!(!alive(&mut world, token));
        }
    }

    #[test]
    fn wrong_wishes_for_tokens_are_refused() {
        let mut world = world();
        done(&mut world, "POST /admin/users", r#"{"name": "off", "password": "pw"}"#, 201);
        done(&mut world, "POST /admin/users/off/disable", "", 200);
        for (body, status, code) in [
            ("", 400, "missing_member"),
            (r#"{"ttl": 60}"#, 400, "missing_member"),
            (r#"{"user": 1}"#, 400, "wrong_type"),
            (r#"{"user": "ann", "ttl": "60"}"#, 400, "wrong_type"),
            (r#"{"user": "ann", "ttl": 1.5}"#, 400, "wrong_type"),
            (r#"{"user": "ann", "ttl": null}"#, 400, "wrong_type"),
            (r#"{"user": "ann", "ttl": 0}"#, 400, "lifetime_too_short"),
            (r#"{"user": "ann", "ttl": -1}"#, 400, "lifetime_too_short"),
            (r#"{"user": "ann", "ttl": 86401}"#, 400, "lifetime_too_long"),
            (r#"{"user": "ann", "ttl": 99999999999999999999999}"#, 400, "lifetime_too_long"),
            (r#"{"user": "nobody"}"#, 404, "user_not_found"),
            (r#"{"user": "9"}"#, 404, "user_not_found"),
            (r#"{"user": ""}"#, 404, "user_not_found"),
            (r#"{"user": "off"}"#, 409, "user_disabled"),
        ] {
            refused(&mut world, "POST /admin/tokens", body, status, code);
        }
    }

    /// What is explained of `token`: its code, and its sentence.
    #[track_caller]
    fn check(world: &mut TestWorld, token: &str, code: Option<&str>, sentence: &str) -> Value {
        let body = json!({ "token": token }).to_string();
        let explained = done(world, "POST /admin/tokens/explain", &body, 200);
        assert_eq!((explained["code"].as_str(), &explained["sentence"]), (code, &sentence.into()));
        assert_eq!(explained["live"], code.is_none());
        assert_eq!(world.cost.commits, 0);
        explained
    }

    #[test]
    fn an_authorization_ends_by_its_id() {
        let mut world = world();
        let token = authorization(&mut world);
        let explained = check(&mut world, &token, None, "the token holds");
        let id = explained["authorization"]["id"].as_str().unwrap();
        let done = done(&mut world, "POST /admin/tokens/revoke", &json!({ "jti": id }).to_string(), 200);
        assert_eq!(done, json!({ "revoked": true, "id": id }));
        assert!(!alive(&mut world, &token));
    }

    #[test]
    fn explanations_agree_with_what_works() {
        let mut world = world();
        let (token, jti) = made(&mut world);
        let explained = check(&mut world, &token, None, "the token holds");
        assert_eq!(explained["user"], json!({ "uid": 2, "name": "ann", "disabled": false }));
        assert_eq!(explained["token"]["claims"]["jti"], jti);
        assert_eq!(explained["token"]["seconds_left"], 300);
        assert_eq!(explained["authorization"], Value::Null);

        done(&mut world, "POST /admin/tokens/revoke", &json!({ "jti": jti }).to_string(), 200);
        let explained =
            check(&mut world, &token, Some("revoked"), "the token was revoked, has expired, or was never issued here");
        assert_eq!(explained["token"]["accepted"], true);

        let (token, _) = made(&mut world);
        done(&mut world, "POST /admin/users/ann/logout", "", 200);
        check(&mut world, &token, Some("ended"), "it was ended together with others after it was issued");
        done(&mut world, "POST /admin/users/ann/disable", "", 200);
        let nobody = "it names no user of this server, or one who is deleted or disabled";
        let explained = check(&mut world, &token, Some("user_gone"), nobody);
        assert_eq!(explained["user"]["disabled"], true);
        done(&mut world, "DELETE /admin/users/ann", "", 204);
        let explained = check(&mut world, &token, Some("user_gone"), nobody);
        assert_eq!(explained["user"], Value::Null);
        world.advance(300);
        let explained = check(&mut world, &token, Some("expired"), "the token has expired");
        assert_eq!(explained["token"]["signed"], true);
    }

    #[test]
    fn stored_tokens_are_explained_too() {
        let mut world = world();
        let token = authorization(&mut world);
        let explained = check(&mut world, &token, None, "the token holds");
        assert_eq!((&explained["token"], &explained["user"]["name"]), (&Value::Null, &"ann".into()));
        assert!(explained["authorization"]["scopes"].is_string());
        done(&mut world, "POST /admin/authorizations/revoke", "", 204);
        assert_eq!(world.audited().pop().as_deref(), Some("token.revoke_all"));
        check(&mut world, &token, Some("ended"), "it was ended together with others after it was issued");
        let token = authorization(&mut world);
        check(&mut world, &token, None, "the token holds");
        check(&mut world, &"0".repeat(64), Some("revoked"), "the token was revoked, has expired, or was never issued here");
    }

    #[test]
    fn a_rotation_that_ends_tokens_ends_those_without_a_key_too() {
        let mut world = world();
        let authorization = authorization(&mut world);
        let ask = |world: &mut TestWorld, body: Value| {
            let ask = request("POST /_security/oauth2/token", &body.to_string())
                .with_header("authorization", &crate::testing::basic("ann", "ann password"));
            world.call(ask)
        };
        let grant = json!({ "grant_type": "password", "username": "ann", "password": "ann password" });
        let pair = json(&ask(&mut world, grant.clone()));
        let sentence = "it is a refresh token, which no service takes";
        let explained = check(&mut world, pair["refresh_token"].as_str().unwrap(), Some("refresh_token"), sentence);
        assert_eq!(explained["user"]["name"], "ann");
        world.advance(5);
        done(&mut world, "POST /admin/keys/rotate", r#"{"end_tokens": true}"#, 201);
        let refresh = json!({ "grant_type": "refresh_token", "refresh_token": pair["refresh_token"] });
        assert_eq!(ask(&mut world, refresh).status, 400);
        assert!(!alive(&mut world, pair["access_token"].as_str().unwrap()));
        check(&mut world, &authorization, Some("ended"), "it was ended together with others after it was issued");
        // What comes after it holds.
        world.advance(1);
        let pair = json(&ask(&mut world, grant));
        assert!(alive(&mut world, pair["access_token"].as_str().unwrap()));
    }

    #[test]
    fn what_is_no_token_is_explained_as_such() {
        let mut world = world();
        for other in ["", "x", "a.b.c"] {
            let body = json!({ "token": other }).to_string();
            let explained = done(&mut world, "POST /admin/tokens/explain", &body, 200);
            assert_eq!((&explained["live"], explained["code"].is_string()), (&false.into(), true));
        }
        refused(&mut world, "POST /admin/tokens/explain", "{}", 400, "missing_member");
        refused(&mut world, "POST /admin/tokens/explain", r#"{"token": []}"#, 400, "wrong_type");
    }

    #[test]
    fn any_token_can_be_ended() {
        let mut world = world();
        let (signed, jti) = made(&mut world);
        let stored = authorization(&mut world);
        world.audited();
        for (token, id) in [(signed, Some(jti)), (stored, None)] {
            let body = json!({ "token": token }).to_string();
            let answer = done(&mut world, "POST /admin/tokens/revoke", &body, 200);
            assert_eq!(answer["revoked"], true);
            assert!(id.is_none_or(|id| answer["id"] == id));
            assert_eq!(world.audited(), ["token.revoke"]);
            assert!(!alive(&mut world, &token));
        }
        for other in ["x", "a.b.c", &"0".repeat(64)] {
            let body = json!({ "token": other }).to_string();
            let answer = done(&mut world, "POST /admin/tokens/revoke", &body, 200);
            assert_eq!((&answer["revoked"], answer["code"].is_string()), (&false.into(), true));
            assert_eq!((world.cost.commits, world.audited().len()), (0, 0));
        }
    }

    #[test]
    fn a_token_of_a_disabled_user_can_be_ended_for_good() {
        let mut world = world();
        let (token, _) = made(&mut world);
        done(&mut world, "POST /admin/users/ann/disable", "", 200);
        done(&mut world, "POST /admin/tokens/revoke", &json!({ "token": token }).to_string(), 200);
        done(&mut world, "POST /admin/users/ann/enable", "", 200);
        check(&mut world, &token, Some("revoked"), "the token was revoked, has expired, or was never issued here");
    }

    #[test]
    fn a_revocation_by_id_never_gets_shorter() {
        let mut world = world();
        let long = (world.now().as_secs() + 1_000_000).to_string();
        let key = crate::record::key::revoked("some-id");
        let until = |world: &TestWorld| world.stored::<crate::record::Revoked>(&key).map(|revoked| revoked.until);
        let mut last = None;
        for expires in ["", ", \"expires\": 0", &format!(", \"expires\": {long}"), "", ", \"expires\": 1"] {
            done(&mut world, "POST /admin/tokens/revoke", &format!(r#"{{"jti": "some-id"{expires}}}"#), 200);
            assert!(until(&world) >= last && until(&world).is_some());
            last = until(&world);
        }
        assert_eq!(last.unwrap().as_secs(), world.now().as_secs() + 1_000_000 + 60);
        world.advance(1_000_060);
        assert_eq!(until(&world), None);
    }

    #[test]
    fn a_token_is_not_taken_for_its_id() {
        let mut world = world();
        let grant = json!({ "grant_type": "password", "username": "ann", "password": "ann password" });
        let ask = request("POST /_security/oauth2/token", &grant.to_string())
            .with_header("authorization", &crate::testing::basic("ann", "ann password"));
        let refresh = json(&world.call(ask))["refresh_token"].as_str().unwrap().to_string();
        let (stored, signed) = (authorization(&mut world), made(&mut world).0);
        world.audited();
        let [header, capitals, blank] = [format!("Bearer {stored}"), stored.to_uppercase(), format!(" {stored}")];
        for token in [refresh, format!("bearer  {signed}\n"), signed, header, capitals, blank, stored] {
            let body = json!({ "jti": token }).to_string();
            refused(&mut world, "POST /admin/tokens/revoke", &body, 400, "invalid_value");
            assert!(world.audited().is_empty());
        }
        // An id that only looks like one, of a token that was issued elsewhere.
        for (id, told) in
            [("a.b.c".into(), "a.b.c"), ("0".repeat(64), "token#"), (format!("JWT {}", "0".repeat(64)), "JWT token#")]
        {
            done(&mut world, "POST /admin/tokens/revoke", &json!({ "jti": id }).to_string(), 200);
            assert!(world.events.pop().is_some_and(|event| event.subject.starts_with(told)), "{id}");
        }
    }

    #[test]
    fn wrong_revocations_are_refused() {
        let mut world = world();
        for (body, code) in [
            ("{}".into(), "missing_member"),
            (r#"{"expires": 1}"#.into(), "missing_member"),
            (r#"{"token": "x", "jti": "y"}"#.into(), "invalid_value"),
            (r#"{"token": "x", "expires": 1}"#.into(), "invalid_value"),
            (r#"{"jti": ""}"#.into(), "invalid_value"),
            (format!(r#"{{"jti": "{}"}}"#, "x".repeat(257)), "invalid_value"),
            (r#"{"jti": "x", "expires": -1}"#.into(), "invalid_value"),
            (r#"{"jti": "x", "expires": 4294967296}"#.into(), "invalid_value"),
            (r#"{"jti": "x", "expires": "soon"}"#.into(), "wrong_type"),
            (r#"{"jti": 1}"#.into(), "wrong_type"),
            (r#"{"token": null}"#.into(), "wrong_type"),
        ] {
            let body: String = body;
            refused(&mut world, "POST /admin/tokens/revoke", &body, 400, code);
        }
    }
}

//! The dialect from outside, request by request.

use crate::{
    record::{PairOf, Stored, key},
    seam::{Method, Request, Response},
    testing::{TestWorld, basic, json},
};
use alloc::{
    format,
    string::{String, ToString},
};
use serde_json::{Value, json as value};

const OLD: &str = "/_xpack/security/oauth2/token";
const NEW: &str = "/_security/oauth2/token";

fn post(path: &str, body: &Value) -> Request {
    send(Method::Post, path, body)
}

fn delete(path: &str, body: &Value) -> Request {
    send(Method::Delete, path, body)
}

fn send(method: Method, path: &str, body: &Value) -> Request {
    Request::new(method, path).with_header("content-type", "application/json").with_body(alloc::format!("{body}"))
}

fn admin(request: Request) -> Request {
    request.with_header("authorization", &basic("admin", "secret"))
}

fn bearer(path: &str, token: &Value) -> Request {
    Request::new(Method::Get, path).with_header("authorization", &alloc::format!("Bearer {}", token.as_str().unwrap()))
}

fn login(world: &mut TestWorld) -> Value {
    let request = post(NEW, &value!({"grant_type": "password", "username": "admin", "password": "secret"}));
    let response = world.call(admin(request));
    assert_eq!(response.status, 200);
    json(&response)
}

fn refresh(world: &mut TestWorld, token: &Value) -> Response {
    world.call(admin(post(NEW, &value!({"grant_type": "refresh_token", "refresh_token": token}))))
}

/// Whoever can write to the store may lack the root key.
#[test]
fn an_entry_in_the_store_makes_no_refresh_token() {
    let mut world = TestWorld::with_admin("secret");
    let token = login(&mut world)["refresh_token"].clone();
    let known: PairOf = world.stored(&key::pair_of_refresh(token.as_str().unwrap())).unwrap();
    let forged = "A".repeat(43);
    world.put(key::pair_of_refresh(&forged), known.encode());
    assert_eq!(refresh(&mut world, &forged.into()).status, 400);
    assert_eq!(refresh(&mut world, &token).status, 200);
}

#[test]
fn head_says_how_long_the_body_of_get_is() {
    let mut world = TestWorld::with_admin("secret");
    let [get, head] = [Method::Get, Method::Head].map(|method| world.call(admin(Request::new(method, "/"))));
    assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()));
    assert_eq!((get.header("content-length"), head.body.len()), (None, 0));
}

#[test]
fn the_older_prefix_gives_a_token_without_a_caller() {
    let mut world = TestWorld::with_admin("secret");
    let response = world.call(post(OLD, &value!({"grant_type": "password", "username": "admin", "password": "secret"})));
    let body = json(&response);
    assert_eq!((response.status, &body["type"], &body["expires_in"]), (200, &value!("Bearer"), &value!(1200)));
    assert!(body.get("authentication").is_none() && body.get("scope").is_none());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("x-elastic-product"), Some("Elasticsearch"));
    let whoami = world.call(bearer("/_xpack/security/_authenticate", &body["access_token"]));
    assert_eq!(json(&whoami)["username"], "admin");
}

#[test]
fn the_newer_prefix_needs_a_caller() {
    let mut world = TestWorld::with_admin("secret");
    let response = world.call(post(NEW, &value!({"grant_type": "password", "username": "admin", "password": "secret"})));
    assert_eq!(response.status, 401);
    let body = login(&mut world);
    assert_eq!(body["authentication"]["authentication_type"], "realm");
}

#[test]
fn findings_are_numbered() {
    let mut world = TestWorld::with_admin("secret");
    for (body, error, description) in [
        (
            value!({"grant_type": "password"}),
            "invalid_request",
            "Validation Failed: 1: username is missing;2: password is missing;",
        ),
        (
            value!({"grant_type": "client_credentials", "username": "x"}),
            "invalid_request",
            "Validation Failed: 1: username is not supported with the client_credentials grant_type;",
        ),
        (
            value!({"grant_type": "Password"}),
            "unsupported_grant_type",
            "Validation Failed: 1: grant_type only supports the values: [password, refresh_token, client_credentials];",
        ),
    ] {
        let response = world.call(admin(post(NEW, &body)));
        assert_eq!(response.status, 400, "{body}");
        assert_eq!(json(&response), value!({"error": error, "error_description": description}));
    }
}

#[test]
fn malformed_requests_have_the_products_form() {
    let mut world = TestWorld::with_admin("secret");
    for (body, kind) in [
        ("", "parse_exception"),
        ("[]", "x_content_parse_exception"),
        ("{", "x_content_parse_exception"),
        (r#"{"grant_type":"password","x":"y"}"#, "x_content_parse_exception"),
        (r#"{"grant_type":1}"#, "x_content_parse_exception"),
        (r#"{"grant_type":"password","grant_type":"password"}"#, "x_content_parse_exception"),
    ] {
        let request = Request::new(Method::Post, NEW).with_header("content-type", "application/json").with_body(body);
        let response = world.call(admin(request));
        assert_eq!((response.status, &json(&response)["error"]["type"]), (400, &value!(kind)), "{body}");
    }
    let form =
        Request::new(Method::Post, OLD).with_header("content-type", "application/x-www-form-urlencoded").with_body("a=b");
    assert_eq!(world.call(form).status, 406);
    let response = world.call(Request::new(Method::Put, OLD));
    assert_eq!((response.status, response.header("allow")), (405, Some("POST,DELETE")));
    assert_eq!(world.call(Request::new(Method::Get, "/_nothing")).status, 400);
}

#[test]
fn a_refresh_token_works_once_and_again_for_30_seconds() {
    let mut world = TestWorld::with_admin("secret");
    let first = login(&mut world);
    let second = refresh(&mut world, &first["refresh_token"]);
    assert_eq!(second.status, 200);
    let second = json(&second);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    world.advance(30);
    let again = json(&refresh(&mut world, &first["refresh_token"]));
    assert_eq!(
        (&again["access_token"], &again["refresh_token"], &again["expires_in"]),
        (&second["access_token"], &second["refresh_token"], &value!(1170))
    );
    assert_eq!(world.call(bearer("/_security/_authenticate", &second["access_token"])).status, 200);
    // Used later, the token is in somebody else's hands: nobody goes on with what came of it.
    world.advance(1);
    let late = refresh(&mut world, &first["refresh_token"]);
    assert_eq!((late.status, &json(&late)["error"]), (400, &value!("invalid_grant")));
    assert_eq!(world.call(bearer("/_security/_authenticate", &second["access_token"])).status, 401);
    assert_eq!(refresh(&mut world, &second["refresh_token"]).status, 400);
}

#[test]
fn racing_refreshes_end_with_one_pair() {
    let mut world = TestWorld::with_admin("secret");
    let first = login(&mut world);
    let request = || admin(post(NEW, &value!({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})));
    let mut other = None;
    let one = world.race(request(), |world| other = Some(world.call(request())));
    let (one, other) = (json(&one), json(&other.unwrap()));
    assert_eq!((&one["access_token"], &one["refresh_token"]), (&other["access_token"], &other["refresh_token"]));
}

#[test]
fn a_refresh_token_lives_24_hours() {
    let mut world = TestWorld::with_admin("secret");
    let pair = login(&mut world);
    world.advance(86_399);
    let next = json(&refresh(&mut world, &pair["refresh_token"]));
    world.advance(86_400);
    let late = refresh(&mut world, &next["refresh_token"]);
    assert_eq!(json(&late)["error_description"], "token document has expired");
}

#[test]
fn a_family_of_refresh_tokens_has_an_end() {
    let mut world = TestWorld::with_admin("secret");
    world.settings_mut().elasticsearch.family_max = 200_000;
    let mut pair = login(&mut world);
    for _ in 0..4 {
        world.advance(49_999);
        let response = refresh(&mut world, &pair["refresh_token"]);
        assert_eq!(response.status, 200);
        pair = json(&response);
    }
    // The last one is good for what is left of its family, four seconds.
    world.advance(3);
    let last = json(&refresh(&mut world, &pair["refresh_token"]));
    world.advance(1);
    let by_name = |world: &mut TestWorld| json(&world.call(admin(delete(NEW, &value!({"username": "admin"})))));
    for token in [&pair["refresh_token"], &last["refresh_token"]] {
        let late = refresh(&mut world, token);
        let refused = value!({"error": "invalid_grant", "error_description": "token document has expired"});
        assert_eq!((late.status, json(&late)), (400, refused));
    }
    // The access tokens are good to their own end; the refresh tokens count as dead.
    assert_eq!(world.call(bearer("/_security/_authenticate", &last["access_token"])).status, 200);
    let ended = by_name(&mut world);
    assert_eq!((&ended["invalidated_tokens"], &ended["previously_invalidated_tokens"]), (&value!(2), &value!(2)));
    // A new login begins a new family.
    let pair = login(&mut world);
    assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 200);
}

#[test]
fn a_family_that_has_ended_is_not_revived_by_a_setting() {
    let mut world = TestWorld::with_admin("secret");
    let family_max = |world: &mut TestWorld, secs| world.settings_mut().elasticsearch.family_max = secs;
    family_max(&mut world, 7200);
    let first = login(&mut world);
    world.advance(3600);
    family_max(&mut world, 86_400);
    let second = json(&refresh(&mut world, &first["refresh_token"]));
    world.advance(3600);
    let late = refresh(&mut world, &second["refresh_token"]);
    assert_eq!((late.status, &json(&late)["error_description"]), (400, &value!("token document has expired")));
    // A lower setting counts at once.
    let pair = login(&mut world);
    world.advance(3600);
    family_max(&mut world, 3600);
    assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 400);
}

#[test]
fn only_the_client_that_obtained_it_refreshes() {
    let mut world = TestWorld::with_admin("secret");
    let user = value!({"name": "bob", "password": "pw"});
    assert_eq!(world.call(admin(send(Method::Post, "/v1/users", &user))).status, 200);
    let pair = login(&mut world);
    let body = value!({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]});
    let other = world.call(post(NEW, &body).with_header("authorization", &basic("bob", "pw")));
    assert_eq!(json(&other)["error_description"], "tokens must be refreshed by the creating client");
    assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 200);
}

#[test]
fn invalidation_counts() {
    let mut world = TestWorld::with_admin("secret");
    let pair = login(&mut world);
    let counts = |response: &Response| {
        let body = json(response);
        (response.status, body["invalidated_tokens"].as_u64(), body["previously_invalidated_tokens"].as_u64())
    };
    let by_token = value!({"token": pair["access_token"]});
    let response = world.call(delete(OLD, &by_token));
    assert_eq!((counts(&response), &json(&response)["created"]), ((200, Some(1), Some(0)), &value!(true)));
    let again = world.call(admin(delete(NEW, &by_token)));
    assert_eq!(counts(&again), (200, Some(0), Some(1)));
    let refused = world.call(bearer("/_cluster/health", &pair["access_token"]));
    assert_eq!((refused.status, &json(&refused)["error"]["reason"]), (401, &value!("token expired")));
    // The halves are independent: the refresh token still lives.
    let by_name = value!({"username": "admin"});
    assert_eq!(counts(&world.call(admin(delete(NEW, &by_name)))), (200, Some(1), Some(1)));
    assert_eq!(counts(&world.call(admin(delete(NEW, &by_name)))), (200, Some(0), Some(0)));
    login(&mut world);
    assert_eq!(counts(&world.call(admin(delete(NEW, &value!({"realm_name": "default_native"}))))), (200, Some(2), Some(0)));
    let unknown = world.call(admin(delete(NEW, &value!({"token": "junk"}))));
    assert_eq!(counts(&unknown), (404, Some(0), Some(0)));
    assert_eq!(world.call(delete(OLD, &value!({"token": "junk"}))).status, 401);
    for body in [
        value!({}),
        value!({"token": "a", "username": "b"}),
        value!({"token": "a", "refresh_token": "b"}),
        value!({"token": ""}),
    ] {
        assert_eq!(world.call(admin(delete(NEW, &body))).status, 400, "{body}");
    }
}

#[test]
fn pairs_that_died_with_their_user_are_not_counted() {
    let mut world = TestWorld::with_admin("secret");
    let by_realm = value!({"realm_name": "default_native"});
    world.local(crate::testing::request("POST /admin/users", r#"{"name": "bob", "password": "secret"}"#));
    let of_bob = value!({"grant_type": "password", "username": "bob", "password": "secret"});
    assert_eq!(world.call(post(OLD, &of_bob)).status, 200);
    login(&mut world);
    assert_eq!(world.local(crate::testing::request("DELETE /admin/users/2", "")).status, 204);
    let ended = json(&world.call(admin(delete(NEW, &by_realm))));
    assert_eq!((&ended["invalidated_tokens"], &ended["previously_invalidated_tokens"]), (&value!(2), &value!(0)));
}

/// However many they are: they take no place among the pairs that are ended one by one.
#[test]
fn pairs_that_died_with_their_user_are_in_nobodys_way() {
    let mut world = TestWorld::with_admin("secret");
    for name in ["bob", "eve"] {
        let user = value!({"name": name, "password": "secret"});
        assert_eq!(world.call(admin(send(Method::Post, "/v1/users", &user))).status, 200);
    }
    let grant = |world: &mut TestWorld, name: &str| {
        let body = value!({"grant_type": "password", "username": name, "password": "secret"});
        assert_eq!(world.call(post(OLD, &body)).status, 200);
    };
    for died in [value!({"password": "other"}), Value::Null] {
        (0..40).for_each(|_| grant(&mut world, "bob"));
        grant(&mut world, "eve");
        let gone = match died {
            Value::Null => send(Method::Delete, "/v1/users/2", &value!({})),
            died => send(Method::Put, "/v1/users/2", &died),
        };
        assert_eq!(world.call(admin(gone)).status, 200);
        let ended = json(&world.call(admin(delete(NEW, &value!({"realm_name": "default_native"})))));
        assert_eq!((&ended["invalidated_tokens"], &ended["previously_invalidated_tokens"]), (&value!(2), &value!(0)));
        assert_eq!(world.count("pairs-ended"), 0, "there was room to end each by itself");
        if world.call(admin(send(Method::Get, "/v1/users/2", &value!({})))).status == 200 {
            let again = value!({"password": "secret"});
            assert_eq!(world.call(admin(send(Method::Put, "/v1/users/2", &again))).status, 200);
        }
    }
}

/// Verifiers may take a token within their leeway, so it is revoked for them; by its own time it had ended before.
#[test]
fn what_had_ended_by_itself_is_revoked_and_not_counted() {
    let mut world = TestWorld::with_admin("secret");
    let alone = value!({"grant_type": "client_credentials"});
    assert_eq!(world.call(admin(post(NEW, &alone))).status, 200);
    world.advance(1201);
    world.audited();
    let ended = json(&world.call(admin(delete(NEW, &value!({"username": "admin"})))));
    assert_eq!((&ended["invalidated_tokens"], &ended["previously_invalidated_tokens"]), (&value!(0), &value!(0)));
    assert_eq!(world.audited(), ["login", "token.revoke"]);
    assert_eq!(world.count(key::REVOKED), 1);
    // Of a pair with a living half, both are counted.
    login(&mut world);
    world.advance(1201);
    let ended = json(&world.call(admin(delete(NEW, &value!({"username": "admin"})))));
    assert_eq!((&ended["invalidated_tokens"], &ended["previously_invalidated_tokens"]), (&value!(1), &value!(1)));
}

#[test]
fn a_token_that_was_ended_outside_of_the_dialect_counts_as_dead_before() {
    for by_id in [true, false] {
        let mut world = TestWorld::with_admin("secret");
        let token = login(&mut world)["access_token"].clone();
        let explained = world
            .local(crate::testing::request("POST /admin/tokens/explain", &alloc::format!("{}", value!({"token": token}))));
        let id = json(&explained)["token"]["claims"]["jti"].clone();
        world.audited();
        let body = alloc::format!("{}", if by_id { value!({"jti": id}) } else { value!({"token": token}) });
        assert_eq!(world.local(crate::testing::request("POST /admin/tokens/revoke", &body)).status, 200);
        assert_eq!(world.audited(), ["token.revoke"]);
        assert_eq!(world.call(bearer("/_security/_authenticate", &token)).status, 401);
        let ended = json(&world.call(admin(delete(OLD, &value!({"token": token})))));
        let dead =
            value!({"created": false, "invalidated_tokens": 0, "previously_invalidated_tokens": 1, "error_count": 0});
        assert_eq!(ended, dead);
        let ended = json(&world.call(admin(delete(NEW, &value!({"username": "admin"})))));
        assert_eq!((&ended["invalidated_tokens"], &ended["previously_invalidated_tokens"]), (&value!(1), &value!(1)));
    }
}

#[test]
fn a_token_that_died_with_its_user_counts_as_dead_before() {
    for (line, body) in [
        ("PUT /v1/users/password", value!({"username": "bob", "new_password": "other"})),
        ("PUT /v1/users/2", value!({"password": "other"})),
        ("PUT /_security/user/bob/_disable", Value::Null),
        ("DELETE /v1/users/2", Value::Null),
    ] {
        let mut world = TestWorld::with_admin("secret");
        world.local(crate::testing::request("POST /admin/users", r#"{"name": "bob", "password": "secret"}"#));
        let of_bob = value!({"grant_type": "password", "username": "bob", "password": "secret"});
        let pair = json(&world.call(post(OLD, &of_bob)));
        let body = if body.is_null() { alloc::string::String::new() } else { alloc::format!("{body}") };
        assert_eq!(world.call(admin(crate::testing::request(line, &body))).status, 200, "{line}");
        let (token, refresh) = (&pair["access_token"], &pair["refresh_token"]);
        for _ in 0..2 {
            let ended = json(&world.call(admin(delete(OLD, &value!({"token": token})))));
            let dead =
                value!({"created": false, "invalidated_tokens": 0, "previously_invalidated_tokens": 1, "error_count": 0});
            assert_eq!(ended, dead, "{line}");
            let ended = json(&world.call(admin(delete(OLD, &value!({"refresh_token": refresh})))));
            assert_eq!(ended, dead, "{line}");
        }
    }
}

/// More pairs than are ended one by one: what is counted stays a part, but all of them end.
#[test]
fn pairs_without_number_end_together() {
    let mut world = TestWorld::with_admin("secret");
    for name in ["bob", "eve"] {
        let user = value!({"name": name, "password": "pw"});
        assert_eq!(world.call(admin(send(Method::Post, "/v1/users", &user))).status, 200);
    }
    let grant = |world: &mut TestWorld, name: &str| {
        let body = value!({"grant_type": "password", "username": name, "password": "pw"});
        let response = world.call(post(OLD, &body).with_header("authorization", &basic(name, "pw")));
        json(&response)
    };
    let last = |world: &mut TestWorld| {
        (0..40).for_each(|_| drop(grant(world, "bob")));
        grant(world, "bob")
    };
    let refresh_by = |world: &mut TestWorld, token: &Value| {
        let body = value!({"grant_type": "refresh_token", "refresh_token": token});
        json(&world.call(post(OLD, &body).with_header("authorization", &basic("bob", "pw"))))
    };
    let other = grant(&mut world, "eve");
    for body in [value!({"username": "bob"}), value!({"realm_name": "default_native"})] {
        let pair = last(&mut world);
        world.advance(1);
        let ended = json(&world.call(admin(delete(NEW, &body))));
        let counted = ended["invalidated_tokens"].as_u64().unwrap();
        assert!((1..82).contains(&counted), "{ended}");
        assert!(world.cost.rounds < 12, "{:?}", world.cost);
        assert_eq!(world.call(bearer("/_security/_authenticate", &pair["access_token"])).status, 401);
        assert_eq!(refresh_by(&mut world, &pair["refresh_token"])["error_description"], "token has been invalidated");
        let again = json(&world.call(admin(delete(NEW, &value!({"token": pair["access_token"]})))));
        assert_eq!((&again["invalidated_tokens"], &again["previously_invalidated_tokens"]), (&value!(0), &value!(1)));
        let everybody = body.get("realm_name").is_some();
        let status = world.call(bearer("/_security/_authenticate", &other["access_token"])).status;
        assert_eq!(status, if everybody { 401 } else { 200 });
        // At the same time: whoever ends their sessions and logs in at once has a token that is good.
        let new = grant(&mut world, "bob");
        assert_eq!(world.call(bearer("/_security/_authenticate", &new["access_token"])).status, 200);
        assert!(refresh_by(&mut world, &new["refresh_token"])["access_token"].is_string());
    }
}

/// However many dead pairs lie about, what came of one login is found and ended, and nothing else.
#[test]
fn dead_pairs_are_in_nobodys_way() {
    let mut world = TestWorld::with_admin("secret");
    let user = value!({"name": "bob", "password": "pw"});
    assert_eq!(world.call(admin(send(Method::Post, "/v1/users", &user))).status, 200);
    let grant = |world: &mut TestWorld| {
        let body = value!({"grant_type": "password", "username": "bob", "password": "pw"});
        json(&world.call(post(OLD, &body).with_header("authorization", &basic("bob", "pw"))))
    };
    let end = |world: &mut TestWorld| json(&world.call(admin(delete(NEW, &value!({"username": "bob"})))));
    for _ in 0..3 {
        (0..20).for_each(|_| drop(grant(&mut world)));
        world.advance(1);
        let ended = end(&mut world);
        assert_eq!(ended["invalidated_tokens"], 40);
    }
    let [first, second] = [grant(&mut world), grant(&mut world)];
    let form = alloc::format!("token={}", first["refresh_token"].as_str().unwrap());
    let revoke =
        Request::new(Method::Post, "/auth/revoke").with_header("content-type", "application/x-www-form-urlencoded");
    let revoke = revoke.with_header("authorization", &basic("bob", "pw")).with_body(form);
    assert_eq!(world.call(revoke).status, 200);
    for (pair, status) in [(&first, 401), (&second, 200)] {
        assert_eq!(world.call(bearer("/_security/_authenticate", &pair["access_token"])).status, status);
    }
    assert_eq!(end(&mut world)["invalidated_tokens"], 2);
    // An hour after both halves have ended, nothing is left of a pair.
    world.advance(3601);
    let gone = world.call(admin(delete(NEW, &value!({"token": second["access_token"]}))));
    assert_eq!(gone.status, 404);
}

/// A hundred here, a thousand in the real thing.
#[test]
fn of_too_many_pairs_the_oldest_end() {
    let mut world = TestWorld::with_admin("secret");
    let user = value!({"name": "bob", "password": "pw"});
    assert_eq!(world.call(admin(send(Method::Post, "/v1/users", &user))).status, 200);
    let grant = |world: &mut TestWorld, kind: &str| {
        let body = match kind {
            "password" => value!({"grant_type": kind, "username": "bob", "password": "pw"}),
            _ => value!({"grant_type": kind}),
        };
        let response = world.call(post(NEW, &body).with_header("authorization", &basic("bob", "pw")));
        assert_eq!(response.status, 200);
        json(&response)
    };
    let verify = |world: &mut TestWorld, token: &Value| world.call(bearer("/_security/_authenticate", token)).status;
    let stored = |world: &TestWorld| ["pair/00000002/", "access/", "refresh/"].map(|kind| world.count(kind));
    let other = login(&mut world);
    let oldest = grant(&mut world, "password");
    for kind in ["client_credentials", "password"] {
        for _ in 0..200 {
            world.advance(1);
            let new = grant(&mut world, kind);
            assert_eq!(verify(&mut world, &new["access_token"]), 200);
        }
        let [pairs, access, refresh] = stored(&world);
        // With that of the administrator.
        assert!((100..200).contains(&pairs) && access == pairs + 1 && refresh <= access, "{:?}", stored(&world));
    }
    assert_eq!(verify(&mut world, &oldest["access_token"]), 401);
    let again = value!({"grant_type": "refresh_token", "refresh_token": oldest["refresh_token"]});
    let again = world.call(post(NEW, &again).with_header("authorization", &basic("bob", "pw")));
    assert_eq!((again.status, &json(&again)["error"]), (400, &value!("invalid_grant")));
    assert_eq!(verify(&mut world, &other["access_token"]), 200);
    assert!(world.events.iter().filter(|event| event.action == "token.revoke" && event.actor == "waxseal").count() > 150);
    // None is revoked one by one.
    assert_eq!(world.count(key::REVOKED), 0);
    // Refreshing is bounded alike, and a chain of it goes on.
    let mut pair = grant(&mut world, "password");
    for _ in 0..200 {
        world.advance(1);
        let body = value!({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]});
        let next = world.call(post(NEW, &body).with_header("authorization", &basic("bob", "pw")));
        assert_eq!(next.status, 200);
        pair = json(&next);
    }
    assert!(stored(&world)[0] < 200, "{:?}", stored(&world));
    // In one second users do not end what they have just been given.
    world.advance(1);
    for _ in 0..300 {
        let new = grant(&mut world, "client_credentials");
        assert_eq!(verify(&mut world, &new["access_token"]), 200);
    }
    // What is dead goes first.
    let kept = grant(&mut world, "password");
    world.advance(3600);
    for _ in 0..60 {
        grant(&mut world, "client_credentials");
    }
    let again = value!({"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]});
    assert_eq!(world.call(post(NEW, &again).with_header("authorization", &basic("bob", "pw"))).status, 200);
}

#[test]
fn a_token_in_a_path_is_not_repeated() {
    let mut world = TestWorld::with_admin("secret");
    let token = world.token("admin", "secret");
    let escaped = format!("{}%{:02x}{}", &token[..30], token.as_bytes()[30], &token[31..]);
    for name in [&token, &escaped] {
        for path in ["/nope/", "/_security/user/", "/_security/user/X/_password", "/_security/user/X/_disable"] {
            let path = if path.contains('X') { path.replace('X', name) } else { format!("{path}{name}") };
            for by in [basic("admin", "secret"), basic("admin", "wrong"), basic(&token, "secret"), String::new()] {
                for method in [Method::Post, Method::Put] {
                    let body = value!({"password": "another secret"});
                    let refused = world.call(send(method, &path, &body).with_header("authorization", &by));
                    assert!(refused.status >= 400, "{path}");
                    let told = String::from_utf8(refused.body).unwrap();
                    assert!(token.split('.').all(|part| !told.contains(&part[part.len() / 2..])), "{told}");
                }
            }
        }
    }
}

#[test]
fn nothing_stored_shows_a_token() {
    let mut world = TestWorld::with_admin("secret");
    let pair = login(&mut world);
    for half in ["access_token", "refresh_token"] {
        assert!(!world.stores(pair[half].as_str().unwrap()), "{half}");
    }
}

#[test]
fn the_password_grant_can_be_switched_off() {
    let mut world = TestWorld::with_admin("secret");
    world.settings_mut().elasticsearch.password_grant = false;
    let response = world.call(post(OLD, &value!({"grant_type": "password", "username": "admin", "password": "secret"})));
    assert_eq!((response.status, &json(&response)["error"]), (400, &value!("unsupported_grant_type")));
}

#[test]
fn wrong_credentials_name_what_they_were_for() {
    let mut world = TestWorld::with_admin("secret");
    let response = world.call(post(OLD, &value!({"grant_type": "password", "username": "admin", "password": "x"})));
    let body = json(&response);
    assert_eq!(response.status, 401);
    let reason = "unable to authenticate user [admin] for action [cluster:admin/xpack/security/token/create]";
    assert_eq!((&body["error"]["type"], &body["error"]["reason"]), (&value!("security_exception"), &value!(reason)));
    assert!(body["error"]["header"]["WWW-Authenticate"].is_array());
    let banner = world.call(Request::new(Method::Get, "/"));
    assert_eq!(json(&banner)["error"]["reason"], "missing authentication credentials for REST request [/]");
    assert_eq!(json(&world.call(admin(Request::new(Method::Get, "/"))))["tagline"], "You Know, for Search");
}

/// Ending all of a user's pairs also ends what comes of one of them at that moment.
#[test]
fn a_pair_that_is_refreshed_while_all_are_ended_ends_too() {
    let mut world = TestWorld::with_admin("secret");
    let first = login(&mut world);
    let mut second = Value::Null;
    let ended = world.race(admin(delete(NEW, &value!({"username": "admin"}))), |world| {
        second = json(&refresh(world, &first["refresh_token"]));
    });
    assert_eq!((ended.status, &json(&ended)["invalidated_tokens"]), (200, &value!(4)));
    for pair in [&first, &second] {
        assert_eq!(world.call(bearer("/_security/_authenticate", &pair["access_token"])).status, 401);
        assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 400);
    }
}

/// What ends everything that came of the login which gave `first`, whose refresh token was used long ago.
fn ends(first: &Value) -> [(&'static str, Request); 4] {
    let revoke = Request::new(Method::Post, "/auth/revoke")
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_body(alloc::format!("token={}", first["refresh_token"].as_str().unwrap()));
    let reuse = post(NEW, &value!({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}));
    [
        ("the owner", revoke),
        ("reuse", reuse),
        ("name", delete(NEW, &value!({"username": "admin"}))),
        ("realm", delete(NEW, &value!({"realm_name": "default_native"}))),
    ]
    .map(|(by, request)| (by, admin(request)))
}

fn alone(token: &Value) -> Request {
    let request = post(NEW, &value!({"grant_type": "client_credentials"}));
    request.with_header("authorization", &alloc::format!("Bearer {}", token.as_str().unwrap()))
}

#[track_caller]
fn is_dead(world: &mut TestWorld, token: &Value, by: &str) {
    for path in ["/_security/_authenticate", "/auth/verify"] {
        assert_eq!(world.call(bearer(path, token)).status, 401, "{by}");
    }
    let introspect = Request::new(Method::Post, "/auth/introspect")
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_body(alloc::format!("token={}", token.as_str().unwrap()));
    assert_eq!(json(&world.call(admin(introspect))), value!({"active": false}), "{by}");
    assert_eq!(world.call(alone(token)).status, 401, "{by}");
    let again = json(&world.call(admin(delete(NEW, &value!({"token": token})))));
    assert_eq!((&again["invalidated_tokens"], &again["previously_invalidated_tokens"]), (&value!(0), &value!(1)), "{by}");
}

/// Otherwise whoever has stolen an access token would keep what they get for it at that moment, and get the next one for that.
#[test]
fn what_is_granted_while_its_family_is_ended_ends_with_it() {
    let mut world = TestWorld::with_admin("secret");
    let first = login(&mut world);
    let second = json(&refresh(&mut world, &first["refresh_token"]));
    world.advance(31);
    let (mine, next) = (alone(&second["access_token"]), &second["refresh_token"]);
    let next = admin(post(NEW, &value!({"grant_type": "refresh_token", "refresh_token": next})));
    for (by, end) in ends(&first) {
        for grant in [&mine, &next] {
            let check = |world: &mut TestWorld, granted: Response| {
                let granted = json(&granted);
                is_dead(world, &granted["access_token"], by);
                if let Some(token) = granted.get("refresh_token") {
                    assert_eq!(json(&refresh(world, token))["error"], "invalid_grant", "{by}");
                }
            };
            // Granted while what is to be ended is being read, and just before it is ended.
            let mut rounds = 0;
            loop {
                let mut world = world.clone();
                let mut granted = None;
                world.race_at(rounds, end.clone(), |world| granted = Some(world.call(grant.clone())));
                let Some(granted) = granted else { break };
                assert_eq!(granted.status, 200);
                check(&mut world, granted);
                rounds += 1;
            }
            assert!(rounds > 3, "{by}");
            let mut granted = None;
            let mut late = world.clone();
            late.race(end.clone(), |world| granted = Some(world.call(grant.clone())));
            check(&mut late, granted.unwrap());
            // Begun before, and to be stored when it has ended.
            let mut late = world.clone();
            assert!(late.race(grant.clone(), |world| drop(world.call(end.clone()))).status >= 400, "{by}");
        }
    }
}

/// Of many pairs some are read before others: the next one of a pair that is read late may belong among those that were read before.
#[test]
fn what_is_granted_between_two_pages_ends_too() {
    let mut world = TestWorld::with_admin("secret");
    let pairs: alloc::vec::Vec<_> = (0..30).map(|_| login(&mut world)).collect();
    let by_name = admin(delete(NEW, &value!({"username": "admin"})));
    let mut missed = 0;
    for pair in &pairs {
        let refreshes = post(NEW, &value!({"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}));
        let by_token = alloc::format!("Bearer {}", pair["access_token"].as_str().unwrap());
        let refreshes = refreshes.with_header("authorization", &by_token);
        for round in 2..8 {
            let mut world = world.clone();
            let mut next = None;
            let ended = world.race_at(round, by_name.clone(), |world| next = Some(json(&world.call(refreshes.clone()))));
            let Some(next) = next else { break };
            is_dead(&mut world, &next["access_token"], "name");
            let refused = refresh(&mut world, &next["refresh_token"]);
            assert_eq!(json(&refused)["error_description"], "token has been invalidated");
            if json(&ended)["invalidated_tokens"] == 60 {
                missed += 1;
                // For as long as it would live.
                world.advance(86_399);
                let refused = refresh(&mut world, &next["refresh_token"]);
                assert_eq!(json(&refused)["error_description"], "token has been invalidated");
            }
        }
    }
    assert!(missed > 0);
}

/// What a refresh token gives once more is what it gave, unless that was ended meanwhile.
#[test]
fn a_repeated_refresh_gives_no_pair_that_was_ended() {
    let mut world = TestWorld::with_admin("secret");
    let first = login(&mut world);
    let second = json(&refresh(&mut world, &first["refresh_token"]));
    let ended = admin(delete(NEW, &value!({"refresh_token": second["refresh_token"]})));
    assert_eq!(json(&world.call(ended))["invalidated_tokens"], 1);
    let again = refresh(&mut world, &first["refresh_token"]);
    assert_eq!((again.status, &json(&again)["error_description"]), (400, &value!("token has been invalidated")));
}

#[test]
fn nobody_is_told_that_he_may_not_act_for_another_before_he_is_known() {
    let mut world = TestWorld::with_admin("secret");
    let run_as = |request: Request| request.with_header("es-security-runas-user", "bob");
    let whoami = || run_as(Request::new(Method::Get, "/_security/_authenticate"));
    let reason = |answer: Response| json(&answer)["error"]["reason"].as_str().map(alloc::string::String::from);
    assert_eq!(reason(world.call(admin(whoami()))).as_deref(), Some("run as is not supported"));
    for (nobody, text) in [
        (whoami(), "missing authentication credentials for REST request [/_security/_authenticate]"),
        (
            whoami().with_header("authorization", &basic("admin", "x")),
            "unable to authenticate user [admin] for REST request [/_security/_authenticate]",
        ),
        (
            run_as(post(OLD, &value!({"grant_type": "password", "username": "admin", "password": "secret"}))),
            "missing authentication credentials for REST request [/_xpack/security/oauth2/token]",
        ),
    ] {
        let answer = world.call(nobody);
        assert_eq!((answer.status, reason(answer).as_deref()), (401, Some(text)));
    }
}

#[test]
fn what_happens_to_pairs_is_audited() {
    let mut world = TestWorld::with_admin("secret");
    let first = login(&mut world);
    world.audited();
    assert_eq!(refresh(&mut world, &first["refresh_token"]).status, 200);
    assert_eq!(world.audited(), ["login", "token.issue", "token.refresh"]);
    assert_eq!(world.call(admin(delete(NEW, &value!({"username": "admin"})))).status, 200);
    assert_eq!(world.audited(), ["login", "token.revoke", "token.revoke"]);
    // More than are ended one by one.
    for body in [value!({"username": "admin"}), value!({"realm_name": "default_native"})] {
        for _ in 0..40 {
            login(&mut world);
        }
        world.audited();
        assert_eq!(world.call(admin(delete(NEW, &body))).status, 200);
        assert_eq!(world.audited().last().map(|line| &**line), Some("token.revoke_all"), "{body}");
        world.advance(1);
    }
}

/// One record ends them, which must exist for as long as one of them could live; and what it has ended is not ended again.
#[test]
fn pairs_that_ended_together_stay_ended() {
    let mut world = TestWorld::with_admin("secret");
    for body in [value!({"username": "admin"}), value!({"realm_name": "default_native"})] {
        let pairs: alloc::vec::Vec<_> = (0..40).map(|_| login(&mut world)).collect();
        assert_ne!(json(&world.call(admin(delete(NEW, &body))))["invalidated_tokens"], 0);
        world.audited();
        for body in [&body, &value!({"realm_name": "default_native"})] {
            assert_eq!(json(&world.call(admin(delete(NEW, body))))["invalidated_tokens"], 0, "{body}");
        }
        assert_eq!(world.audited(), ["login"; 2], "nothing was revoked");
        for pair in &pairs {
            let again = json(&world.call(admin(delete(NEW, &value!({"token": pair["access_token"]})))));
            assert_eq!((&again["invalidated_tokens"], &again["previously_invalidated_tokens"]), (&value!(0), &value!(1)));
        }
        world.advance(86_399);
        for pair in &pairs {
            assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 400, "{body}");
        }
    }
}

/// What ended all pairs while the clock was ahead ends none that are granted once it has been put right; ending them once more then
/// ends these, and none of the earlier ones lives again.
#[test]
fn pairs_that_ended_together_while_the_clock_was_ahead_leave_no_trace() {
    type Send = fn(&mut TestWorld, Request) -> Response;
    let all = [
        (TestWorld::call as Send, admin(delete(NEW, &value!({"username": "admin"})))),
        (TestWorld::call, admin(delete(NEW, &value!({"realm_name": "default_native"})))),
        (TestWorld::local, crate::testing::request("POST /admin/keys/rotate", r#"{"end_tokens": true}"#)),
    ];
    for (send, end) in all {
        let mut world = TestWorld::with_admin("secret");
        let right = world.now();
        let grants = |world: &mut TestWorld| (0..40).map(|_| login(world)).collect::<alloc::vec::Vec<_>>();
        let mut ended = grants(&mut world);
        world.advance(5);
        for ahead in [18_000, 0, 0] {
            world.set(right.plus_secs(ahead));
            ended.extend(grants(&mut world));
            assert!(send(&mut world, end.clone()).status < 300);
            world.set(right.plus_secs(10));
            let pair = login(&mut world);
            assert_eq!(world.call(bearer("/_security/_authenticate", &pair["access_token"])).status, 200);
            let next = refresh(&mut world, &pair["refresh_token"]);
            assert_eq!(next.status, 200);
            ended.extend([pair, json(&next)]);
            let last = ended.len() - 2;
            for pair in &ended[..last] {
                assert_eq!(world.call(bearer("/_security/_authenticate", &pair["access_token"])).status, 401);
                assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 400);
            }
            // Nor do those from the time ahead, when it comes.
            let mut later = world.clone();
            later.set(right.plus_secs(18_010));
            for pair in &ended[..last] {
                assert_eq!(later.call(bearer("/_security/_authenticate", &pair["access_token"])).status, 401);
                assert_eq!(refresh(&mut later, &pair["refresh_token"]).status, 400);
            }
        }
    }
}

/// Whoever used it knows its next pair; a token used while the clock was ahead must not show that again until that time comes.
#[test]
fn a_refresh_token_that_was_used_while_the_clock_was_ahead_is_used() {
    let mut world = TestWorld::with_admin("secret");
    let right = world.now();
    let first = login(&mut world);
    world.advance(7200);
    let second = json(&refresh(&mut world, &first["refresh_token"]));
    world.set(right.plus_secs(60));
    let again = json(&refresh(&mut world, &first["refresh_token"]));
    assert_eq!(again["error_description"], "token has already been refreshed more than 30 seconds in the past");
    world.set(right.plus_secs(7200));
    assert_eq!(refresh(&mut world, &second["refresh_token"]).status, 400);
}

/// It would live for a day longer than the clock was ahead; when its time comes, it is as dead as it was made.
#[test]
fn a_refresh_token_of_a_time_to_come_is_refused_and_can_be_ended() {
    let mut world = TestWorld::with_admin("secret");
    let right = world.now();
    world.advance(10 * 365 * 86_400);
    let [pair, other] = [login(&mut world), login(&mut world)];
    world.set(right.plus_secs(60));
    let ahead = refresh(&mut world, &pair["refresh_token"]);
    assert_eq!((ahead.status, &json(&ahead)["error_description"]), (400, &value!("token document has expired")));
    let ended = json(&world.call(admin(delete(NEW, &value!({"refresh_token": pair["refresh_token"]})))));
    assert_eq!(ended["invalidated_tokens"], 1);
    assert_eq!(json(&world.call(admin(delete(NEW, &value!({"username": "admin"})))))["invalidated_tokens"], 3);
    world.set(right.plus_secs(10 * 365 * 86_400 + 1));
    for pair in [pair, other] {
        assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 400);
    }
    // An operation keeps the time of its beginning, so that a little later is nothing unusual.
    let pair = login(&mut world);
    world.set(right.plus_secs(10 * 365 * 86_400 - 9));
    assert_eq!(refresh(&mut world, &pair["refresh_token"]).status, 200);
}

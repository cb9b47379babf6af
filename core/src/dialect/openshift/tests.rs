//! The dialect from outside, request by request.

use crate::{
    seam::{Method, Request, Response},
    testing::{TestWorld, basic},
};
use alloc::{format, string::String};
use serde_json::{Value, json as value};

const LIST: &str = "/broker/rest/user/authorizations";

fn request(method: Method, path: &str) -> Request {
    Request::new(method, path)
        .with_header("host", "broker.example.com")
        .with_header("authorization", &basic("admin", "secret"))
}

fn add(body: &Value) -> Request {
    request(Method::Post, LIST).with_header("content-type", "application/json;version=1.7").with_body(format!("{body}"))
}

fn bearer(method: Method, path: &str, token: &str) -> Request {
    Request::new(method, path).with_header("authorization", &format!("Bearer {token}"))
}

fn json(response: &Response) -> Value {
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
    serde_json::from_slice(&response.body).unwrap()
}

fn token(world: &mut TestWorld, scope: &str) -> String {
    let response = world.call(add(&value!({"scope": scope})));
    assert_eq!(response.status, 201);
    json(&response)["data"]["token"].as_str().unwrap().into()
}

#[test]
fn the_entry_point_needs_no_credentials() {
    let mut world = TestWorld::with_admin("secret");
    let response = world.call(Request::new(Method::Get, "/broker/rest/api").with_header("host", "h.example:8443"));
    let body = json(&response);
    assert_eq!((response.status, &body["type"], &body["version"]), (200, &value!("links"), &value!("1.7")));
    assert_eq!(body["supported_api_versions"], value!([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]));
    let add = &body["data"]["ADD_AUTHORIZATION"];
    assert_eq!(add["href"], "http://h.example:8443/broker/rest/user/authorizations");
    assert_eq!(add["optional_params"][0]["valid_options"], value!(["session", "read", "userinfo"]));
    let description = add["optional_params"][0]["description"].as_str().unwrap();
    assert!(
        description.contains("\n*  session\n   Grants") && description.contains(" Valid for 1 day.\n"),
        "{description}"
    );
    let old = Request::new(Method::Get, "/broker/rest/api").with_header("accept", "application/json;version=1.1");
    let old = json(&world.call(old));
    assert_eq!((&old["version"], old["data"].get("ADD_AUTHORIZATION")), (&value!("1.1"), None));
}

#[test]
fn an_authorization_is_added_listed_shown_changed_and_deleted() {
    let mut world = TestWorld::with_admin("secret");
    let response = world.call(add(&value!({"scope": "read", "note": "mine", "expires_in": "100"})));
    let body = json(&response);
    assert_eq!((response.status, &body["status"], &body["type"]), (201, &value!("created"), &value!("authorization")));
    assert_eq!(
        body["messages"][0],
        value!({"exit_code": 0, "field": null, "index": null, "severity": "info", "text": "Create authorization"})
    );
    let made = &body["data"];
    assert_eq!((&made["scopes"], &made["expires_in"], &made["note"]), (&value!("read"), &value!(100), &value!("mine")));
    assert_eq!(made["created_at"], "2027-01-15T08:00:00Z");
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!((id.len(), token.len()), (24, 64));
    assert!(!world.stores(token));

    world.advance(40);
    let listed = json(&world.call(request(Method::Get, LIST)));
    assert_eq!((&listed["data"][0]["token"], &listed["data"][0]["expires_in_seconds"]), (&value!(token), &value!(60)));
    for path in [format!("{LIST}/{id}"), format!("/broker/rest/user/authorization/{token}.json")] {
        assert_eq!(json(&world.call(request(Method::Get, &path)))["data"]["id"], id, "{path}");
    }
    let change = request(Method::Put, &format!("{LIST}/{id}")).with_body("note=other&scope=session");
    let changed = json(&world.call(change));
    assert_eq!((&changed["data"]["note"], &changed["data"]["scopes"]), (&value!("other"), &value!("read")));
    let gone = json(&world.call(request(Method::Delete, &format!("/broker/rest/user/authorization/{token}"))));
    assert_eq!(gone["messages"][0]["text"], format!("Authorization {token} is revoked."));
    assert_eq!(world.call(bearer(Method::Get, "/broker/rest/user", token)).status, 401);
    // Revoking is idempotent, showing is not.
    assert_eq!(world.call(request(Method::Delete, &format!("{LIST}/{id}"))).status, 200);
    let missing = world.call(request(Method::Get, &format!("{LIST}/{id}")));
    assert_eq!((missing.status, &json(&missing)["messages"][0]["exit_code"]), (404, &value!(129)));
}

#[test]
fn scopes_are_enforced_before_any_effect() {
    let mut world = TestWorld::with_admin("secret");
    let tokens = ["session", "read", "userinfo"].map(|scope| token(&mut world, scope));
    let table = [
        (Method::Get, "/broker/rest/user", [200, 200, 200]),
        (Method::Get, "/broker/rest/user/keys", [200, 200, 403]),
        (Method::Get, LIST, [200, 403, 403]),
        (Method::Post, LIST, [201, 403, 403]),
        (Method::Delete, LIST, [200, 403, 403]),
    ];
    for (method, path, expected) in table {
        // The session token comes last, as what it may do ends the others.
        for (token, expected) in tokens.iter().zip(expected).rev() {
            assert_eq!(world.call(bearer(method.clone(), path, token)).status, expected, "{method:?} {path}");
        }
    }
    // Deleting all with the session token has ended that token, too.
    assert_eq!(world.call(bearer(Method::Get, "/broker/rest/user", &tokens[0])).status, 401);
}

#[test]
fn reuse_finds_the_newest_that_fits_and_lives_long_enough() {
    let mut world = TestWorld::with_admin("secret");
    let first = json(&world.call(add(&value!({"scope": "session", "note": "rhc"}))));
    world.advance(1);
    let ask = |extra: Value| {
        let mut body = value!({"scope": "session", "reuse": true});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        add(&body)
    };
    let reused = world.call(ask(value!({"note": "rhc"})));
    assert_eq!((reused.status, &json(&reused)["messages"][0]["text"]), (200, &value!("Reused existing")));
    assert_eq!(json(&reused)["data"]["id"], first["data"]["id"]);
    assert_eq!(world.call(ask(value!({}))).status, 200);
    assert_eq!(world.call(ask(value!({"note": "other"}))).status, 201);
    assert_eq!(world.call(ask(value!({"reuse": false, "note": "rhc"}))).status, 201);
    assert_eq!(world.call(request(Method::Post, LIST).with_body("scope=session&reuse=false")).status, 201);
    // What lives for less than ten minutes is not worth it.
    let mut world = TestWorld::with_admin("secret");
    assert_eq!(world.call(add(&value!({"scope": "session", "expires_in": 600}))).status, 201);
    assert_eq!(world.call(ask(value!({}))).status, 201);
}

#[test]
fn wrong_parameters_stay_in_the_envelope() {
    let mut world = TestWorld::with_admin("secret");
    let too_long = "é".repeat(4097);
    for (body, status, exit_code, field) in [
        (value!({"scope": "admin"}), 422, value!(1), value!("scopes")),
        (value!({"scope": ["read"]}), 422, value!(1), value!("scopes")),
        (value!({"note": too_long}), 422, value!(1), value!("note")),
        (value!({"nolinks": "maybe"}), 422, value!(167), value!(null)),
    ] {
        let response = world.call(add(&body));
        let message = json(&response)["messages"][0].clone();
        assert_eq!((response.status, &message["exit_code"], &message["field"]), (status, &exit_code, &field));
    }
    for (body, media_type) in [
        ("{", "application/json"),
        ("a=%ff", "application/x-www-form-urlencoded"),
        ("a=%zz", "application/x-www-form-urlencoded"),
    ] {
        let response = world.call(request(Method::Post, LIST).with_header("content-type", media_type).with_body(body));
        assert_eq!((response.status, &json(&response)["messages"][0]["exit_code"]), (400, &value!(null)), "{body}");
    }
    let listed = json(&world.call(request(Method::Get, LIST)));
    assert_eq!(listed["data"], value!([]));
    let unspoken = Request::new(Method::Get, LIST).with_header("accept", "application/json;version=9.9");
    assert_eq!(world.call(unspoken).status, 406);
}

#[test]
fn what_is_gone_has_no_body_up_to_version_1_4() {
    let mut world = TestWorld::with_admin("secret");
    let response = world.call(request(Method::Delete, LIST).with_header("accept", "application/json; version=1.4"));
    assert_eq!((response.status, response.body.len()), (204, 0));
    let response = world.call(request(Method::Delete, LIST).with_header("content-type", "application/json;version=1.5"));
    assert_eq!(response.status, 200);
}

#[test]
fn challenges_tell_password_and_token_apart() {
    let mut world = TestWorld::with_admin("secret");
    let nobody = world.call(Request::new(Method::Post, LIST).with_body("scope=read"));
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, Some("Basic realm=\"OpenShift broker API\"")));
    let dead = world.call(bearer(Method::Get, LIST, &"0".repeat(64)));
    assert!(dead.header("www-authenticate").unwrap().starts_with("Bearer ") && dead.status == 401);
    let good = world.call(request(Method::Get, "/broker/rest/user"));
    assert_eq!((good.header("x-openshift-identity"), good.header("x-oauth-scopes")), (Some("admin"), Some("session")));
}

#[test]
fn links_go_where_the_client_sees_the_server() {
    let mut world = TestWorld::with_admin("secret");
    world.settings_mut().openshift.public_url = Some("https://broker.example.com".into());
    let made = json(&world.call(add(&value!({"scope": "read"}))));
    let href = made["data"]["links"]["DELETE"]["href"].as_str().unwrap();
    assert!(href.starts_with("https://broker.example.com/broker/rest/user/authorization/"), "{href}");
    let bare = json(&world.call(request(Method::Get, &format!("{LIST}?nolinks=true"))));
    assert!(bare["data"][0].get("links").is_none());
}

#[test]
fn a_replaced_password_ends_authorizations_unless_configured_otherwise() {
    let mut world = TestWorld::with_admin("secret");
    let change = |world: &mut TestWorld, old: &str, new: &str| {
        let put = Request::new(Method::Put, "/v1/users/password").with_header("content-type", "application/json");
        let put = put.with_header("authorization", &basic("admin", old));
        assert_eq!(world.call(put.with_body(format!("{}", value!({"new_password": new})))).status, 200);
    };
    let first = token(&mut world, "session");
    change(&mut world, "secret", "other");
    assert_eq!(world.call(bearer(Method::Get, "/broker/rest/user", &first)).status, 401);
    change(&mut world, "other", "secret");
    world.settings_mut().openshift.password_change_revokes = false;
    let second = token(&mut world, "session");
    change(&mut world, "secret", "other");
    assert_eq!(world.call(bearer(Method::Get, "/broker/rest/user", &second)).status, 200);
}

#[test]
fn xml_has_the_brokers_shape() {
    let mut world = TestWorld::with_admin("secret");
    let response = world.call(add(&value!({"scope": "read", "note": "<&\u{1}>"})).with_header("accept", "application/xml"));
    assert_eq!((response.status, response.header("content-type")), (201, Some("application/xml; charset=utf-8")));
    let text = String::from_utf8(response.body).unwrap();
    for part in [
        "<response><status>created</status><type>authorization</type><data><authorization><created-at>2027-01-15T08:00:00Z</created-at>",
        "<note>&lt;&amp;\u{fffd}&gt;</note>",
        "<required-params><param>",
        "<optional-params/>",
        "<messages><message><exit-code>0</exit-code><field nil='true'/>",
        "<version>1.7</version><api-version>1.7</api-version><supported-api-versions><supported-api-version>1.0</supported-api-version>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let gone = world.call(request(Method::Delete, &format!("{LIST}.xml")));
    assert!(String::from_utf8(gone.body).unwrap().contains("<data><datum nil='true'/></data>"));
}

#[test]
fn keys_can_be_kept_for_setup() {
    let mut world = TestWorld::with_admin("secret");
    let key = "name=default&type=ssh-rsa&content=AAAA";
    let add = || request(Method::Post, "/broker/rest/user/keys").with_body(key);
    assert_eq!(world.call(add()).status, 201);
    assert_eq!(world.call(add()).status, 409);
    assert_eq!(json(&world.call(request(Method::Get, "/broker/rest/user/keys")))["data"][0]["name"], "default");
    assert_eq!(world.call(request(Method::Delete, "/broker/rest/user/keys/default")).status, 200);
    for (path, kind) in [("domains", "domains"), ("cartridges", "cartridges")] {
        let listed = json(&world.call(request(Method::Get, &format!("/broker/rest/{path}"))));
        assert_eq!((&listed["type"], &listed["data"]), (&value!(kind), &value!([])));
    }
}

//! What no case of `tests/cases/openshift_*.json` can stage: proxies, races, damage, sizes, what lies in the store.

use crate::{
    engine::is_authorization_token,
    record::{Authorization, AuthorizationAt, Stored, Uid, User, key},
    seam::{Method, Peer, Request, Response, Unread},
    testing::{TestWorld, basic},
    time::UnixTime,
};
use alloc::{format, string::String, vec::Vec};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json as value};

const LIST: &str = "/broker/rest/user/authorizations";
const USER: &str = "/broker/rest/user";

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

#[track_caller]
fn check_alive(world: &mut TestWorld, token: &str, alive: bool) {
    assert_eq!(world.call(bearer(Method::Get, USER, token)).status, if alive { 200 } else { 401 });
}

#[test]
fn links_go_where_a_trusted_proxy_says_that_the_client_is() {
    let mut world = TestWorld::with_admin("secret");
    for (secure, host, expected) in [
        (true, None, "https://inner:8080"),
        (true, Some("broker.example.com"), "https://broker.example.com"),
        (true, Some("broker.example.com:443"), "https://broker.example.com"),
        (true, Some("broker.example.com:80"), "https://broker.example.com:80"),
        (false, Some("broker.example.com:80"), "http://broker.example.com"),
        (false, Some("a/b"), "http://localhost"),
        (false, Some(""), "http://localhost"),
    ] {
        let peer = Peer { secure, host: host.map(Into::into), ..Peer::default() };
        let api = Request::new(Method::Get, "/broker/rest/api").with_header("host", "inner:8080");
        let body = json(&world.call_as(peer, api));
        assert_eq!(body["data"]["API"]["href"], format!("{expected}/broker/rest/api"));
    }
}

#[test]
fn what_is_added_within_a_millisecond_is_listed_newest_first() {
    let mut world = TestWorld::with_admin("secret");
    let added: Vec<_> = (0..20).map(|_| json(&world.call(add(&value!({"scope": "read"}))))["data"]["id"].clone()).collect();
    let list = json(&world.call(request(Method::Get, LIST)));
    let listed: Vec<_> = list["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert!(listed.iter().eq(added.iter().rev()), "{listed:?}");
    let reuse = json(&world.call(add(&value!({"scope": "read", "reuse": true}))));
    assert_eq!(reuse["data"]["id"], added[19]);
}

#[test]
fn the_store_reveals_no_token() {
    let mut world = TestWorld::with_admin("secret");
    let tokens: Vec<_> = ["session", "read", "userinfo"].map(|scope| token(&mut world, scope)).into();
    for token in tokens {
        assert!(is_authorization_token(&token));
        let octets: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&token[at..at + 2], 16).unwrap()).collect();
        assert!(!world.stores(&token) && !world.stores(token.to_uppercase()) && !world.stores(&octets));
        for encoding in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            assert!(!world.stores(encoding.encode(&octets)) && !world.stores(encoding.encode(&token)));
        }
        check_alive(&mut world, &token, true);
    }
}

#[test]
fn every_record_of_an_authorization_expires_with_it() {
    let mut world = TestWorld::with_admin("secret");
    let before = ["authz/", "authz-id/", "authz-token/"].map(|kind| world.count(kind));
    let made = json(&world.call(add(&value!({"scope": "read", "expires_in": 60}))));
    world.call(request(Method::Put, &format!("{LIST}/{}", made["data"]["id"].as_str().unwrap())).with_body("note=x"));
    assert_eq!(["authz/", "authz-id/", "authz-token/"].map(|kind| world.count(kind)), [1; 3]);
    world.advance(60);
    assert_eq!(["authz/", "authz-id/", "authz-token/"].map(|kind| world.count(kind)), before);
}

#[test]
fn an_entry_in_the_store_makes_no_token() {
    let mut world = TestWorld::with_admin("secret");
    let made = token(&mut world, "session");
    let found = world.stored::<AuthorizationAt>(&key::authorization_token(&made)).unwrap();
    let chosen = "5".repeat(64);
    world.put(key::authorization_token(&chosen), found.encode());
    check_alive(&mut world, &chosen, false);
    check_alive(&mut world, &made, true);
    // Nor does a copy among another user's make it that user's token.
    let other = AuthorizationAt { uid: Uid::new(9).unwrap(), ..found };
    let authorization = world.stored::<Authorization>(&key::authorization(&found)).unwrap();
    world.put(key::authorization(&other), authorization.encode());
    world.put(key::authorization_token(&made), other.encode());
    check_alive(&mut world, &made, false);
}

#[test]
fn remaining_seconds_are_rounded() {
    let mut world = TestWorld::with_admin("secret");
    let token = token(&mut world, "session");
    let left = |world: &mut TestWorld| {
        json(&world.call(bearer(Method::Get, LIST, &token)))["data"][0]["expires_in_seconds"].clone()
    };
    for (millis, expected) in [(0, 86_400), (499, 86_400), (2, 86_399), (500, 86_399)] {
        world.advance_millis(millis);
        assert_eq!(left(&mut world), expected);
    }
}

/// Puts `more` authorizations like that of `token` into the store, each a millisecond younger than the one before, and moves the clock
/// behind them. An earlier build, which knew no bound, may have left as many.
fn put_more(world: &mut TestWorld, token: &str, more: u32) {
    let model = world.stored::<AuthorizationAt>(&key::authorization_token(token)).unwrap();
    let model = world.stored::<Authorization>(&key::authorization(&model)).unwrap();
    for number in 1..=more {
        let created = UnixTime::from_millis(model.created.as_millis() + u64::from(number));
        let mut id = [0; 12];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let (at, mut made) =
            (AuthorizationAt { uid: model.uid, created, id }, Authorization { id, created, ..model.clone() });
        made.secret[..4].copy_from_slice(&number.to_be_bytes());
        world.put(key::authorization(&at), made.encode());
    }
    world.advance(2);
}

/// Otherwise those that were ended together would push out the living for as long as they are stored.
#[test]
fn an_authorization_that_has_ended_costs_no_living_one_its_place() {
    let mut world = TestWorld::with_admin("secret");
    let session = token(&mut world, "session");
    let read = token(&mut world, "read");
    put_more(&mut world, &read, 1900);
    let working = token(&mut world, "session");
    assert_eq!(world.call(bearer(Method::Delete, &format!("{LIST}?scope=read"), &working)).status, 200);
    assert!(world.count("authz/") > 901, "older ones are dead, and there still");
    world.events.clear();
    for _ in 0..100 {
        world.advance_millis(1);
        assert_eq!(world.call(bearer(Method::Post, LIST, &working).with_body("scope=userinfo")).status, 201);
    }
    check_alive(&mut world, &session, true);
    assert_eq!(world.count("authz/"), 102, "the dead have gone");
    assert!(world.events.iter().all(|event| event.action == "token.issue"), "their end was told before");
}

#[test]
fn however_many_there_are_all_are_ended() {
    let mut world = TestWorld::with_admin("secret");
    let session = token(&mut world, "session");
    let first = token(&mut world, "read");
    put_more(&mut world, &first, 1200);
    let listed = json(&world.call(bearer(Method::Get, LIST, &session)));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1202);
    let delete = |path: &str| bearer(Method::Delete, path, &session);
    assert_eq!(world.call(delete(&format!("{LIST}?scope=read"))).status, 200);
    check_alive(&mut world, &first, false);
    check_alive(&mut world, &session, true);
    let listed = json(&world.call(bearer(Method::Get, LIST, &session)));
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let reuse = json(&world.call(bearer(Method::Post, LIST, &session).with_body("scope=read&reuse=true")));
    assert_eq!(reuse["status"], "created");
    assert_eq!(world.call(delete(LIST)).status, 200);
    check_alive(&mut world, &session, false);
    // Most are gone from the store, not only dead.
    assert!(world.count("authz/") < 204 && world.count("authz-token/") < 204, "{}", world.count("authz/"));
}

#[test]
fn a_list_ends_where_its_notes_would_take_too_much() {
    let mut world = TestWorld::with_admin("secret");
    token(&mut world, "session");
    for note in ["\u{1f980}", "\u{1}"] {
        for _ in 0..100 {
            world.advance_millis(1);
            let note = note.repeat(4096);
            assert_eq!(world.call(add(&value!({"scope": "session", "note": note}))).status, 201);
        }
        let listed = world.call(request(Method::Get, LIST));
        let shown = json(&listed)["data"].as_array().unwrap().len();
        assert!((40..100).contains(&shown) && listed.body.len() < 2 << 20, "{shown} in {} octets", listed.body.len());
    }
    // Reuse looks as far as it has to.
    let again = add(&value!({"scope": "session", "note": "\u{1f980}".repeat(4096), "reuse": true}));
    assert_eq!(world.call(again).status, 200);
}

#[test]
fn of_too_many_authorizations_the_oldest_end() {
    let mut world = TestWorld::with_admin("secret");
    let oldest = token(&mut world, "session");
    world.advance(1);
    let session = token(&mut world, "session");
    world.advance(1);
    let working = token(&mut world, "session");
    world.local(crate::testing::request("POST /admin/users", r#"{"name": "ann", "password": "pw"}"#));
    let of_ann =
        Request::new(Method::Post, LIST).with_header("authorization", &basic("ann", "pw")).with_body("scope=session");
    let of_ann: String = json(&world.call(of_ann))["data"]["token"].as_str().unwrap().into();
    let (mut last, mut cheap) = (String::new(), 0);
    for _ in 0..1300 {
        world.advance_millis(1);
        let add = bearer(Method::Post, LIST, &working).with_body("scope=session");
        let added = world.call(add);
        assert_eq!(added.status, 201, "the token in use stays");
        cheap += usize::from(world.cost.reads < 20);
        last = json(&added)["data"]["token"].as_str().unwrap().into();
    }
    for (token, alive) in [(&oldest, false), (&session, false), (&last, true), (&of_ann, true)] {
        check_alive(&mut world, token, alive);
    }
    // Every record of those that ended is gone; one creation in sixteen looks.
    for kind in ["authz/00000001/", "authz-id/", "authz-token/"] {
        assert!((1000..1101).contains(&world.count(kind)), "{kind}: {}", world.count(kind));
    }
    assert!((1150..1290).contains(&cheap), "{cheap}");
    let ended = world.events.iter().filter(|event| event.action == "token.revoke" && event.actor == "waxseal").count();
    assert!((200..=302).contains(&ended), "{ended}");
}

#[test]
fn one_that_is_added_while_all_are_ended_is_whole_or_not_at_all() {
    let mut world = TestWorld::with_admin("secret");
    let session = token(&mut world, "session");
    let other = session.clone();
    let added = world.race(bearer(Method::Post, LIST, &session).with_body("scope=read"), |world| {
        assert_eq!(world.call(bearer(Method::Delete, LIST, &other)).status, 200);
    });
    // Its caller's own token has ended, and so it starts over and fails.
    assert_eq!((added.status, world.count("authz/")), (401, 0));
    let added = world.race(add(&value!({"scope": "read"})), |world| {
        token(world, "session");
        assert_eq!(world.call(request(Method::Delete, LIST)).status, 200);
    });
    check_alive(&mut world, json(&added)["data"]["token"].as_str().unwrap(), true);
}

#[test]
fn a_change_does_not_bring_back_what_was_ended_meanwhile() {
    let mut world = TestWorld::with_admin("secret");
    let made = json(&world.call(add(&value!({"scope": "read"}))));
    let path = format!("{LIST}/{}", made["data"]["id"].as_str().unwrap());
    let changed = world.race(request(Method::Put, &path).with_body("note=late"), |world| {
        assert_eq!(world.call(request(Method::Delete, &path)).status, 200);
    });
    assert_eq!((changed.status, world.count("authz")), (404, 0));
}

#[test]
fn what_happens_to_a_token_is_audited_without_it() {
    let mut world = TestWorld::with_admin("secret");
    let made = json(&world.call(add(&value!({"scope": "read"}))));
    let path = format!("{LIST}/{}", made["data"]["token"].as_str().unwrap());
    assert_eq!(world.audited(), ["login", "token.issue"]);
    world.call(request(Method::Put, &path).with_body("note=x"));
    assert_eq!(world.audited(), ["login", "token.note"]);
    world.call(request(Method::Delete, &path));
    assert_eq!(world.events.last().map(|event| event.subject.as_str()), made["data"]["id"].as_str());
    assert_eq!(world.audited(), ["login", "token.revoke"]);
}

#[test]
fn the_first_that_lives_on_is_used_again_without_a_look_at_older_ones_and_audited() {
    let mut world = TestWorld::with_admin("secret");
    let first = token(&mut world, "session");
    let reuse = || bearer(Method::Post, LIST, &first).with_body("scope=session&reuse=true");
    assert_eq!(json(&world.call(reuse()))["data"]["token"], *first);
    let alone = world.cost.reads;
    put_more(&mut world, &first, 1000);
    world.audited();
    let again = json(&world.call(reuse()));
    assert_eq!(again["messages"][0]["text"], "Reused existing");
    assert_eq!(world.events.last().map(|event| event.subject.as_str()), again["data"]["id"].as_str());
    assert_eq!(world.audited(), ["token.issue"]);
    assert!(world.cost.reads < alone + 25, "{}", world.cost.reads);
}

/// Hosts make questions for more than 64 records wait for a turn, and refuse them when many come at once.
#[test]
fn a_usual_list_asks_for_few_at_a_time_and_so_does_its_end() {
    let mut world = TestWorld::with_admin("secret");
    let first = token(&mut world, "session");
    put_more(&mut world, &first, 78);
    let shown = json(&world.call(bearer(Method::Get, LIST, &first)));
    assert_eq!(shown["data"].as_array().unwrap().len(), 79);
    assert!((1..=64).contains(&world.cost.longest), "{}", world.cost.longest);
    let mut other = TestWorld::with_admin("secret");
    let first = token(&mut other, "session");
    put_more(&mut other, &first, 58);
    assert_eq!(other.call(bearer(Method::Delete, LIST, &first)).status, 200);
    assert!((1..=64).contains(&other.cost.longest), "{}", other.cost.longest);
    check_alive(&mut other, &first, false);
}

#[test]
fn what_others_own_costs_nothing() {
    let mut world = TestWorld::with_admin("secret");
    let own: Vec<_> = (0..10).map(|_| token(&mut world, "session")).collect();
    let calls = || {
        let (show, add) =
            (format!("{LIST}/{}", own[3]), bearer(Method::Post, LIST, &own[0]).with_body("reuse=true&note=none"));
        [bearer(Method::Get, LIST, &own[0]), bearer(Method::Get, &show, &own[0]), bearer(Method::Get, USER, &own[0]), add]
    };
    let costs = |world: &mut TestWorld| {
        calls().map(|call| {
            world.call(call);
            (world.cost.rounds, world.cost.reads)
        })
    };
    let alone = costs(&mut world);
    world.call(request(Method::Delete, &format!("{LIST}?scope=userinfo")));
    world.local(crate::testing::request("POST /admin/users", r#"{"name": "ann", "password": "pw"}"#));
    for _ in 0..500 {
        let add = Request::new(Method::Post, LIST).with_header("authorization", &basic("ann", "pw"));
        assert_eq!(world.call(add).status, 201);
    }
    assert_eq!(costs(&mut world), alone);
    assert!(alone.iter().all(|(rounds, reads)| *rounds <= 4 && *reads <= 20), "{alone:?}");
}

#[test]
fn a_failure_of_the_server_comes_in_the_envelope_with_a_reference() {
    let mut world = TestWorld::with_admin("secret");
    world.put(key::ssh_keys(Uid::new(1).unwrap()), [99].into());
    let failed = world.call(request(Method::Get, "/broker/rest/user/keys"));
    let body = json(&failed);
    assert_eq!((failed.status, &body["status"]), (500, &value!("internal_server_error")));
    assert_eq!(body["messages"][0]["exit_code"], 1);
    let event = world.events.last().unwrap();
    assert_eq!((event.action, event.reason), ("failure", "bad_record"));
    assert!(event.subject.len() == 16 && body["messages"][0]["text"].as_str().unwrap().ends_with(&event.subject));
    let failed = world.call(request(Method::Get, "/broker/rest/user/keys.xml"));
    assert_eq!((failed.status, failed.header("content-type")), (500, Some("application/xml; charset=utf-8")));
    let failed = world.call(request(Method::Get, "/broker/rest/user/keys.xml/"));
    assert_eq!((failed.status, failed.header("content-type")), (500, Some("application/xml; charset=utf-8")));
}

#[test]
fn a_body_that_cannot_be_read_is_refused_in_the_form_that_the_path_asks_for() {
    let world = TestWorld::with_admin("secret");
    for (method, path, xml) in [
        (Method::Post, "/broker/rest/user/keys.xml", true),
        (Method::Post, "/broker/rest/user/keys.xml/", true),
        (Method::Post, "/broker/rest/user/keys/", false),
        // There such a path names nothing, and asks for nothing.
        (Method::Delete, "/broker/rest/user/keys.xml/", false),
    ] {
        let refused = world.unread(request(method, path), Unread::TooLarge);
        let is_xml = refused.header("content-type") == Some("application/xml; charset=utf-8");
        assert_eq!((refused.status, is_xml), (413, xml), "{path}");
    }
}

/// Whatever else is wrong with the request.
#[test]
fn a_body_that_cannot_be_read_is_refused_in_the_form_that_accept_asks_for() {
    let world = TestWorld::with_admin("secret");
    for (path, accept) in [
        ("/broker/rest/user/keys", "application/xml"),
        ("/broker/rest/user/keys", "application/xml;version=9"),
        ("/broker/rest/user/keys?nolinks=x", "application/xml"),
        ("/broker/rest/user/keys?x=%ff", "application/xml"),
    ] {
        let refused = world.unread(request(Method::Post, path).with_header("accept", accept), Unread::TooLarge);
        let found = (refused.status, refused.header("content-type"));
        assert_eq!(found, (413, Some("application/xml; charset=utf-8")), "{path} {accept}");
    }
}

#[test]
fn the_entry_point_in_xml_describes_parameters() {
    let mut world = TestWorld::with_admin("secret");
    let body = String::from_utf8(world.call(request(Method::Get, "/broker/rest/api.xml")).body).unwrap();
    for part in [
        "<response><status>ok</status><type>links</type><data><links><link>",
        "<link><rel>API entry point</rel><method>GET</method><href>http://broker.example.com/broker/rest/api</href><required-params/><optional-params/></link>",
        "<required-params><param><name>:id</name><type>string</type><description>Unique identifier of the authorization</description><valid-options/><invalid-options/></param>",
        "<param><name>reuse</name><type>boolean</type><description>",
        "</valid-options><default-value>false</default-value></param>",
        "<valid-options><valid-option>session</valid-option><valid-option>read</valid-option>",
        "<default-value>userinfo</default-value>",
        "<default-value nil=\"true\"/>",
        "<valid-options><valid-option>true</valid-option><valid-option>false</valid-option></valid-options>",
        "</links></data><messages/><version>1.7</version>",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
}

#[test]
fn a_note_is_counted_in_characters() {
    let mut world = TestWorld::with_admin("secret");
    for letter in ["x", "\u{e9}", "\u{1f600}"] {
        for (count, status) in [(4096, 201), (4097, 422)] {
            assert_eq!(world.call(add(&value!({"note": letter.repeat(count)}))).status, status, "{count} {letter}");
        }
    }
}

#[test]
fn keys_have_their_limits() {
    let mut world = TestWorld::with_admin("secret");
    let mut add = |name: &str, content: &str| {
        let body = value!({"name": name, "type": "ssh-rsa", "content": content});
        let add = request(Method::Post, "/broker/rest/user/keys").with_header("content-type", "application/json");
        world.call(add.with_body(format!("{body}"))).status
    };
    assert_eq!((add(&"x".repeat(257), "AAAA"), add("x", &"A".repeat(16_385))), (422, 422));
    assert_eq!((add(&"x".repeat(256), "AAAA"), add("x", &"A".repeat(16_384))), (201, 201));
    for number in 2..100 {
        assert_eq!(add(&format!("k{number}"), "AAAA"), 201);
    }
    assert_eq!(add("k100", "AAAA"), 422);
}

/// Otherwise a user of any role would make the server write megabytes with each request.
#[test]
fn keys_have_their_room_together() {
    let mut world = TestWorld::with_admin("secret");
    let mut send = |method, path: &str, size: usize| {
        let body = value!({"name": path, "type": "t", "content": "A".repeat(size)});
        let path = if method == Method::Put { format!("/{path}") } else { String::new() };
        let sent =
            request(method, &format!("/broker/rest/user/keys{path}")).with_header("content-type", "application/json");
        world.call(sent.with_body(format!("{body}"))).status
    };
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        assert_eq!(send(Method::Post, name, 16_384), 201);
    }
    assert_eq!((send(Method::Post, "h", 16_384), send(Method::Post, "h", 16_000)), (422, 201));
    assert_eq!((send(Method::Put, "h", 16_369), send(Method::Put, "h", 16_368)), (422, 200));
}

#[test]
fn changes_of_keys_are_audited() {
    let mut world = TestWorld::with_admin("secret");
    let mut call = |method, path: &str, body: &str| {
        let sent =
            request(method, &format!("/broker/rest/user/keys{path}")).with_header("content-type", "application/json");
        world.call(sent.with_body(body)).status
    };
    assert_eq!(call(Method::Post, "", r#"{"name": "laptop", "type": "ssh-rsa", "content": "AAAA"}"#), 201);
    assert_eq!(call(Method::Put, "/laptop", r#"{"type": "ssh-rsa", "content": "BBBB"}"#), 200);
    assert_eq!(call(Method::Put, "/desktop", r#"{"type": "ssh-rsa", "content": "BBBB"}"#), 404);
    assert_eq!(call(Method::Delete, "/laptop", ""), 200);
    let audited: Vec<_> = world.audited().into_iter().filter(|action| action != "login").collect();
    assert_eq!(audited, ["ssh_key.add: laptop", "ssh_key.change: laptop", "ssh_key.delete: laptop"]);
}

/// A client may write the `%2E` of a link as a dot (RFC 3986, 6.2.2.2), and must not reach another key with it.
#[test]
fn the_end_of_a_keys_name_is_no_format() {
    let mut world = TestWorld::with_admin("secret");
    let mut call = |method, path: &str, body: &str| {
        let sent = request(method, &format!("/broker/rest/user/keys{path}"));
        world.call(sent.with_header("content-type", "application/json").with_body(body))
    };
    for name in ["laptop", "laptop.json", "laptop.xml", "laptop.xml.json"] {
        let added = call(Method::Post, "", &format!(r#"{{"name": "{name}", "type": "ssh-rsa", "content": "{name}"}}"#));
        assert_eq!(added.status, 201);
    }
    for (path, name) in [
        ("/laptop.xml", "laptop.xml"),
        ("/laptop.json/", "laptop.json"),
        ("/laptop%2Exml", "laptop.xml"),
        ("/laptop.xml.json", "laptop.xml.json"),
        ("/laptop.json.json", "laptop.json"),
        ("/laptop", "laptop"),
    ] {
        assert_eq!(json(&call(Method::Get, path, ""))["data"]["name"], name, "{path}");
    }
    let changed = call(Method::Put, "/laptop.xml", r#"{"type": "ssh-rsa", "content": "new"}"#);
    assert_eq!(json(&changed)["data"]["name"], "laptop.xml");
    for name in ["laptop.json", "laptop.xml.json", "laptop.xml"] {
        assert_eq!(call(Method::Delete, &format!("/{name}"), "").status, 200);
        assert_eq!(json(&call(Method::Get, "/laptop", ""))["data"]["content"], "laptop", "after {name}");
    }
    // Where there is no key of that name, it is a format as everywhere.
    let shown = call(Method::Get, "/laptop.xml", "");
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("application/xml; charset=utf-8")));
}

#[test]
fn paths_with_dots_lead_nowhere() {
    let mut world = TestWorld::with_admin("secret");
    for (path, status) in [
        ("/broker/rest/./user", 404),
        ("/broker/rest/../rest/user", 404),
        ("/broker/rest/user/authorizations/..", 404),
        ("/broker/rest/user/authorizations/%2e%2e", 404),
        ("/broker/rest/user/authorizations/..%2f..%2fuser", 404),
        ("/broker/../broker/rest/user", 404),
    ] {
        assert_eq!(world.call(request(Method::Get, path)).status, status, "{path}");
    }
}

/// It must not be read as a form, like a body without a type.
#[test]
fn a_type_that_is_no_text_is_unknown() {
    let mut world = TestWorld::with_admin("secret");
    let mut add = request(Method::Post, LIST).with_body("scope=read");
    add.headers.push(("content-type".into(), b"text/\xff".to_vec()));
    assert_eq!((world.call(add).status, world.count("authz/")), (415, 0));
}

/// An id is a number in hexadecimal, whose digits clients write either way; a revocation that found nothing would be answered all the same.
#[test]
fn an_id_is_one_in_capitals_too() {
    let mut world = TestWorld::with_admin("secret");
    for member in ["id", "token"] {
        let made = json(&world.call(add(&value!({"scope": "session"}))));
        let [named, id] = [member, "id"].map(|member| made["data"][member].as_str().unwrap());
        let capitals = format!("{USER}/authorization/{}", named.to_ascii_uppercase());
        assert_eq!(world.call(request(Method::Get, &capitals)).status, 200, "{capitals}");
        assert_eq!(world.call(request(Method::Delete, &capitals)).status, 200);
        assert_eq!(world.call(request(Method::Get, &format!("{USER}/authorization/{id}"))).status, 404);
    }
}

/// Some clients write one; but the name of one thing, left out, must not be the name of all.
#[test]
fn a_slash_at_the_end_is_passed_over_where_nothing_ends() {
    let mut world = TestWorld::with_admin("secret");
    let (list, user) = (format!("{LIST}/"), format!("{USER}/"));
    let body = |request: Request| request.with_header("content-type", "application/json").with_body("{}");
    assert_eq!(world.call(body(request(Method::Post, &list))).status, 201);
    assert_eq!(json(&world.call(request(Method::Get, &list)))["data"].as_array().unwrap().len(), 1);
    assert_eq!(json(&world.call(request(Method::Get, &user)))["data"]["login"], "admin");
    for path in [&list, &user] {
        assert_eq!(world.call(request(Method::Delete, path)).status, 404, "{path}");
    }
    assert_eq!(world.call(request(Method::Get, &format!("{list}/"))).status, 404);
    assert_eq!(json(&world.call(request(Method::Get, LIST)))["data"].as_array().unwrap().len(), 1);
}

/// The store may keep a record for longer than it has to, and what it keeps of a user may have lost a part: each rule holds by itself.
#[test]
fn a_token_ends_with_its_time_and_its_user_whatever_the_store_keeps() {
    let mut world = TestWorld::with_admin("secret");
    let made = token(&mut world, "session");
    let at = world.stored::<AuthorizationAt>(&key::authorization_token(&made)).unwrap();
    let authorization = world.stored::<Authorization>(&key::authorization(&at)).unwrap();
    world.put(key::authorization_token(&made), at.encode());
    world.put(key::authorization(&at), authorization.encode());
    world.set(UnixTime::from_millis(authorization.expires.as_millis() - 1));
    check_alive(&mut world, &made, true);
    let user = world.stored::<User>(&key::user(at.uid)).unwrap();
    world.put(key::user(at.uid), User { disabled: true, ..user.clone() }.encode());
    check_alive(&mut world, &made, false);
    world.put(key::user(at.uid), user.encode());
    world.set(authorization.expires);
    check_alive(&mut world, &made, false);
}

/// It would live longer than was asked for, by as long as the clock was ahead.
#[test]
fn an_authorization_of_a_time_to_come_is_none_yet() {
    let mut world = TestWorld::with_admin("secret");
    let right = world.now();
    for (ahead, alive) in [(3600, true), (3601, false), (10 * 365 * 86_400, false)] {
        world.set(right.plus_secs(ahead));
        let token = token(&mut world, "session");
        check_alive(&mut world, &token, true);
        world.set(right);
        check_alive(&mut world, &token, alive);
        let listed = json(&world.call(request(Method::Get, LIST)))["data"].as_array().unwrap().len();
        assert_eq!(listed, 1, "{ahead}");
    }
}

/// The ways to end one token.
const WAYS: usize = 3;

fn end(world: &mut TestWorld, way: usize, token: &str) {
    let ended = match way {
        0 => world.call(request(Method::Delete, &format!("{LIST}/{token}"))),
        1 => {
            let form =
                request(Method::Post, "/auth/revoke").with_header("content-type", "application/x-www-form-urlencoded");
            world.call(form.with_body(format!("token={token}")))
        }
        _ => world.local(crate::testing::request("POST /admin/tokens/revoke", &format!(r#"{{"token": "{token}"}}"#))),
    };
    assert_eq!(ended.status, 200);
}

/// Whoever ends it before its time comes has ended it.
#[test]
fn an_authorization_of_a_time_to_come_can_be_ended() {
    let mut world = TestWorld::with_admin("secret");
    let right = world.now();
    for way in 0..WAYS {
        world.set(right.plus_secs(86_400));
        let token = token(&mut world, "session");
        world.set(right);
        check_alive(&mut world, &token, false);
        end(&mut world, way, &token);
        world.set(right.plus_secs(86_400));
        check_alive(&mut world, &token, false);
    }
}

/// The setting can change back, and must not revive what was ended meanwhile.
#[test]
fn an_authorization_that_a_setting_refuses_can_be_ended() {
    for way in 0..=WAYS {
        let mut world = TestWorld::with_admin("secret");
        world.settings_mut().openshift.password_change_revokes = false;
        let token = token(&mut world, "session");
        let replace = crate::testing::request("PUT /admin/users/admin/password", r#"{"password": "secret"}"#);
        assert_eq!(world.local(replace).status, 204);
        check_alive(&mut world, &token, true);
        world.settings_mut().openshift.password_change_revokes = true;
        check_alive(&mut world, &token, false);
        if way < WAYS {
            end(&mut world, way, &token);
        }
        world.settings_mut().openshift.password_change_revokes = false;
        check_alive(&mut world, &token, way == WAYS);
    }
}

/// Those beyond the newest end without a line of their own, so that there is one for all.
#[test]
fn ending_all_is_audited() {
    let mut world = TestWorld::with_admin("secret");
    for (scope, told) in [("", "token.revoke_all"), ("?scope=read", "token.revoke_all: scope read")] {
        token(&mut world, "read");
        token(&mut world, "read");
        world.audited();
        assert_eq!(world.call(request(Method::Delete, &format!("{LIST}{scope}"))).status, 200);
        assert_eq!(world.audited(), ["login", "token.revoke", "token.revoke", told], "{scope}");
    }
}

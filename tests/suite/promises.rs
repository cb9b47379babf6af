//! Statements of `docs/security.md` that core alone decides and no case can see.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use waxseal_core::{
    seam::{Call, Derivation, Method, Moment, Peer, Request, Step, begin},
    settings::Settings,
};
use waxseal_tests::{client::basic, memory::Memory};

const ADMIN: &str = "Grey-Heron 27 lantern";

/// An administrator, and `ann`, `off` (disabled), `many` (16 passwords); everybody's password is the name and ` one`.
fn world() -> Memory {
    let mut memory = Memory::new(Settings::default());
    let local = |memory: &mut Memory, method: Method, path: &str, body: Value| {
        let request = Request::new(method, path).with_header("content-type", "application/json");
        let call = memory.call(Peer { local: true, ..Peer::default() }, request.with_body(body.to_string()));
        let response = memory.play(&call).response;
        assert!(response.status < 300, "{path}: {} {:?}", response.status, String::from_utf8_lossy(&response.body));
        serde_json::from_slice::<Value>(&response.body).unwrap_or_default()
    };
    local(&mut memory, Method::Post, "/admin/bootstrap", json!({ "name": "admin", "password": ADMIN }));
    for name in ["ann", "off", "many"] {
        let user = json!({ "name": name, "role": "db_viewer", "password": format!("{name} one") });
        local(&mut memory, Method::Post, "/admin/users", user);
    }
    for number in 2..=16 {
        local(&mut memory, Method::Post, "/admin/users/many/password", json!({ "password": format!("many {number}") }));
    }
    local(&mut memory, Method::Post, "/admin/users/off/disable", json!({}));
    memory
}

fn from_outside() -> Peer {
    Peer { address: Some([192, 0, 2, 1].into()), ..Peer::default() }
}

/// The derivations that a login asks for, in order, and the status of its answer.
fn attempt(memory: &mut Memory, name: &str, password: &str) -> (Vec<Derivation>, u16) {
    let request = Request::new(Method::Post, "/v1/users/authorize").with_header("authorization", &basic(name, password));
    let call = memory.call(from_outside(), request);
    let mut derivations = Vec::new();
    let mut step = begin(call);
    loop {
        match step {
            Step::Ask(pending) => {
                derivations.extend(pending.ask().derive.clone());
                step = memory.resume(pending);
            }
            Step::Done(done) => {
                assert!(memory.commit(&done.commit));
                return (derivations, done.response.status);
            }
        }
    }
}

#[test]
fn every_attempt_costs_one_derivation() {
    let mut memory = world();
    for _ in 0..5 {
        attempt(&mut memory, "ann", "wrong");
    }
    // Locked by now, which nobody can tell.
    let kinds = [
        ("ann", "ann one", 401),
        ("ann", "wrong", 401),
        ("off", "off one", 401),
        ("nobody", "x", 401),
        ("many", "many one", 200),
        ("many", "many 16", 200),
        ("many", "wrong", 401),
        ("admin", ADMIN, 200),
        // No password can be this one, and that shows no sooner.
        ("admin", &"x".repeat(1025), 401),
    ];
    for (name, password, expected) in kinds {
        let (derivations, status) = attempt(&mut memory, name, password);
        assert_eq!(status, expected, "{name}");
        let costs: Vec<_> = derivations.iter().map(|derivation| derivation.scheme).collect();
        assert_eq!(costs, [Settings::default().passwords.scheme], "{name}");
        assert_eq!(derivations[0].salt.len(), 16, "{name}");
    }
}

#[test]
fn the_salt_of_an_unknown_name_is_as_steady_as_that_of_a_user() {
    let mut memory = world();
    let mut salt = |name: &str| attempt(&mut memory, name, "x").0[0].salt.clone();
    assert_eq!(salt("nobody"), salt("nobody"));
    let different: BTreeSet<_> = ["nobody", "noone", "ann"].map(&mut salt).into();
    assert_eq!(different.len(), 3);
}

#[test]
fn without_randomness_nothing_is_issued() {
    let mut memory = world();
    for (path, body) in [
        ("/v1/users/authorize", ""),
        ("/broker/rest/user/authorizations", ""),
        ("/_security/oauth2/token", r#"{"grant_type": "client_credentials"}"#),
    ] {
        let request = Request::new(Method::Post, path)
            .with_header("authorization", &basic("admin", ADMIN))
            .with_header("content-type", "application/json")
            .with_body(body);
        let with = memory.call(from_outside(), request);
        let Moment { now, .. } = with.moment;
        let without = Call {
            request: with.request.clone(),
            moment: Moment { now, peer: from_outside(), ..Moment::default() },
            world: with.world.clone(),
        };
        let refused = memory.finish(begin(without.into()));
        // The broker says 500, with a reference.
        let status = if path.starts_with("/broker/") { 500 } else { 503 };
        assert_eq!(refused.response.status, status, "{path}");
        let of_login = |key: &str| key.starts_with("tries/") || key.starts_with("seen/");
        let writes = refused.commit.writes.iter().filter(|write| !of_login(write.key.as_str()));
        assert_eq!(writes.count(), 0, "{path}");
        assert!(memory.play(&with).response.status < 300, "{path}");
    }
}

#[test]
fn why_a_token_is_refused_is_noted_for_the_log_only() {
    let mut memory = world();
    let call = Request::new(Method::Post, "/v1/users/authorize").with_header("authorization", &basic("admin", ADMIN));
    let call = memory.call(from_outside(), call);
    let body: Value = serde_json::from_slice(&memory.play(&call).response.body).unwrap();
    let token = body["access_token"].as_str().unwrap().to_owned();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let altered = format!("{signed}.{other}{}", &signature[1..]);

    let mut answers = BTreeSet::new();
    for (shown, reason) in [
        (token.as_str(), None),
        (altered.as_str(), Some("bad_signature")),
        ("a.b", Some("malformed")),
        (&"0".repeat(64), Some("revoked")),
        (&"x".repeat(8193), Some("too_long")),
    ] {
        let request = Request::new(Method::Get, "/auth/verify").with_header("authorization", &format!("Bearer {shown}"));
        let call = memory.call(from_outside(), request);
        let done = memory.play(&call);
        assert_eq!(done.token_refusal, reason, "{shown}");
        if reason.is_some() {
            // All that are refused are refused alike.
            answers.insert(format!("{:?}", done.response));
        }
        let form = format!("token={shown}");
        let request = Request::new(Method::Post, "/auth/introspect")
            .with_header("authorization", &basic("admin", ADMIN))
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_body(form);
        let call = memory.call(from_outside(), request);
        let done = memory.play(&call);
        assert_eq!((done.response.status, done.token_refusal), (200, reason), "introspection of {shown}");
    }
    assert_eq!(answers.len(), 1, "{answers:?}");

    memory.advance(400);
    let request = Request::new(Method::Get, "/v1/users").with_header("authorization", &format!("Bearer {token}"));
    let call = memory.call(from_outside(), request);
    assert_eq!(memory.play(&call).token_refusal, Some("expired"));
    // Other refusals are none of a token's.
    let request = Request::new(Method::Get, "/v1/users").with_header("authorization", &basic("admin", "wrong"));
    let call = memory.call(from_outside(), request);
    let done = memory.play(&call);
    assert_eq!((done.response.status, done.token_refusal, done.events.len()), (401, None, 1));
}

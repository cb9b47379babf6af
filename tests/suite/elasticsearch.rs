//! The Elasticsearch dialect on a live server: what only sockets, threads and crashes can show.

use core::{slice, time::Duration};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::Instant,
};
use waxseal::{
    clock::Clock,
    store::{Embedded, Store as _},
};
use waxseal_core::{
    record::key,
    seam::{RecordKey, Request},
    time::UnixTime,
};
use waxseal_tests::{
    client::{Reply, basic},
    server::{self, ADMIN, Launch, Server, scratch},
};

const TOKENS: &str = "/_security/oauth2/token";

#[test]
fn sixteen_clients_who_refresh_one_token_at_once_end_with_one_pair() {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    for _ in 0..4 {
        let first = login(&server);
        let start = Barrier::new(16);
        let pairs = thread::scope(|scope| {
            let refresh = || {
                let mut client = server.client();
                client.send(&bearer("GET", "/_security/_authenticate", &first["access_token"])).unwrap();
                // With a token, so that nobody waits for a password to be derived and all come at the same moment.
                let request = by(&first["access_token"], "POST", &refreshing(&first));
                start.wait();
                client.send(&request).unwrap()
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(refresh)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let pair = |reply: &Reply| {
            assert_eq!(reply.status, 200, "{:?}", reply.json());
            let pair = reply.json().unwrap();
            (pair["access_token"].to_string(), pair["refresh_token"].to_string())
        };
        assert_eq!(pairs.iter().map(pair).collect::<BTreeSet<_>>().len(), 1);
    }
}

/// As the clients for Python and JavaScript send it when they are told to compress: `{"grant_type":"client_credentials"}`.
#[test]
fn a_packed_request_is_answered_like_any_other() {
    const PACKED: [u8; 52] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 47, 74, 204, 43, 137, 47, 169, 44, 72, 85, 178, 82, 74, 206, 201, 76,
        5, 242, 146, 139, 82, 83, 128, 116, 102, 98, 78, 177, 82, 45, 0, 50, 92, 165, 77, 35, 0, 0, 0,
    ];
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    let mut request = as_admin("POST", &json!({}));
    request.body = PACKED.to_vec();
    let reply = server.send(&request.clone().with_header("content-encoding", "gzip"));
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    assert!(reply.json().unwrap()["access_token"].is_string());
    assert_eq!(server.send(&request.with_header("content-encoding", "br")).status, 415);
}

/// The body of a DELETE that ends what a token answer gave, in one of the ways there are.
type Selection = fn(&Value) -> Value;

#[test]
fn what_was_invalidated_stays_so_after_a_crash() {
    let (_home, data) = scratch();
    let launch = Launch::on(data);
    let mut server = launch.start();
    // What is ended, and which halves are dead then.
    let kinds: [(Selection, [bool; 2]); 4] = [
        (|pair| json!({ "token": pair["access_token"] }), [true, false]),
        (|pair| json!({ "refresh_token": pair["refresh_token"] }), [false, true]),
        (|_| json!({ "username": ADMIN.0 }), [true, true]),
        (|_| json!({ "realm_name": "default_native" }), [true, true]),
    ];
    for (selection, dead) in kinds {
        let (pair, caller) = (login(&server), login(&server));
        let reply = server.send(&by(&caller["access_token"], "DELETE", &selection(&pair)));
        assert_eq!(reply.status, 200, "{:?}", reply.json());
        server.kill();
        server = launch.start();
        let access = server.send(&bearer("GET", "/_security/_authenticate", &pair["access_token"])).status;
        let refresh = server.send(&as_admin("POST", &refreshing(&pair))).status;
        assert_eq!([access == 401, refresh == 400], dead, "{access} {refresh}");
    }
}

/// A process is killed after the entry that denied a token was purged; the next one finds the clock set back by a day or a year.
#[test]
fn a_clock_set_back_revives_no_token() {
    let (_home, data) = scratch();
    let launch = Launch::on(&data);
    let server = launch.start();
    let (begun, revoked, expired) = (Instant::now(), login(&server), login(&server));
    assert_eq!(server.send(&as_admin("DELETE", &json!({ "token": revoked["access_token"] }))).status, 200);
    server.kill();
    let entry = key::revoked(&jti(&revoked["access_token"]));
    assert!(lies(&data, &entry));

    let mut server = launch.start();
    server.clock(&json!({ "advance_secs": 100_000 }));
    let live = loop {
        // The store looks for what has expired every five seconds.
        thread::sleep(Duration::from_secs(6));
        let live = login(&server);
        server.kill();
        if !lies(&data, &entry) {
            break live;
        }
        assert!(begun.elapsed() < Duration::from_mins(2), "the entry is not purged");
        server = launch.start();
    };
    let server = launch.start();
    let status = |token: &Value| server.send(&bearer("GET", "/auth/verify", token)).status;
    for back in [0, -3_600, -100_000, -365 * 86_400] {
        server.clock(&json!({ "advance_secs": back }));
        assert_eq!((status(&revoked["access_token"]), status(&expired["access_token"])), (401, 401), "{back} s");
        assert_eq!(status(&live["access_token"]), 204, "{back} s");
        assert_eq!(status(&login(&server)["access_token"]), 204, "{back} s");
    }
    // Time goes on, at half its pace.
    server.clock(&json!({ "advance_secs": 2_400 }));
    assert_eq!(status(&live["access_token"]), 401);
}

#[test]
fn a_server_says_that_the_password_grant_is_on() {
    let (_home, data) = scratch();
    let said = |value: &str| {
        let server = Launch::on(&data).set("elasticsearch.password_grant", value).start();
        // The note before it, which is always there and written together with it.
        server.until("Note: policy");
        server.last_out()
    };
    assert!(said("true").contains("the password grant is on"));
    assert!(!said("false").contains("the password grant is on"));
}

#[test]
fn a_server_does_not_start_with_a_lifetime_out_of_bounds() {
    let (_home, data) = scratch();
    for (seconds, starts) in [("0", false), ("1", true), ("3600", true), ("3601", false), ("-1", false), ("1.5", false)] {
        let outcome = Launch::on(&data).set("elasticsearch.token_timeout", seconds).try_start();
        assert_eq!(outcome.is_ok(), starts, "{seconds}");
    }
}

/// Whether there is a record under `key` in the store of a server that does not run, expired or not.
fn lies(data: &Path, key: &RecordKey) -> bool {
    let clock = Arc::new(Clock::system());
    let store = Embedded::look(data, Arc::clone(&clock)).unwrap();
    // Long before anything in it expires.
    clock.set(UnixTime::from_secs(1));
    store.get(slice::from_ref(key)).wait().unwrap().first().unwrap().is_some()
}

fn jti(token: &Value) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.as_str().unwrap().split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["jti"].as_str().unwrap().into()
}

fn login(server: &Server) -> Value {
    let body = json!({ "grant_type": "password", "username": ADMIN.0, "password": ADMIN.1 });
    let reply = server.send(&server::json("POST", "/_xpack/security/oauth2/token", &body));
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    reply.json().unwrap()
}

fn refreshing(pair: &Value) -> Value {
    json!({ "grant_type": "refresh_token", "refresh_token": pair["refresh_token"] })
}

fn by(token: &Value, method: &str, body: &Value) -> Request {
    let value = format!("Bearer {}", token.as_str().unwrap());
    server::json(method, TOKENS, body).with_header("authorization", &value)
}

fn as_admin(method: &str, body: &Value) -> Request {
    server::json(method, TOKENS, body).with_header("authorization", &basic(ADMIN.0, ADMIN.1))
}

fn bearer(method: &str, path: &str, token: &Value) -> Request {
    let value = format!("Bearer {}", token.as_str().unwrap());
    Request::new(waxseal_core::seam::Method::parse(method), path).with_header("authorization", &value)
}

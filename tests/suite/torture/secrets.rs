//! Secrets that would be recognised anywhere, sent everywhere: none may come out where people read.

use super::{
    api::{add_user, admin_token, as_bearer, authorize, data, passwords, revoke, verify},
    rotate::waxseal,
};
use crate::{
    client::basic,
    server::{Launch, Server, json, scratch},
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};
use waxseal_core::seam::{Method, Request};

/// What was found where; nothing, one hopes. The first number says how many places were looked through, in octets.
pub fn run() -> (usize, Vec<String>) {
    let (_home, data_dir) = scratch();
    let server = Launch::on(&data_dir).set("log.filter", "trace").set("log.format", "json").start();
    let admin = admin_token(&server);
    let mut secrets = vec![crate::server::ADMIN.1.to_owned(), admin.clone()];
    let mut marked = 0;
    let mut mark = |secrets: &mut Vec<String>| {
        marked += 1;
        let secret = format!("MaRkEd-{marked}-sEcReT");
        secrets.push(secret.clone());
        secret
    };

    let first = mark(&mut secrets);
    add_user(&server, &admin, "ann", &first);
    let (second, third) = (mark(&mut secrets), mark(&mut secrets));
    let wrong = mark(&mut secrets);
    let mut replies = String::new();
    let mut send = |request: Request| {
        let reply = server.send(&request);
        // An answer that hands a token out is where a token belongs.
        if reply.header("cache-control").is_none_or(|value| !value.contains("no-store")) {
            replies.push_str(&String::from_utf8_lossy(&reply.body));
        }
        reply
    };
    send(passwords("POST", "ann", &first, Some(&second)));
    send(passwords("POST", "ann", &first, Some(&second)));
    send(passwords("POST", "ann", &wrong, Some(&third)));
    send(passwords("DELETE", "ann", &first, None));
    send(passwords("PUT", "ann", &second, Some(&third)));
    // In places where nothing secret belongs.
    for place in [
        Request::new(Method::Get, &format!("/v1/users/{wrong}?access_token={admin}&password={wrong}")),
        Request::new(Method::Get, &format!("/{wrong}/{admin}")),
        Request::new(Method::Get, &format!("/auth/verify/{admin}")),
        Request::new(Method::parse("MARKED"), "/v1/users").with_header("authorization", &basic("ann", &third)),
        Request::new(Method::Get, "/v1/users").with_header("authorization", &format!("Basic {wrong}")),
        Request::new(Method::Get, "/v1/users").with_header("authorization", &format!("{wrong} {wrong}")),
        Request::new(Method::Get, "/v1/users").with_header("cookie", &format!("session={admin}")),
        json("POST", "/v1/users/authorize", &json!({ "password": wrong, "ttl": wrong })),
        json("POST", "/v1/users", &json!({ "name": "x", "password": { "x": wrong } })),
        json("POST", "/v1/users/password", &json!({ "password_hash_method": 1, "new_password": wrong })),
        Request::new(Method::Post, "/v1/users/authorize").with_body(format!("{{\"password\": \"{wrong}")),
        verify(&wrong),
        verify(&format!("{admin}x")),
    ] {
        send(place.clone());
        send(as_bearer(place, &admin));
    }
    // Tokens of every dialect, used well and badly.
    let redis = send(authorize("ann", &third)).json().unwrap()["access_token"].as_str().unwrap().to_owned();
    let add = json("POST", "/broker/rest/user/authorizations", &json!({ "scope": "session", "note": "kept" }));
    let openshift = send(add.with_header("authorization", &basic("ann", &third)));
    let openshift = data(&openshift)["token"].as_str().unwrap().to_owned();
    let grant = json!({ "grant_type": "password", "username": "ann", "password": third });
    let pair = send(json("POST", "/_xpack/security/oauth2/token", &grant)).json().unwrap();
    let of_pair = |name: &str| pair[name].as_str().unwrap().to_owned();
    let (access, refresh) = (of_pair("access_token"), of_pair("refresh_token"));
    for token in [&redis, &openshift, &access, &refresh] {
        secrets.push(token.clone());
        send(verify(token));
        send(revoke(token, &admin));
        send(verify(token));
        send(as_bearer(Request::new(Method::Get, "/broker/rest/user"), token));
        send(as_bearer(Request::new(Method::Get, "/_security/_authenticate"), token));
    }
    send(json("POST", "/_security/oauth2/token", &json!({ "grant_type": "refresh_token", "refresh_token": refresh })));
    malformed(&server, &wrong, &admin);

    // What keys and hashes look like.
    let exported: Value = serde_json::from_str(&waxseal(&data_dir, &["key", "export", "--secret", "--json"])).unwrap();
    secrets.extend(exported["keys"].as_array().unwrap().iter().map(|key| key["k"].as_str().unwrap().to_owned()));
    secrets.push(fs::read_to_string(data_dir.join("root.key")).map(|key| key.trim().to_owned()).unwrap_or_default());
    secrets.push("$argon2".into());
    secrets.retain(|secret| !secret.is_empty());

    let metrics = server.send(&Request::new(Method::Get, "/metrics"));
    let listing = waxseal(&data_dir, &["user", "list", "--json"]);
    let log = server.log();
    let out = server.out();
    assert!(server.terminate().success());
    let trail = fs::read_to_string(data_dir.join("audit.log")).unwrap();
    assert!(log.len() > 10_000, "the log is not what was asked for: {log}");
    assert!(trail.contains("password.replace") && trail.contains("token.revoke"), "{trail}");
    let places = [
        ("the log", log),
        ("standard output", out),
        ("the audit trail", trail),
        ("the metrics", String::from_utf8_lossy(&metrics.body).into_owned()),
        ("the list of users", listing),
        ("replies without tokens", replies),
    ];
    let mut found = Vec::new();
    for (place, text) in &places {
        for secret in &secrets {
            let encoded = secret.bytes().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
            if let Some(at) = text.find(secret.as_str()).or_else(|| text.find(&encoded)) {
                let context = text.get(at.saturating_sub(200)..(at + 80).min(text.len())).unwrap_or_default();
                found.push(format!("{secret} in {place}: …{context}…"));
            }
        }
    }
    (places.iter().map(|(_, text)| text.len()).sum(), found)
}

/// Requests that never become any, with secrets in them.
fn malformed(server: &Server, wrong: &str, admin: &str) {
    for octets in [
        format!("GET /{wrong}\x00 HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\nauthorization : Bearer {admin}\r\n\r\n"),
        format!("{wrong}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", wrong.repeat(2000)),
        format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\ncontent-length: 20\r\n\r\n{wrong}"),
    ] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let _ = stream.write_all(octets.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

//! Damaged requests, many of them: none may be answered with 5xx, hang, or leave memory behind.

use super::{
    Dice,
    api::{access_token, add_user, admin_token, as_bearer, data, never_lock},
};
use crate::{
    client::basic,
    server::{ADMIN, Launch, Server, json, scratch},
};
use core::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use serde_json::json;
use socket2::{Domain, Socket, Type};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::Instant,
};
use waxseal_core::seam::{Method, Request};

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Requests that were sent.
    pub requests: u64,
    /// Answers by status; 0 for none.
    pub answers: BTreeMap<u16, u64>,
    /// Requests answered with 5xx, and those without an end after five seconds.
    pub wrong: Vec<String>,
    /// Resident memory after the first tenth, and at the end, in octets.
    pub memory: (u64, u64),
}

/// The dialects there are requests of.
pub const DIALECTS: [&str; 4] = ["redis", "openshift", "elasticsearch", "gateway"];

/// Sends `count` damaged requests of one dialect over four connections at a time.
pub fn run(dialect: &str, count: u64, seed: u64) -> Outcome {
    let (_home, data) = scratch();
    let server = Launch::on(data).set("throttle.source_limit", "0").start();
    let seeds = seeds(&server, dialect);
    let mut outcome = Outcome::default();
    for part in 0..10 {
        let parts: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|number| {
                    let (server, seeds) = (server.address, &seeds);
                    scope.spawn(move || send(server, seeds, count / 40, Dice::new(seed * 1000 + part * 4 + number)))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for more in parts {
            outcome.requests += more.requests;
            outcome.wrong.extend(more.wrong);
            for (status, count) in more.answers {
                *outcome.answers.entry(status).or_insert(0) += count;
            }
        }
        let resident = server.resident();
        if part == 0 {
            outcome.memory.0 = resident;
        }
        outcome.memory.1 = resident;
    }
    outcome
}

fn send(server: SocketAddr, seeds: &[Vec<u8>], count: u64, mut dice: Dice) -> Outcome {
    let mut outcome = Outcome::default();
    for _ in 0..count {
        let octets = damaged(seeds, &mut dice);
        outcome.requests += 1;
        let begun = Instant::now();
        let reply = exchange(server, &octets, &mut dice);
        let status = status(&reply);
        *outcome.answers.entry(status).or_insert(0) += 1;
        let shown = || format!("{}\n  answered with {}", octets.escape_ascii(), reply.escape_ascii());
        if status >= 500 || reply.windows(10).any(|window| window == b"HTTP/1.1 5") {
            outcome.wrong.push(shown());
        }
        if begun.elapsed() > Duration::from_secs(5) {
            outcome.wrong.push(format!("{} s for {}", begun.elapsed().as_secs(), shown()));
        }
    }
    outcome
}

/// Sends everything, says that no more will come, and reads to the end.
fn exchange(server: SocketAddr, octets: &[u8], dice: &mut Dice) -> Vec<u8> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // From many addresses, as the ports of one are soon used up.
    let from = Ipv4Addr::from(0x7f01_0000 | u32::try_from(dice.roll(0xffff)).unwrap());
    socket.bind(&SocketAddr::new(IpAddr::V4(from), 0).into()).unwrap();
    socket.connect(&server.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let _ = stream.write_all(octets);
    let _ = stream.shutdown(Shutdown::Write);
    let mut reply = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut reply);
    reply
}

fn status(reply: &[u8]) -> u16 {
    let digits = reply.get(9..12).and_then(|digits| core::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// One to six changes of octets of one seed. Mostly the length of the body is stated anew, so that what is behind it is reached.
fn damaged(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const ODD: [&[u8]; 24] = [
        b"\0",
        b"\xff",
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"\"",
        b"\\u0000",
        b"\\ud800",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"null",
        b"-1",
        b"1e999",
        b"99999999999999999999",
        b"0.1",
        b"%00",
        b"%",
        b"/",
        b"..",
        b"\r\n",
        b"\xf0\x9f\x98\x80",
    ];
    let mut octets = dice.pick(seeds).clone();
    for _ in 0..=dice.roll(6) {
        if octets.is_empty() {
            break;
        }
        let at = dice.roll(octets.len());
        let end = (at + 1 + dice.roll(12)).min(octets.len());
        match dice.roll(8) {
            0 => octets[at] ^= 1 << dice.roll(8),
            1 => octets[at] = u8::try_from(dice.roll(256)).unwrap(),
            2 => drop(octets.drain(at..end)),
            3 => {
                let copy = octets[at..end].to_vec();
                octets.splice(at..at, copy);
            }
            4 | 5 => drop(octets.splice(at..at, dice.pick(&ODD).iter().copied())),
            6 => {
                let other = dice.pick(seeds);
                let from = dice.roll(other.len());
                let piece = other[from..(from + 20).min(other.len())].to_vec();
                octets.splice(at..end, piece);
            }
            _ => {
                let times = 1 + dice.roll(200);
                let one = octets[at];
                octets.splice(at..at, core::iter::repeat_n(one, times));
            }
        }
    }
    if dice.roll(10) < 8 { with_length(octets) } else { octets }
}

/// The request with the length that its body has.
fn with_length(octets: Vec<u8>) -> Vec<u8> {
    let find = |what: &[u8]| octets.windows(what.len()).position(|window| window == what);
    let (Some(stated), Some(end)) = (find(b"content-length: "), find(b"\r\n\r\n")) else { return octets };
    if stated > end {
        return octets;
    }
    let digits = stated + b"content-length: ".len();
    let line_end = digits + octets[digits..].iter().position(|octet| *octet == b'\r').unwrap_or(0);
    let length = octets.len() - end - 4;
    [&octets[..digits], length.to_string().as_bytes(), &octets[line_end..]].concat()
}

/// Good requests, as octets.
fn seeds(server: &Server, dialect: &str) -> Vec<Vec<u8>> {
    let admin = admin_token(server);
    never_lock(server, &admin);
    let uid = add_user(server, &admin, "ann", "password 0");
    let plain = |method: &str, path: &str| Request::new(Method::parse(method), path);
    let admins = |request| as_bearer(request, &admin);
    let ann = |request: Request| request.with_header("authorization", &basic("ann", "password 0"));
    let form = |path: &str, body: &str| {
        plain("POST", path).with_header("content-type", "application/x-www-form-urlencoded").with_body(body)
    };
    let requests = match dialect {
        "redis" => vec![
            ann(json("POST", "/v1/users/authorize", &json!({ "ttl": 60 }))),
            admins(json("POST", "/v1/users/refresh_jwt", &json!({ "ttl": 60 }))),
            json(
                "POST",
                "/v1/users/password",
                &json!({ "username": "ann", "old_password": "password 0", "new_password": "more" }),
            ),
            json("DELETE", "/v1/users/password", &json!({ "username": "ann", "old_password": "more" })),
            admins(json("PUT", "/v1/users/password", &json!({ "username": "nobody", "new_password": "more" }))),
            admins(plain("GET", "/v1/users")),
            admins(plain("GET", &format!("/v1/users/{uid}"))),
            admins(json(
                "PUT",
                &format!("/v1/users/{uid}"),
                &json!({ "email": "ann@example.com", "email_alerts": true, "role_uids": [5] }),
            )),
            admins(json(
                "POST",
                "/v1/users",
                &json!({ "name": "bob", "email": "b@example.com", "password": "x", "role": "db_viewer" }),
            )),
            admins(plain("GET", "/v1/users/permissions/admin")),
            admins(plain("GET", "/v1/roles/1")),
            admins(plain("GET", "/v1/cluster")),
            admins(json("PUT", "/v1/cluster", &json!({ "password_complexity": false, "password_min_length": 8 }))),
            admins(json("PUT", "/v1/cluster/policy", &json!({ "login_lockout_threshold": 0 }))),
            plain("OPTIONS", "/v1/users/password"),
        ],
        "openshift" => {
            let path = "/broker/rest/user/authorizations";
            let session = server.send(&ann(json("POST", path, &json!({ "scope": "session" }))));
            let session = data(&session)["token"].as_str().unwrap().to_owned();
            let with = |request| as_bearer(request, &session);
            vec![
                plain("GET", "/broker/rest/api").with_header("accept", "application/json;version=1.6"),
                with(plain("GET", "/broker/rest/user.xml")),
                with(plain("GET", path).with_header("accept", "application/xml;version=1.2,*/*;q=0.1")),
                with(json(
                    "POST",
                    path,
                    &json!({ "scope": "read userinfo", "note": "a \u{fc} note", "expires_in": 600, "reuse": true }),
                )),
                with(form(path, "scope=session&note=a+b%20c&expires_in=-1&reuse=true")),
                with(plain("GET", &format!("/broker/rest/user/authorization/{session}?nolinks=true"))),
                with(json("PUT", &format!("/broker/rest/user/authorizations/{session}"), &json!({ "note": null }))),
                with(plain("DELETE", "/broker/rest/user/authorization/0123456789abcdef01234567")),
                with(json("POST", "/broker/rest/user/keys", &json!({ "name": "k", "type": "ssh-rsa", "content": "AAAA" }))),
                with(plain("GET", "/broker/rest/user/keys/k")),
                with(
                    plain("POST", path)
                        .with_header("content-type", "multipart/form-data; boundary=xx")
                        .with_body("--xx\r\nContent-Disposition: form-data; name=\"scope\"\r\n\r\nread\r\n--xx--\r\n"),
                ),
                ann(plain("DELETE", &format!("{path}?scope=read"))),
            ]
        }
        "elasticsearch" => {
            let (new, old) = ("/_security/oauth2/token", "/_xpack/security/oauth2/token");
            let grant = server.send(&json(
                "POST",
                old,
                &json!({ "grant_type": "password", "username": "ann", "password": "password 0" }),
            ));
            let grant = grant.json().unwrap();
            let (access, refresh) = (grant["access_token"].as_str().unwrap(), grant["refresh_token"].as_str().unwrap());
            let with = |request| as_bearer(request, access);
            let keeper = server.send(&json(
                "POST",
                old,
                &json!({ "grant_type": "password", "username": ADMIN.0, "password": ADMIN.1 }),
            ));
            let keeper = access_token(&keeper).unwrap();
            let by_admin = |request| as_bearer(request, &keeper);
            vec![
                json(
                    "POST",
                    old,
                    &json!({ "grant_type": "password", "username": "ann", "password": "password 0", "scope": "FULL" }),
                ),
                with(json("POST", new, &json!({ "grant_type": "client_credentials" }))),
                with(json("POST", new, &json!({ "grant_type": "refresh_token", "refresh_token": refresh }))),
                with(json("DELETE", new, &json!({ "refresh_token": "none of ours" }))),
                json("DELETE", old, &json!({ "token": "a.b.c" })),
                with(json("DELETE", new, &json!({ "realm_name": "elsewhere", "username": "bob" }))),
                with(plain("GET", "/_security/_authenticate?pretty&human=true")),
                with(plain("GET", "/_xpack/security/_authenticate")),
                with(plain("GET", "/").with_header("accept", "application/vnd.elasticsearch+json;compatible-with=8")),
                with(plain("GET", "/_cluster/health")),
                by_admin(json(
                    "PUT",
                    "/_security/user/a%20mutant",
                    &json!({ "password": "password 0", "roles": ["reports", "db_viewer"], "metadata": { "floor": 3 } }),
                )),
                by_admin(plain("GET", "/_security/user/ann,bob?pretty")),
                by_admin(json("POST", "/_security/user/nobody/_password", &json!({ "password": "password 1" }))),
                by_admin(plain("PUT", "/_xpack/security/user/nobody/_enable")),
                by_admin(plain("DELETE", "/_xpack/security/user/nobody")),
                by_admin(json("PUT", "/_security/role/reports", &json!({ "cluster": ["monitor"], "index": [] }))),
                by_admin(plain("GET", "/_xpack/security/role/reports")),
                with(plain("HEAD", "/")),
            ]
        }
        _ => vec![
            admins(plain("GET", "/auth/verify")),
            admins(plain("PATCH", "/auth/verify/some/thing?x=y")),
            admins(plain("GET", "/auth/envoy/path")),
            admins(form("/auth/introspect", &format!("token={admin}&token_type_hint=access_token"))),
            admins(form("/auth/revoke", "token=a.b.c")),
            plain("GET", "/healthz"),
            plain("GET", "/readyz"),
            plain("GET", "/openapi/redis.json").with_header("if-none-match", "\"x\""),
            plain("GET", "/admin/users"),
        ],
    };
    requests.iter().map(octets).collect()
}

fn octets(request: &Request) -> Vec<u8> {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut out = format!("{} {}{query} HTTP/1.1\r\nhost: a\r\n", request.method.as_str(), request.path).into_bytes();
    for (name, value) in &request.headers {
        out.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    out.extend(format!("content-length: {}\r\n\r\n", request.body.len()).bytes());
    out.extend(&request.body);
    out
}

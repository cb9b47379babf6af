//! HTTP against a bare static answer of the same stack, on the same cores in the same run.

use super::{
    load::{Load, cpu_seconds},
    peer::Peer,
    seed::{Subject, admin_token, refreshed},
    table::{Row, heading},
};
use std::net::SocketAddr;

const ROUNDS: usize = 7;
const SECONDS: u32 = 2;
const CONNECTIONS: u32 = 16;
/// The row of tokens that the server has no answer for.
const OTHERS: &str = "GET /auth/verify, 6,000 tokens in turn";

pub(crate) fn measure() {
    heading("HTTP, 16 connections; share of the requests per second of a bare axum answer");
    let (peer, subject) = (Peer::start(), Subject::start());
    let bearer = format!("Bearer {}", admin_token(&subject.server));
    let get = |address: SocketAddr, path| Load {
        address,
        method: "GET",
        path,
        headers: vec![("Authorization", bearer.clone())],
        body: "",
    };
    let bare = get(peer.address, "/");
    // More than the server keeps answers for.
    let tokens: Vec<String> = (0..6000).map(|_| refreshed(&subject.server, &bearer)).collect();
    let contenders = [
        ("GET /auth/verify, user and revocation checked", get(subject.server.address, "/auth/verify"), 0.75),
        (OTHERS, get(subject.server.address, "/auth/verify"), 0.0),
        ("GET /v1/users/1, fresh instance of the component", get(subject.server.address, "/v1/users/1"), 0.35),
        ("GET /healthz, answered by the server itself", get(subject.server.address, "/healthz"), 0.0),
    ];
    let mut rows: Vec<[Row; 3]> = contenders.iter().map(|_| Default::default()).collect();
    let mut bare_rate = Row::default();
    for _ in 0..ROUNDS {
        let (limit, limit_cost) = cost(peer.pid(), || bare.rate(CONNECTIONS, SECONDS));
        bare_rate.push(limit);
        for ((name, load, _), [share, rate, work]) in contenders.iter().zip(&mut rows) {
            let (reached, cost) = cost(subject.server.pid(), || match *name {
                OTHERS => load.rate_of(&tokens, CONNECTIONS, SECONDS),
                _ => load.rate(CONNECTIONS, SECONDS),
            });
            share.push(reached / limit);
            rate.push(reached);
            work.push(cost / limit_cost);
        }
    }
    bare_rate.show("bare axum answer", "req/s", 0);
    for ((name, _, least), [share, rate, work]) in contenders.iter().zip(&rows) {
        share.show(name, &if *least > 0.0 { format!("≥ {least}") } else { String::new() }, 2);
        rate.show("", "req/s", 0);
        work.show("", "x CPU", 2);
    }
}

/// Requests per second, and CPU seconds of the server for each.
fn cost(pid: u32, load: impl Fn() -> f64) -> (f64, f64) {
    let before = cpu_seconds(pid);
    let rate = load();
    (rate, (cpu_seconds(pid) - before) / (rate * f64::from(SECONDS)))
}

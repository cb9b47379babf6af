//! Whether what others own costs anything: a user with ten OpenShift authorizations, beside nobody and beside a million
//! authorizations of others in the embedded store.
//!
//! `cargo xtask bench authorizations`; `cargo bench -p waxseal --bench authorizations -- COUNT` for another number. The two stores
//! take turns, so that a busy machine disturbs both alike: read the ratios rather than the times.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use core::fmt::Write as _;
use sha2::{Digest, Sha256};
use std::{path::Path, sync::Arc, time::Instant};
use tokio::runtime::Runtime;
use waxseal::{
    clock::Clock,
    engine::{Choice, Engine, Execution, Limits, Parts},
    kdf,
    store::{Embedded, Store},
};
use waxseal_core::{
    password::Scheme,
    record::{Authorization, AuthorizationAt, Scope, Stored, Uid, key},
    seam::{Commit, Expect, Method, Peer, RecordKey, Request, Response, Write},
    settings::Settings,
    time::UnixTime,
};
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const LIST: &str = "/broker/rest/user/authorizations";
/// What the user owns in both stores.
const OWN: usize = 10;
/// Authorizations of others in one commit.
const STEP: u64 = 10_000;
const ROUNDS: usize = 301;

fn main() {
    let count = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let alone = Server::open(&runtime, homes[0].path());
    let beside = Server::open(&runtime, homes[1].path());
    let begun = Instant::now();
    beside.fill(&runtime, count);
    let octets = std::fs::metadata(homes[1].path().join("store.redb")).map_or(0, |file| file.len());
    println!(
        "{count} authorizations of others stored in {:.0} s, {} MB",
        begun.elapsed().as_secs_f64(),
        octets / 1_000_000
    );

    println!("{:<28}{:>12}{:>12}{:>9}", "", "alone", "beside them", "ratio");
    for name in ["add", "list", "show", "GET /user with a token"] {
        let mut millis = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (server, millis) in [&alone, &beside].into_iter().zip(&mut millis) {
                millis.push(server.time(&runtime, name));
            }
        }
        let [alone, beside] = millis.map(|mut millis| {
            millis.sort_by(f64::total_cmp);
            millis[ROUNDS / 2]
        });
        println!("{name:<28}{alone:>9.3} ms{beside:>9.3} ms{:>8.2}x", beside / alone);
    }
}

struct Server {
    engine: Engine,
    store: Arc<Embedded>,
    /// A token of the user.
    bearer: String,
    id: String,
}

impl Server {
    /// A server whose one user owns [`OWN`] authorizations.
    fn open(runtime: &Runtime, data: &Path) -> Self {
        let clock = Arc::new(Clock::stopped_at(NOW));
        let store = Arc::new(Embedded::open(data, Arc::clone(&clock)).unwrap());
        let mut settings = Settings::default();
        settings.passwords.scheme = Scheme::Argon2id { memory: 8, passes: 1, lanes: 1 };
        let parts = Parts {
            store: Arc::clone(&store) as Arc<dyn Store>,
            kdf: Arc::new(kdf::Pool::start(kdf::Limits::default(), settings.passwords.scheme).unwrap()),
            audit: Arc::new(()),
            clock,
            settings,
            root: Zeroizing::new([9; 32]),
            choice: Choice { hot: Execution::Native, api: Execution::Module },
            limits: Limits::default(),
        };
        let engine = runtime.block_on(Engine::start(parts)).unwrap();
        let mut server = Self { engine, store, bearer: "Basic YWRtaW46c2VjcmV0".into(), id: String::new() };
        let admin = Request::new(Method::Post, "/admin/bootstrap").with_header("content-type", "application/json");
        let admin = admin.with_body(r#"{"name": "admin", "password": "secret"}"#);
        let made = runtime.block_on(server.engine.answer(admin, Peer { local: true, ..Peer::default() }));
        assert_eq!(made.status, 201);
        let mut bearer = String::new();
        for _ in 0..OWN {
            let made = server.call(runtime, Method::Post, LIST, "scope=session");
            bearer = format!("Bearer {}", member(&made, "token"));
            server.id = member(&made, "id");
        }
        server.bearer = bearer;
        server
    }

    /// Stores `count` authorizations of others, as adding them would.
    fn fill(&self, runtime: &Runtime, count: u64) {
        let mut numbers = (0..count).peekable();
        while numbers.peek().is_some() {
            let writes = numbers.by_ref().take(usize::try_from(STEP).unwrap()).flat_map(others).collect();
            runtime.block_on(self.store.commit(Commit { checks: Vec::new(), writes })).unwrap();
        }
    }

    fn call(&self, runtime: &Runtime, method: Method, path: &str, body: &str) -> Response {
        let request = Request::new(method, path).with_header("host", "h").with_header("authorization", &self.bearer);
        let response = runtime.block_on(self.engine.answer(request.with_body(body), Peer::default()));
        assert!(response.status < 300, "{path}: {}", response.status);
        response
    }

    /// How many milliseconds it takes.
    fn time(&self, runtime: &Runtime, what: &str) -> f64 {
        let begun = Instant::now();
        let response = match what {
            "add" => self.call(runtime, Method::Post, LIST, "scope=read&note=n"),
            "list" => self.call(runtime, Method::Get, LIST, ""),
            "show" => self.call(runtime, Method::Get, &format!("{LIST}/{}", self.id), ""),
            _ => self.call(runtime, Method::Get, "/broker/rest/user", ""),
        };
        let took = begun.elapsed().as_secs_f64() * 1e3;
        if what == "add" {
            // The user stays one with ten.
            self.call(runtime, Method::Delete, &format!("{LIST}/{}", member(&response, "id")), "");
        }
        took
    }
}

/// The records of one authorization: itself, and the ways to it by id and by token.
fn others(number: u64) -> [Write; 3] {
    let random: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
    let authorization = Authorization {
        id: random[..12].try_into().unwrap(),
        secret: random,
        uid: Uid::new(u32::try_from(number / 10 + 1000).unwrap()).unwrap(),
        scopes: vec![Scope::Session],
        note: Some("RHC/1.38.7 (from a-machine on x86_64-linux)".into()),
        created: UnixTime::from_millis(NOW.as_millis() - number),
        expires: NOW.plus_secs(2_592_000),
        generation: 0,
        session_epoch: 0,
        era: 0,
    };
    let Authorization { uid, created, id, expires, .. } = authorization;
    let at = AuthorizationAt { uid, created, id };
    let record = |key: RecordKey, value| Write { key, expect: Expect::Any, value: Some(value), expires: Some(expires) };
    [
        record(key::authorization(&at), authorization.encode()),
        record(key::authorization_id(&hex(&id)), at.encode()),
        record(key::authorization_token(&hex(&random)), at.encode()),
    ]
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}

fn member(response: &Response, name: &str) -> String {
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    body["data"][name].as_str().unwrap().into()
}

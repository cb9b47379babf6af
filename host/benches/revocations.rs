//! What verification costs while many tokens are revoked: the embedded store with a million entries beside one with none.
//!
//! `cargo xtask bench revocations`. Every token is asked about in turn, so that most are in no cache. The two
//! stores take turns in short rounds; read the ratio of the medians.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::{path::Path, sync::Arc, time::Instant};
use tokio::runtime::Runtime;
use waxseal::{
    clock::Clock,
    engine::{Choice, Engine, Execution, Limits, Parts},
    kdf,
    store::{Embedded, Store},
};
use waxseal_core::{
    lifetime::{Bounds, Manner},
    password::Scheme,
    record::{Revoked, Stored, key},
    seam::{Commit, Expect, Method, Peer, Range, Request, Write},
    settings::Settings,
    time::UnixTime,
    token::{self, NewClaims},
    vault::Vault,
};
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ROOT: [u8; 32] = [9; 32];
const REVOKED: u32 = 1_000_000;
/// Different tokens that are asked about.
const TOKENS: u32 = 20_000;
const ROUNDS: usize = 61;
/// Requests in one round.
const STEP: u32 = 500;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let none = Site::open(&folder.path().join("none"), &runtime, 0);
    let begun = Instant::now();
    let many = Site::open(&folder.path().join("many"), &runtime, REVOKED);
    println!("{REVOKED} tokens revoked in {:.0} s\n", begun.elapsed().as_secs_f32());

    println!("{:<34} {:>12} {:>12} {:>8}", "", "none", REVOKED, "ratio");
    for (path, kind) in [
        ("/auth/verify", Execution::Native),
        ("/auth/verify", Execution::Module),
        ("/_security/_authenticate", Execution::Native),
        ("/_security/_authenticate", Execution::Module),
    ] {
        let [few, lots] = compare(&runtime, path, kind, [&none, &many]);
        println!("{:<34} {few:>9.0} ns {lots:>9.0} ns {:>6.2} x", format!("{path}, {kind:?}"), lots / few);
    }
}

/// A server without sockets, and tokens it takes.
struct Site {
    native: Engine,
    module: Engine,
    bearers: Vec<String>,
}

impl Site {
    fn open(data: &Path, runtime: &Runtime, revoked: u32) -> Self {
        let clock = Arc::new(Clock::stopped_at(NOW));
        let store = Arc::new(Embedded::open(data, Arc::clone(&clock)).unwrap());
        let kdf = Arc::new(kdf::Pool::start(kdf::Limits::default(), Scheme::default()).unwrap());
        let engine = |kind| {
            runtime.block_on(Engine::start(Parts {
                store: store.clone(),
                kdf: Arc::clone(&kdf),
                audit: Arc::new(()),
                clock: Arc::clone(&clock),
                settings: Settings::default(),
                root: Zeroizing::new(ROOT),
                choice: Choice { hot: kind, api: kind },
                limits: Limits::default(),
            }))
        };
        let native = engine(Execution::Native).unwrap();
        let first = Request::new(Method::Post, "/admin/bootstrap").with_header("content-type", "application/json");
        let first = first.with_body(r#"{"name":"admin","password":"of a bench"}"#);
        let local = Peer { local: true, ..Peer::default() };
        assert_eq!(runtime.block_on(native.answer(first, local)).status, 201);
        revoke(&*store, revoked);
        Self { bearers: bearers(&*store), native, module: engine(Execution::Module).unwrap() }
    }
}

/// Entries as an invalidation writes them.
fn revoke(store: &dyn Store, count: u32) {
    let until = NOW.plus_secs(3_600);
    let write = |number: u32| Write {
        key: key::revoked(&jti_text(u128::from(number) << 64)),
        expect: Expect::Any,
        value: Some(Revoked { until, only_here: true }.encode()),
        expires: Some(until),
    };
    for start in (0..count).step_by(20_000) {
        let writes = (start..(start + 20_000).min(count)).map(write).collect();
        store.commit(Commit { checks: Vec::new(), writes }).wait().unwrap();
    }
}

/// `Authorization` with tokens that are not revoked, though their ids are spread among those that are.
fn bearers(store: &dyn Store) -> Vec<String> {
    let keys = Range { prefix: key::SIGNING_KEYS.into(), after: String::new(), limit: 100 };
    let keys = store.range(&keys).wait().unwrap();
    let vault = Vault::open(ROOT, keys.iter().map(|(_, record)| record.value.as_slice()), NOW).unwrap();
    let token = |number: u32| {
        vault.keys().issue(&NewClaims {
            issuer: &Settings::default().issuer,
            audience: None,
            typ: token::ACCESS,
            uid: "1",
            dialect: "elasticsearch",
            generation: 0,
            jti: spread((u128::from(number) << 64) + 1),
            issued: NOW,
            lifetime: Bounds::new(1, 1200, 3600, Manner::Refuse).unwrap().unasked(),
        })
    };
    (0..TOKENS).map(|number| format!("Bearer {}", token(number).unwrap())).collect()
}

/// An id that looks random; different for different numbers.
fn spread(number: u128) -> [u8; 16] {
    (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
}

fn jti_text(number: u128) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(spread(number))
}

/// The median time of a request at each site.
fn compare(runtime: &Runtime, path: &str, kind: Execution, sites: [&Site; 2]) -> [f64; 2] {
    let mut nanos = [Vec::new(), Vec::new()];
    let mut next = 0_usize;
    for _ in 0..ROUNDS {
        for (site, nanos) in sites.iter().zip(&mut nanos) {
            let engine = if kind == Execution::Native { &site.native } else { &site.module };
            let start = Instant::now();
            for _ in 0..STEP {
                // A prime step, so that all of them come and neighbours do not follow each other.
                next = (next + 7919) % site.bearers.len();
                let bearer = &site.bearers[next];
                let request = Request::new(Method::Get, path).with_header("authorization", bearer);
                let status = runtime.block_on(engine.answer(request, Peer::default())).status;
                assert!(matches!(status, 200 | 204), "{status}");
            }
            nanos.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(STEP));
        }
    }
    nanos.map(|mut nanos| {
        nanos.sort_by(f64::total_cmp);
        nanos[nanos.len() / 2]
    })
}

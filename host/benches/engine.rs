//! What the engine costs: a token check and a whole request, natively and as a component.
//!
//! `cargo bench -p waxseal --bench engine`. Medians of many short rounds, the contenders taking turns, so that a busy
//! machine disturbs them alike: read the ratios rather than the times.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use core::hint::black_box;
use std::{sync::Arc, time::Instant};
use waxseal::{
    clock::Clock,
    engine::{Choice, Code, Engine, Execution, Limits, Module, Parts},
    kdf,
    store::Memory,
};
use waxseal_core::{
    lifetime::{Bounds, Manner},
    password::Scheme,
    seam::{Method, Peer, Request, World},
    settings::Settings,
    time::UnixTime,
    token::{self, Algorithm, Key, KeyRole, KeySet, NewClaims},
    vault::Vault,
};
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ROUNDS: usize = 101;

fn main() {
    let world = world();
    let token = token(&world);
    let bytes = world.to_bytes().unwrap();
    let module = Module::load(&Code::built_in(), Limits::default()).unwrap();
    let mut verifier = module.verifier(&bytes).unwrap();
    verifier.verify(&token, NOW).unwrap().unwrap();
    world.verify(&token, NOW).unwrap();

    compare(&mut [
        ("verify, native", 500, &mut || drop(black_box(world.verify(black_box(&token), NOW)))),
        ("verify, component, instance reused", 500, &mut || {
            verifier.verify(black_box(&token), NOW).unwrap().unwrap();
        }),
        ("verify, component, instance fresh", 100, &mut || {
            module.verifier(&bytes).unwrap().verify(black_box(&token), NOW).unwrap().unwrap();
        }),
        ("decode the world, native", 500, &mut || drop(black_box(World::from_bytes(black_box(&bytes))))),
    ]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let engines = [Execution::Native, Execution::Module].map(|kind| runtime.block_on(engine(kind)));
    let tokens = [0, 1].map(|at| admin_token(&runtime, &engines[at]));
    for (path, status) in [("/nowhere", 400), ("/auth/verify", 204), ("/v1/users/1", 200)] {
        let answer = |at: usize| {
            let request = Request::new(Method::Get, path).with_header("host", "localhost");
            let request = request.with_header("authorization", &format!("Bearer {}", tokens[at]));
            let response = runtime.block_on(engines[at].answer(request, Peer::default()));
            assert_eq!(response.status, status, "{path}");
        };
        println!("\nGET {path}: {status}");
        compare(&mut [
            ("whole request, native", 500, &mut || answer(0)),
            ("whole request, component, fresh instance", 100, &mut || answer(1)),
        ]);
    }
}

/// A token of the first administrator, who is made here.
fn admin_token(runtime: &tokio::runtime::Runtime, engine: &Engine) -> String {
    let post = |path, authorization: &str, body: &str, local| {
        let request = Request::new(Method::Post, path).with_header("content-type", "application/json").with_body(body);
        let request = request.with_header("authorization", authorization);
        runtime.block_on(engine.answer(request, Peer { local, ..Peer::default() }))
    };
    assert_eq!(post("/admin/bootstrap", "", r#"{"name": "admin", "password": "secret"}"#, true).status, 201);
    let made = post("/v1/users/authorize", "Basic YWRtaW46c2VjcmV0", r#"{"ttl": 3600}"#, false);
    let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
    made["access_token"].as_str().unwrap().into()
}

async fn engine(kind: Execution) -> Engine {
    let clock = Arc::new(Clock::stopped_at(NOW));
    let scheme = Scheme::Argon2id { memory: 8, passes: 1, lanes: 1 };
    let mut settings = Settings::default();
    settings.passwords.scheme = scheme;
    let parts = Parts {
        store: Arc::new(Memory::new(Arc::clone(&clock))),
        kdf: Arc::new(kdf::Pool::start(kdf::Limits::default(), scheme).unwrap()),
        audit: Arc::new(()),
        clock,
        settings,
        root: Zeroizing::new([9; 32]),
        choice: Choice { hot: kind, api: kind },
        limits: Limits::default(),
    };
    Engine::start(parts).await.unwrap()
}

type Contender<'a> = (&'a str, u32, &'a mut dyn FnMut());

/// Prints the median time of each and its ratio to the first.
fn compare(contenders: &mut [Contender<'_>]) {
    let mut nanos = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for ((_, times, act), nanos) in contenders.iter_mut().zip(&mut nanos) {
            let start = Instant::now();
            (0..*times).for_each(|_| act());
            nanos.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(*times));
        }
    }
    let median = |nanos: &mut Vec<f64>| {
        nanos.sort_by(f64::total_cmp);
        nanos[nanos.len() / 2]
    };
    let medians: Vec<f64> = nanos.iter_mut().map(median).collect();
    for ((name, ..), nanos) in contenders.iter().zip(&medians) {
        println!("{name:<44} {nanos:>9.0} ns  {:>6.2} x", nanos / medians[0]);
    }
}

fn world() -> World {
    let key = Key::new("bench", Algorithm::Hs256, &[7; 32]).unwrap();
    let keys = KeySet::new([(key, KeyRole::Sign)]).unwrap();
    World { settings: Settings::default(), vault: Vault::new([9; 32], keys) }
}

fn token(world: &World) -> String {
    let lifetime = Bounds::new(1, 300, 3600, Manner::Refuse).unwrap().unasked();
    let new = NewClaims {
        issuer: &world.settings.issuer,
        audience: None,
        typ: token::ACCESS,
        uid: "1",
        dialect: "redis",
        generation: 0,
        jti: [5; 16],
        issued: NOW,
        lifetime,
    };
    world.vault.keys().issue(&new).unwrap()
}

//! The server's engine without its sockets: core as the component in wasmtime, or compiled in.

use super::play::World;
use core::net::Ipv4Addr;
use serde_json::json;
use std::sync::Arc;
use tokio::runtime::Runtime;
use waxseal::{
    clock::Clock,
    engine::{Choice, Engine, Execution, Limits, Parts},
    kdf::{self, Pool},
    store::Memory,
};
use waxseal_core::{
    seam::{Method, Peer, Request},
    settings::Settings,
};
use waxseal_tests::{client::Reply, memory::START, server::ADMIN};
use zeroize::Zeroizing;

pub(super) struct Driven {
    engine: Engine,
    clock: Arc<Clock>,
    runtime: Runtime,
}

impl Driven {
    pub(super) fn open(kind: Execution, settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clock = Arc::new(Clock::stopped_at(START));
        let kdf = Pool::start(kdf::Limits::default(), settings.passwords.scheme).unwrap();
        let parts = Parts {
            store: Arc::new(Memory::new(Arc::clone(&clock))),
            kdf: Arc::new(kdf),
            audit: Arc::new(()),
            clock: Arc::clone(&clock),
            settings,
            root: Zeroizing::new([9; 32]),
            choice: Choice { hot: kind, api: kind },
            limits: Limits { instances: 4.try_into().unwrap(), ..Limits::default() },
        };
        let engine = runtime.block_on(Engine::start(parts)).unwrap();
        let body = json!({ "name": ADMIN.0, "password": ADMIN.1 }).to_string();
        let request = Request::new(Method::Post, "/admin/bootstrap").with_header("content-type", "application/json");
        let owner = Peer { local: true, ..Peer::default() };
        let response = runtime.block_on(engine.answer(request.with_body(body), owner));
        assert_eq!(response.status, 201, "no first administrator");
        Self { engine, clock, runtime }
    }
}

impl World for Driven {
    fn send(&mut self, from: Ipv4Addr, request: &Request) -> Reply {
        let mut request = request.clone();
        if request.header("host").is_none() {
            request = request.with_header("host", "127.0.0.1");
        }
        let peer = Peer { address: Some(from.into()), ..Peer::default() };
        let response = self.runtime.block_on(self.engine.answer(request, peer));
        let headers = response.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Reply { status: response.status, headers, body: response.body }
    }

    fn advance(&mut self, secs: u64) {
        self.clock.advance(i64::try_from(secs).unwrap() * 1000);
    }
}

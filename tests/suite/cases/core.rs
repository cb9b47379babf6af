//! Core as a function, around a map.

use super::play::World;
use core::net::Ipv4Addr;
use serde_json::json;
use waxseal_core::{
    seam::{Method, Peer, Request},
    settings::Settings,
};
use waxseal_tests::{client::Reply, memory::Memory, server::ADMIN};

pub(super) struct Core(Memory);

impl Core {
    pub(super) fn open(settings: Settings) -> Self {
        let mut memory = Memory::new(settings);
        let body = json!({ "name": ADMIN.0, "password": ADMIN.1 }).to_string();
        let request = Request::new(Method::Post, "/admin/bootstrap").with_header("content-type", "application/json");
        let call = memory.call(Peer { local: true, ..Peer::default() }, request.with_body(body));
        let response = memory.play(&call).response;
        assert!(
            matches!(response.status, 200 | 201 | 204),
            "no first administrator: {} {:?}",
            response.status,
            str::from_utf8(&response.body)
        );
        Self(memory)
    }
}

impl World for Core {
    fn send(&mut self, from: Ipv4Addr, request: &Request) -> Reply {
        let mut request = request.clone();
        if request.header("host").is_none() {
            request = request.with_header("host", "127.0.0.1");
        }
        let call = self.0.call(Peer { address: Some(from.into()), ..Peer::default() }, request);
        let mut response = self.0.play(&call).response;
        if call.request.method == Method::Head {
            response.body.clear();
        }
        let headers = response.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Reply { status: response.status, headers, body: response.body }
    }

    fn advance(&mut self, secs: u64) {
        self.0.advance(secs);
    }
}

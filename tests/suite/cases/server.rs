//! The live server, over sockets.

use super::play::World;
use core::net::Ipv4Addr;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;
use waxseal_core::seam::Request;
use waxseal_tests::{
    client::{Client, Reply},
    server::{Launch, Server, scratch},
};

pub(super) struct Live {
    server: Server,
    clients: BTreeMap<Ipv4Addr, Client>,
    _home: TempDir,
}

impl Live {
    pub(super) fn start(settings: &Map<String, Value>) -> Self {
        let (home, data) = scratch();
        let mut flags = Vec::new();
        flatten("", &Value::Object(settings.clone()), &mut flags);
        let launch = flags.iter().fold(Launch::on(data), |launch, (path, value)| launch.set(path, value));
        let server = launch.start();
        server.clock(&json!({ "stopped": true }));
        Self { server, clients: BTreeMap::new(), _home: home }
    }
}

impl World for Live {
    fn send(&mut self, from: Ipv4Addr, request: &Request) -> Reply {
        let client = self.clients.entry(from).or_insert_with(|| Client::new(self.server.address, from));
        client.send(request).unwrap_or_else(|error| panic!("{request:?} got no reply: {error}"))
    }

    fn advance(&mut self, secs: u64) {
        self.server.clock(&json!({ "advance_secs": secs }));
    }
}

/// Settings in serialized form as the flags that state them.
fn flatten(path: &str, value: &Value, flags: &mut Vec<(String, String)>) {
    match value {
        // Which manner a dialect has is not for operators to say, nor where OpenShift's lives begin.
        Value::Object(members) => {
            let fixed = |name: &str| name == "manner" || (name == "min" && path.starts_with("openshift."));
            for (name, member) in members.iter().filter(|(name, _)| !fixed(name)) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, member, flags);
            }
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().unwrap_or_default()).collect::<Vec<_>>();
            flags.push((path.into(), items.join(",")));
        }
        Value::String(text) => flags.push((path.into(), text.clone())),
        other => flags.push((path.into(), other.to_string())),
    }
}

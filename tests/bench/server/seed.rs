//! Servers to measure, and what they hold.

use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use waxseal::{
    clock::Clock,
    store::{Embedded, Store},
};
use waxseal_core::{
    password::{Derived, Hash, List, Scheme},
    record::{LastUid, Role, Stored, Uid, User, key},
    seam::{Commit, Expect, RecordKey, Request, Write},
    time::UnixTime,
};
use waxseal_tests::{
    client::basic,
    server::{ADMIN, Launch, Server, json, scratch},
};

/// A server with a data directory of its own.
pub(crate) struct Subject {
    pub(crate) server: Server,
    home: TempDir,
    data: PathBuf,
}

impl Subject {
    /// An empty one but for the administrator.
    pub(crate) fn start() -> Self {
        let (home, data) = scratch();
        let server = Launch::on(&data).start();
        Self { server, home, data }
    }

    /// One with `count` users besides.
    pub(crate) fn with_users(count: u32) -> Self {
        let Self { server, home, data } = Self::start();
        server.terminate();
        fill(&data, count);
        let server = Launch::on(&data).start();
        Self { server, home, data }
    }

    /// A directory on the same disk.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Ends the server; its data, and what keeps them.
    pub(crate) fn stop(self) -> (PathBuf, TempDir) {
        self.server.terminate();
        (self.data, self.home)
    }
}

/// Writes users past the server, in large commits.
fn fill(data: &Path, count: u32) {
    let store = Embedded::open(data, Arc::new(Clock::system())).unwrap();
    let (salt, scheme) = ([5; 16], Scheme::default());
    let hash = Hash::new(&salt, &Derived::new(scheme, &[6; 32]).unwrap()).unwrap();
    let write = |key: RecordKey, value: Vec<u8>| Write { key, expect: Expect::Any, value: Some(value), expires: None };
    let now = UnixTime::from_secs(1_700_000_000);
    for first in (2..count + 2).step_by(1000) {
        let mut writes = Vec::new();
        for number in first..(first + 1000).min(count + 2) {
            let uid = Uid::new(number).unwrap();
            let user = User {
                uid,
                id: [1; 12],
                name: format!("user-{number}"),
                email: format!("user-{number}@example.com"),
                role: Role::DbViewer,
                email_alerts: false,
                passwords: List::new(hash.clone()),
                salt,
                password_issued: now,
                generation: 0,
                session_epoch: 0,
                lock_epoch: 0,
                disabled: false,
                created: now,
            };
            writes.push(write(key::user(uid), user.encode()));
            writes.push(write(key::name(&user.name), uid.encode()));
            writes.push(write(key::email(&user.email), uid.encode()));
        }
        writes.push(write(key::last_uid(), LastUid(count + 1).encode()));
        store.commit(Commit { checks: Vec::new(), writes }).wait().unwrap();
    }
}

/// A token of the Redis dialect that lives a day.
pub(crate) fn admin_token(server: &Server) -> String {
    member(server, &json("POST", "/v1/users/authorize", &json!({ "ttl": 86400 })), "/access_token")
}

/// Another token for the holder of one.
pub(crate) fn refreshed(server: &Server, bearer: &str) -> String {
    let request = json("POST", "/v1/users/refresh_jwt", &json!({ "ttl": 86400 })).with_header("authorization", bearer);
    let reply = server.send(&request).json().unwrap_or_default();
    reply["access_token"].as_str().unwrap_or_else(|| panic!("{reply}")).into()
}

/// A token of the OpenShift dialect that may do everything.
pub(crate) fn session(server: &Server) -> String {
    member(server, &json("POST", "/broker/rest/user/authorizations", &json!({ "scope": "session" })), "/data/token")
}

fn member(server: &Server, request: &Request, pointer: &str) -> String {
    let reply = server.send(&request.clone().with_header("authorization", &basic(ADMIN.0, ADMIN.1)));
    let body = reply.json().unwrap_or_default();
    body.pointer(pointer).and_then(|token| token.as_str()).unwrap_or_else(|| panic!("{} {body}", reply.status)).into()
}

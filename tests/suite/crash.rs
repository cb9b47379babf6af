//! SIGKILL under writes: every acknowledged change is there after the next start, and none is half done (security S1, P9).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use core::time::Duration;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Instant,
};
use waxseal_core::seam::{Method, Request};
use waxseal_tests::{
    client::Client,
    server::{ADMIN, Launch, Server, json as request, scratch},
};

const WRITERS: usize = 4;
const KILLS: u64 = 3;
/// How many changes of each writer are acknowledged before a kill, if that takes no longer than [`PATIENCE`].
const CHANGES: u64 = 4;
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn every_acknowledged_change_survives_a_kill() {
    let (_home, data) = scratch();
    let launch = Launch::on(data).set("passwords.max_per_user", "64");
    let server = launch.start();
    // Passwords that are gone are tried below, more often than a lockout allows.
    let policy = request("PUT", "/v1/cluster/policy", &json!({ "login_lockout_threshold": 0 }));
    assert_eq!(server.send(&policy.with_header("authorization", &basic(ADMIN.0, ADMIN.1))).status, 200);
    let admin = token(&server, ADMIN.0, ADMIN.1);
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::create(&server, &admin, number)).collect();
    let mut server = Some(server);
    for kill in 0..KILLS {
        let running = server.take().unwrap_or_else(|| launch.start());
        let stop = AtomicBool::new(false);
        let acknowledged = [const { AtomicU64::new(0) }; WRITERS];
        thread::scope(|scope| {
            for (writer, acknowledged) in writers.iter_mut().zip(&acknowledged) {
                let client = running.client();
                let (stop, admin) = (&stop, &admin);
                scope.spawn(move || writer.write(client, admin, stop, acknowledged));
            }
            // Not at the same place of the work each time, and on a machine that is busy not before there is something to lose.
            let begun = Instant::now();
            thread::sleep(Duration::from_millis(700 + 137 * kill));
            let few = || acknowledged.iter().any(|changes| changes.load(Ordering::Relaxed) < CHANGES);
            while few() && begun.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(1));
            }
            running.kill();
            stop.store(true, Ordering::Relaxed);
        });
        let running = launch.start();
        for writer in &mut writers {
            writer.check(&running);
        }
        server = Some(running);
    }
    assert!(writers.iter().all(|writer| writer.acknowledged > 3 * KILLS), "too little was written to say anything");
}

/// One user, and what has become of him as far as answers have told.
struct Writer {
    name: String,
    session: String,
    passwords: VecDeque<String>,
    gone: Vec<String>,
    authorizations: VecDeque<String>,
    ended: Vec<String>,
    /// What was sent when the server was killed: done or not done, but nothing between.
    open: Option<Change>,
    steps: u64,
    acknowledged: u64,
}

#[derive(Clone)]
enum Change {
    AddPassword(String),
    RemovePassword(String),
    AddAuthorization,
    RemoveAuthorization(String),
}

impl Writer {
    fn create(server: &Server, admin: &str, number: usize) -> Self {
        let (name, password) = (format!("writer-{number}"), format!("first of {number}"));
        let body = json!({ "name": name, "password": password, "role": "db_viewer" });
        let create = request("POST", "/v1/users", &body).with_header("authorization", &format!("Bearer {admin}"));
        assert_eq!(server.send(&create).status, 200);
        let session = request("POST", "/broker/rest/user/authorizations", &json!({ "scope": "session" }));
        let session = server.send(&session.with_header("authorization", &basic(&name, &password))).json().unwrap();
        Self {
            name,
            session: session["data"]["token"].as_str().unwrap().into(),
            passwords: [password].into(),
            gone: Vec::new(),
            authorizations: VecDeque::new(),
            ended: Vec::new(),
            open: None,
            steps: 0,
            acknowledged: 0,
        }
    }

    /// Changes one thing after the other until the server is gone.
    fn write(&mut self, mut client: Client, admin: &str, stop: &AtomicBool, acknowledged: &AtomicU64) {
        while !stop.load(Ordering::Relaxed) {
            self.steps += 1;
            let change = match self.steps % 4 {
                1 => Change::AddPassword(format!("{} number {}", self.name, self.steps)),
                2 | 3 => Change::AddAuthorization,
                _ if self.steps.is_multiple_of(8) && self.passwords.len() > 1 => {
                    Change::RemovePassword(self.passwords[0].clone())
                }
                _ => Change::RemoveAuthorization(self.authorizations[0].clone()),
            };
            let sent = self.request(&change, admin);
            self.open = Some(change.clone());
            let Ok(reply) = client.send(&sent) else { return };
            assert!(
                (200..300).contains(&reply.status),
                "{sent:?}: {} {}",
                reply.status,
                String::from_utf8_lossy(&reply.body)
            );
            self.open = None;
            self.acknowledged += 1;
            acknowledged.fetch_add(1, Ordering::Relaxed);
            self.note(change, &reply.json().unwrap_or_default());
        }
    }

    fn request(&self, change: &Change, admin: &str) -> Request {
        let by_admin = |request: Request| request.with_header("authorization", &format!("Bearer {admin}"));
        let by_himself = |request: Request| request.with_header("authorization", &format!("Bearer {}", self.session));
        match change {
            Change::AddPassword(new) => {
                let body = json!({ "username": self.name, "new_password": new });
                by_admin(request("POST", "/v1/users/password", &body))
            }
            Change::RemovePassword(old) => {
                let body = json!({ "username": self.name, "old_password": old });
                by_admin(request("DELETE", "/v1/users/password", &body))
            }
            Change::AddAuthorization => by_himself(request("POST", "/broker/rest/user/authorizations", &json!({}))),
            Change::RemoveAuthorization(token) => {
                by_himself(Request::new(Method::Delete, &format!("/broker/rest/user/authorizations/{token}")))
            }
        }
    }

    fn note(&mut self, change: Change, body: &Value) {
        match change {
            Change::AddPassword(new) => self.passwords.push_back(new),
            Change::RemovePassword(old) => {
                self.passwords.retain(|password| *password != old);
                self.gone.push(old);
            }
            Change::AddAuthorization => self.authorizations.push_back(body["data"]["token"].as_str().unwrap().into()),
            Change::RemoveAuthorization(token) => {
                self.authorizations.retain(|known| *known != token);
                self.ended.push(token);
            }
        }
    }

    /// Compares what the server knows with what it has acknowledged; whether the open change was done is found out.
    fn check(&mut self, server: &Server) {
        let mut client = server.client();
        let mut signs_in = |password: &str| {
            let request = Request::new(Method::Get, "/broker/rest/user");
            let reply = client.send(&request.with_header("authorization", &basic(&self.name, password))).unwrap();
            assert!(matches!(reply.status, 200 | 401), "{}", reply.status);
            reply.status == 200
        };
        match self.open.clone() {
            Some(Change::AddPassword(new)) if signs_in(&new) => self.passwords.push_back(new),
            Some(Change::RemovePassword(old)) if !signs_in(&old) => {
                self.passwords.retain(|password| *password != old);
                self.gone.push(old);
            }
            _ => {}
        }
        for password in &self.passwords {
            assert!(signs_in(password), "`{password}` was acknowledged and is lost");
        }
        for password in &self.gone {
            assert!(!signs_in(password), "`{password}` was removed and is back");
        }
        let list = Request::new(Method::Get, "/broker/rest/user/authorizations");
        let list = server.send(&list.with_header("authorization", &format!("Bearer {}", self.session))).json().unwrap();
        let mut there: Vec<String> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|authorization| authorization["token"].as_str().unwrap().to_owned())
            .filter(|token| *token != self.session)
            .collect();
        // Newest first.
        there.reverse();
        match self.open.take() {
            Some(Change::AddAuthorization) if there.len() > self.authorizations.len() => {
                self.authorizations.extend(there.iter().max_by_key(|token| !self.authorizations.contains(token)).cloned());
            }
            Some(Change::RemoveAuthorization(token)) if !there.contains(&token) => {
                self.authorizations.retain(|known| *known != token);
                self.ended.push(token);
            }
            _ => {}
        }
        let (mut expected, mut there) = (Vec::from(self.authorizations.clone()), there);
        expected.sort();
        there.sort();
        assert_eq!(there, expected, "authorizations of {}", self.name);
        let good = |token: &str| {
            let verify = Request::new(Method::Get, "/auth/verify").with_header("authorization", &format!("Bearer {token}"));
            server.send(&verify).status == 204
        };
        assert!(self.authorizations.iter().all(|token| good(token)) && !self.ended.iter().any(|token| good(token)));
    }
}

fn token(server: &Server, name: &str, password: &str) -> String {
    let authorize = request("POST", "/v1/users/authorize", &json!({ "ttl": 86400 }));
    let reply = server.send(&authorize.with_header("authorization", &basic(name, password)));
    reply.json().unwrap()["access_token"].as_str().unwrap().into()
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

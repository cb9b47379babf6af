//! SIGKILL, again and again, while clients change passwords, authorizations and tokens.
//!
//! Each writer has a user of its own and keeps a model of that user: what was acknowledged, and the one change that was under way.
//! After each kill the server must start, and hold of every user either the model or the model with that change in whole.

use super::{
    Dice,
    api::{
        access_token, add_user, admin_token, as_bearer, authorize, client_from, data, never_lock, passwords, revoke, verify,
    },
};
use crate::{
    client::{Client, Reply, basic},
    server::{Launch, Server, json, scratch},
};
use core::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use serde_json::Value;
use std::{collections::BTreeSet, io, thread, time::Instant};
use waxseal_core::seam::{Method, Request};

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How often the server was killed.
    pub kills: u32,
    /// Changes that were acknowledged.
    pub acknowledged: u64,
    /// Changes that were under way when a kill came and turned out to have gone in.
    pub went_in: u64,
    /// Starts that were refused.
    pub refused_starts: u32,
    /// Users found as no order of their changes leaves them.
    pub wrong: Vec<String>,
}

/// Kills the server `kills` times under `writers` writers; `told` hears after each kill what came of it so far.
pub fn run(kills: u32, writers: usize, told: impl Fn(&Outcome)) -> Outcome {
    let (_home, data) = scratch();
    let launch = Launch::on(data).set("throttle.source_limit", "0");
    let mut server = launch.start();
    let admin = admin_token(&server);
    never_lock(&server, &admin);
    let mut writers: Vec<_> = (0..writers).map(|number| Writer::new(&server, &admin, number)).collect();
    let mut outcome = Outcome::default();
    let mut dice = Dice::new(1);
    while outcome.kills < kills {
        let address = server.address;
        let progress = AtomicU64::new(0);
        thread::scope(|scope| {
            for writer in &mut writers {
                scope.spawn(|| writer.work(address, &admin, &progress));
            }
            // Not before something was done, and then at no particular time.
            let begun = Instant::now();
            while progress.load(Ordering::Relaxed) < 8 && begun.elapsed() < Duration::from_secs(20) {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(u64::try_from(dice.roll(100_000)).unwrap()));
            server.kill();
        });
        outcome.kills += 1;
        outcome.acknowledged = writers.iter().map(|writer| writer.acknowledged).sum();
        server = match launch.try_start() {
            Ok(server) => server,
            Err(why) => {
                outcome.refused_starts += 1;
                outcome.wrong.push(why);
                break;
            }
        };
        let verdicts: Vec<_> = thread::scope(|scope| {
            let settling: Vec<_> = writers.iter_mut().map(|writer| scope.spawn(|| writer.settle(&server))).collect();
            settling.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        outcome.wrong.extend(verdicts.into_iter().filter_map(Result::err));
        outcome.went_in = writers.iter().map(|writer| writer.went_in).sum();
        told(&outcome);
        if !outcome.wrong.is_empty() {
            break;
        }
    }
    outcome
}

/// What is known of a user.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Model {
    passwords: BTreeSet<String>,
    authorizations: BTreeSet<Authorization>,
    good: BTreeSet<String>,
    /// Passwords and tokens that must not work again; the newest.
    ended_passwords: Vec<String>,
    ended_tokens: Vec<String>,
}

/// An id with its token.
type Authorization = (String, String);

#[derive(Clone, Debug)]
enum Change {
    Add(String),
    /// As `Add`, but an administrator adds it.
    Give(String),
    Replace(String),
    Delete(String),
    Grant,
    EndGrant(Authorization),
    Issue,
    Revoke(String),
}

impl Model {
    /// The model after `change`, whose reply was `reply` if there was one.
    fn after(&self, change: &Change, reply: Option<&Reply>) -> Self {
        let mut next = self.clone();
        match change {
            Change::Add(new) | Change::Give(new) => _ = next.passwords.insert(new.clone()),
            Change::Replace(new) => {
                next.ended_passwords.extend(core::mem::take(&mut next.passwords));
                next.ended_tokens.extend(core::mem::take(&mut next.good));
                next.ended_tokens.extend(core::mem::take(&mut next.authorizations).into_iter().map(|(_, token)| token));
                next.passwords.insert(new.clone());
            }
            Change::Delete(old) => {
                next.passwords.remove(old);
                next.ended_passwords.push(old.clone());
            }
            // Without a reply nobody knows its id; whoever looks finds one more.
            Change::Grant => {
                next.authorizations.extend(reply.and_then(|reply| authorization(&data(reply))));
            }
            Change::EndGrant(ended) => {
                next.authorizations.remove(ended);
                next.ended_tokens.push(ended.1.clone());
            }
            Change::Issue => next.good.extend(reply.and_then(access_token)),
            Change::Revoke(token) => {
                next.good.remove(token);
                next.ended_tokens.push(token.clone());
            }
        }
        let newest = |list: &mut Vec<String>, count| drop(list.drain(..list.len().saturating_sub(count)));
        // Each of the passwords costs a derivation.
        newest(&mut next.ended_passwords, 2);
        newest(&mut next.ended_tokens, 8);
        next
    }
}

struct Writer {
    name: String,
    number: usize,
    serial: u64,
    dice: Dice,
    model: Model,
    under_way: Option<Change>,
    acknowledged: u64,
    went_in: u64,
}

impl Writer {
    fn new(server: &Server, admin: &str, number: usize) -> Self {
        let (name, first) = (format!("writer-{number}"), format!("first {number}"));
        add_user(server, admin, &name, &first);
        let model = Model { passwords: [first].into(), ..Model::default() };
        let dice = Dice::new(100 + number as u64);
        Self { name, number, serial: 0, dice, model, under_way: None, acknowledged: 0, went_in: 0 }
    }

    /// Changes until the server is gone.
    fn work(&mut self, address: SocketAddr, admin: &str, progress: &AtomicU64) {
        let mut client = client_from(address, self.number);
        loop {
            let change = self.choose();
            self.under_way = Some(change.clone());
            match client.send(&self.request(&change, admin)) {
                Ok(reply) if reply.status < 300 => {
                    self.model = self.model.after(&change, Some(&reply));
                    self.acknowledged += 1;
                    progress.fetch_add(1, Ordering::Relaxed);
                }
                // Refused because the server was too busy.
                Ok(reply) if reply.status == 503 => {}
                Ok(reply) => panic!("{}: {change:?}: {} {}", self.name, reply.status, String::from_utf8_lossy(&reply.body)),
                Err(_) => return,
            }
            self.under_way = None;
        }
    }

    fn choose(&mut self) -> Change {
        self.serial += 1;
        let new = format!("password {} of {}", self.serial, self.name);
        loop {
            let Model { passwords, authorizations, good, .. } = &self.model;
            return match self.dice.roll(12) {
                0 | 1 if passwords.len() < 6 => Change::Add(new),
                2 => Change::Replace(new),
                3 if passwords.len() > 1 => match some(passwords, &mut self.dice) {
                    Some(old) => Change::Delete(old),
                    None => continue,
                },
                4..=6 => Change::Grant,
                7 => match some(authorizations, &mut self.dice) {
                    Some(authorization) => Change::EndGrant(authorization),
                    None => continue,
                },
                8 | 9 if good.len() < 6 => Change::Issue,
                10 => match some(good, &mut self.dice) {
                    Some(token) => Change::Revoke(token),
                    None => continue,
                },
                11 if passwords.len() < 6 => Change::Give(new),
                _ => continue,
            };
        }
    }

    fn password(&self) -> &str {
        self.model.passwords.first().unwrap()
    }

    fn request(&self, change: &Change, admin: &str) -> Request {
        let with = |method, path: &str| {
            let request = Request::new(method, path).with_header("accept", "application/json");
            request.with_header("authorization", &basic(&self.name, self.password()))
        };
        match change {
            Change::Add(new) => passwords("POST", &self.name, self.password(), Some(new)),
            Change::Give(new) => {
                let body = serde_json::json!({ "username": self.name, "new_password": new });
                as_bearer(json("POST", "/v1/users/password", &body), admin)
            }
            Change::Replace(new) => passwords("PUT", &self.name, self.password(), Some(new)),
            Change::Delete(old) => passwords("DELETE", &self.name, old, None),
            Change::Grant => with(Method::Post, "/broker/rest/user/authorizations"),
            Change::EndGrant((id, _)) => with(Method::Delete, &format!("/broker/rest/user/authorization/{id}")),
            Change::Issue => {
                let request = authorize(&self.name, self.password()).with_header("content-type", "application/json");
                request.with_body(r#"{"ttl":86400}"#)
            }
            Change::Revoke(token) => revoke(token, admin),
        }
    }

    /// Looks at what the server holds: it must be the model, with or without what was under way.
    fn settle(&mut self, server: &Server) -> Result<(), String> {
        let mut client = client_from(server.address, self.number);
        let without = self.model.clone();
        let change = self.under_way.take();
        let with = change.as_ref().map(|change| without.after(change, None));
        let candidates: Vec<_> = [Some(&without), with.as_ref()].into_iter().flatten().collect();
        let found = self.look(&mut client, &candidates).map_err(|error| format!("{}: {error}", self.name))?;

        let fits = |model: &Model| {
            let more_grants =
                matches!(change, Some(Change::Grant)) && found.authorizations.is_superset(&model.authorizations);
            let grants = found.authorizations == model.authorizations
                || more_grants && found.authorizations.len() == model.authorizations.len() + 1;
            grants
                && found.passwords.is_superset(&model.passwords)
                && found.good.is_superset(&model.good)
                && model.ended_passwords.iter().all(|ended| !found.passwords.contains(ended))
                && model.ended_tokens.iter().all(|ended| !found.good.contains(ended))
                && found.passwords.len() == model.passwords.len()
                && found.good.len() == model.good.len()
        };
        let Some(model) = candidates.iter().rev().find(|model| fits(model)) else {
            return Err(format!("{}: after {change:?}\n  found {found:?}\n  known {without:?}", self.name));
        };
        if with.as_ref() == Some(*model) && without != **model || found.authorizations.len() > model.authorizations.len() {
            self.went_in += 1;
        }
        self.model = Model { authorizations: found.authorizations, ..(*model).clone() };
        Ok(())
    }

    /// What of all that could be there is there.
    fn look(&self, client: &mut Client, candidates: &[&Model]) -> io::Result<Model> {
        let mut found = Model::default();
        let all = |of: fn(&Model) -> Vec<&String>| candidates.iter().flat_map(|model| of(model)).collect::<BTreeSet<_>>();
        for password in all(|model| model.passwords.iter().chain(&model.ended_passwords).collect()) {
            match client.send(&authorize(&self.name, password))?.status {
                200 => _ = found.passwords.insert(password.clone()),
                401 => {}
                status => return Err(io::Error::other(format!("a login is answered with {status}"))),
            }
        }
        for token in all(|model| model.good.iter().chain(&model.ended_tokens).collect()) {
            match client.send(&verify(token))?.status {
                204 => _ = found.good.insert(token.clone()),
                401 => {}
                status => return Err(io::Error::other(format!("a check is answered with {status}"))),
            }
        }
        let Some(password) = found.passwords.first() else { return Err(io::Error::other("no password works")) };
        let list = Request::new(Method::Get, "/broker/rest/user/authorizations")
            .with_header("accept", "application/json")
            .with_header("authorization", &basic(&self.name, password));
        let reply = client.send(&list)?;
        let items = data(&reply);
        let items =
            items.as_array().ok_or_else(|| io::Error::other(format!("a list is answered with {}", reply.status)))?;
        found.authorizations = items.iter().filter_map(authorization).collect();
        for (id, token) in &found.authorizations {
            let status = client.send(&verify(token))?.status;
            if status != 204 {
                return Err(io::Error::other(format!("the token of authorization {id} is answered with {status}")));
            }
            // One that a change under way would have ended.
            found.good.remove(token);
        }
        Ok(found)
    }
}

/// What the dialect tells of an authorization.
fn authorization(told: &Value) -> Option<Authorization> {
    Some((told["id"].as_str()?.to_owned(), told["token"].as_str()?.to_owned()))
}

/// One of the set, if there is one.
fn some<T: Clone>(set: &BTreeSet<T>, dice: &mut Dice) -> Option<T> {
    set.iter().nth(dice.roll(set.len().max(1))).cloned()
}

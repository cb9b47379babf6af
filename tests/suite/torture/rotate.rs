//! Keys rotated, backups written and clocks moved under a server that goes on answering.

use super::api::{access_token, add_user, admin_token, authorize, client_from, never_lock, revoke, verify};
use crate::server::{Launch, command, scratch};
use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use serde_json::json;
use std::{path::Path, process::Stdio, sync::Mutex, thread};

/// Runs `waxseal ARGS` on `data`; its standard output. Fails the test if it fails.
pub fn waxseal(data: &Path, args: &[&str]) -> String {
    let output = command(data, args).stderr(Stdio::piped()).stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "waxseal {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What came of rotations.
#[derive(Debug, Default)]
pub struct Rotated {
    /// How many there were.
    pub rotations: u32,
    /// Requests meanwhile.
    pub requests: u64,
    /// Those that were not answered with success.
    pub failed: u64,
    /// Different keys that tokens were signed with.
    pub keys: usize,
}

/// Rotates the signing key `times` times, every `pause`, while tokens are issued and old ones verified. Public keys sign as soon as
/// they are published, as there is nobody here who has to read them first.
pub fn keys(algorithm: &str, times: u32, pause: Duration) -> Rotated {
    let (_home, data) = scratch();
    let launch = Launch::on(&data).set("throttle.source_limit", "0");
    let server = launch.set("signing_algorithm", algorithm).set("gateway.key_lead", "0").start();
    let admin = admin_token(&server);
    never_lock(&server, &admin);
    add_user(&server, &admin, "ann", "right");
    let (over, requests, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let tokens = Mutex::new(vec![admin]);
    thread::scope(|scope| {
        for number in 0..4 {
            let (over, requests, failed, tokens, server) = (&over, &requests, &failed, &tokens, &server);
            scope.spawn(move || {
                let mut client = client_from(server.address, number);
                for round in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let reply = if number == 0 {
                        let request = authorize("ann", "right").with_header("content-type", "application/json");
                        client.send(&request.with_body(r#"{"ttl":3600}"#)).unwrap()
                    } else {
                        let known = tokens.lock().unwrap();
                        let token = known[(round * 7 + number) % known.len()].clone();
                        drop(known);
                        client.send(&verify(&token)).unwrap()
                    };
                    requests.fetch_add(1, Ordering::Relaxed);
                    failed.fetch_add(u64::from(reply.status >= 300), Ordering::Relaxed);
                    tokens.lock().unwrap().extend(access_token(&reply));
                }
            });
        }
        for _ in 0..times {
            thread::sleep(pause);
            waxseal(&data, &["key", "rotate"]);
            // At least one token of each key, however busy the machine is.
            tokens.lock().unwrap().extend(access_token(&server.send(&authorize("ann", "right"))));
        }
        thread::sleep(pause);
        over.store(true, Ordering::Relaxed);
    });
    let tokens = tokens.into_inner().unwrap();
    let headers: std::collections::BTreeSet<_> = tokens.iter().filter_map(|token| token.split('.').next()).collect();
    Rotated { rotations: times, requests: requests.into_inner(), failed: failed.into_inner(), keys: headers.len() }
}

/// What came of a backup under writes.
#[derive(Debug, Default)]
pub struct Restored {
    /// Users and tokens that were asked about on both sides.
    pub compared: usize,
    /// Those that the restored server judged otherwise.
    pub different: Vec<String>,
    /// Backups that broke off a change in the middle.
    pub halves: usize,
}

/// Backs up `times` times while users change their passwords, and restores each backup on an empty machine.
pub fn backup(times: u32) -> Restored {
    let (home, data) = scratch();
    let server = Launch::on(&data).set("throttle.source_limit", "0").start();
    let admin = admin_token(&server);
    never_lock(&server, &admin);
    let mut outcome = Restored::default();
    // Settled before the first backup, so both sides must agree on it.
    let mut verdicts = Vec::new();
    for number in 0..4 {
        let (name, password) = (format!("still-{number}"), format!("right {number}"));
        add_user(&server, &admin, &name, &password);
        let token = access_token(&server.send(&authorize(&name, &password))).unwrap();
        if number % 2 == 0 {
            assert_eq!(server.send(&revoke(&token, &admin)).status, 200);
        }
        verdicts.push((verify(&token), if number % 2 == 0 { 401 } else { 204 }));
        verdicts.push((authorize(&name, &password), 200));
        verdicts.push((authorize(&name, "wrong"), 401));
    }
    verdicts.push((verify(&admin), 204));
    add_user(&server, &admin, "busy", "password 0");

    for round in 0..times {
        let file = home.path().join(format!("backup-{round}"));
        let over = AtomicBool::new(false);
        let changes = thread::scope(|scope| {
            let writing = scope.spawn(|| {
                let mut client = client_from(server.address, 7);
                let mut changes = u64::from(round) * 1000;
                let mut current = format!("password {changes}");
                while !over.load(Ordering::Relaxed) {
                    changes += 1;
                    let next = format!("password {changes}");
                    let request = super::api::passwords("PUT", "busy", &current, Some(&next));
                    assert_eq!(client.send(&request).unwrap().status, 200);
                    current = next;
                }
                // For the next round.
                let next = format!("password {}", u64::from(round + 1) * 1000);
                assert_eq!(client.send(&super::api::passwords("PUT", "busy", &current, Some(&next))).unwrap().status, 200);
                changes
            });
            thread::sleep(Duration::from_millis(150));
            waxseal(&data, &["backup", "--to", file.to_str().unwrap()]);
            over.store(true, Ordering::Relaxed);
            writing.join().unwrap()
        });
        let restored = home.path().join(format!("restored-{round}"));
        waxseal(&restored, &["restore", file.to_str().unwrap()]);
        let second = Launch::on(&restored).set("throttle.source_limit", "0").start();
        for (request, status) in &verdicts {
            outcome.compared += 1;
            let (first, other) = (server.send(request).status, second.send(request).status);
            if first != *status || other != *status {
                outcome.different.push(format!("{request:?}: {first} and {other}, not {status}"));
            }
        }
        // The user who was changed meanwhile has one password, whichever it is.
        let first = u64::from(round) * 1000;
        let works = |number: u64| second.send(&authorize("busy", &format!("password {number}"))).status == 200;
        let working = (first..=changes).filter(|number| works(*number)).count();
        outcome.halves += usize::from(working != 1);
    }
    outcome
}

/// What moving the clock does wrong; nothing, one hopes. Hours and years, in both directions.
pub fn clock() -> Vec<String> {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    let admin = admin_token(&server);
    add_user(&server, &admin, "ann", "right");
    add_user(&server, &admin, "bob", "right");
    server.clock(&json!({ "stopped": true }));
    let issue = || {
        let reply = server.send(&authorize("ann", "right"));
        access_token(&reply)
            .unwrap_or_else(|| panic!("a login is answered with {} {}", reply.status, String::from_utf8_lossy(&reply.body)))
    };
    let mut wrong = Vec::new();
    let mut check = |what: &str, request: &waxseal_core::seam::Request, expected: u16| {
        let status = server.send(request).status;
        if status != expected {
            wrong.push(format!("{what}: {status}, not {expected}"));
        }
    };
    for secs in [3600_i64, 31_536_000] {
        let (expired, revoked) = (issue(), issue());
        check("a token", &verify(&expired), 204);
        assert_eq!(server.send(&revoke(&revoked, &admin)).status, 200);
        check("a revoked token", &verify(&revoked), 401);
        // Five failures lock; the lock ends by itself, whichever way the clock went meanwhile.
        for _ in 0..5 {
            check("a wrong password", &authorize("bob", "wrong"), 401);
        }
        check("a locked user", &authorize("bob", "right"), 401);
        server.clock(&json!({ "advance_secs": secs }));
        check("an expired token", &verify(&expired), 401);
        check("a revoked token, later", &verify(&revoked), 401);
        check("a user whose lock has ended", &authorize("bob", "right"), 200);
        let later = issue();
        check("a later token", &verify(&later), 204);
        // A clock that is set back is not believed: what has ended stays so, and what is good stays good.
        server.clock(&json!({ "advance_secs": -secs }));
        check("a later token, after the clock was set back", &verify(&later), 204);
        check("an expired token, after the clock was set back", &verify(&expired), 401);
        check("a revoked token, after the clock was set back", &verify(&revoked), 401);
        check("a login, after the clock was set back", &authorize("ann", "right"), 200);
        server.clock(&json!({ "advance_secs": -secs }));
        check("a login, before", &authorize("ann", "right"), 200);
        check("a revoked token, before", &verify(&revoked), 401);
        server.clock(&json!({ "advance_secs": secs }));
    }
    if server.log().contains("panicked") {
        wrong.push(server.log());
    }
    wrong
}

/// Sends a request over the owner's socket; status and body.
pub fn admin(data: &Path, method: &str, path: &str, body: &serde_json::Value) -> (u16, String) {
    use std::{
        io::{Read, Write},
        net::Shutdown,
        os::unix::net::UnixStream,
    };
    let body = body.to_string();
    let mut stream = UnixStream::connect(data.join("admin.sock")).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let status = reply.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (status, reply)
}

//! What `torture` runs for long, run for a moment. The figures of long runs stand in `docs/security.md`.

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use core::time::Duration;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use std::{
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};
use waxseal_core::seam::{Method, Request};
use waxseal_tests::{
    client::basic,
    server::{ADMIN, Launch, command, json, scratch},
    torture::{
        api::{add_user, admin_token, authorize, client_from, forged, passwords, verify},
        disk, kill, load, mutate, rotate, secrets, serial, timing,
    },
};

/// One at a time: each wants the machine for itself.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let _alone = alone();
    let outcome = kill::run(8, 8, |_| {});
    assert!(outcome.wrong.is_empty() && outcome.refused_starts == 0, "{}", outcome.wrong.join("\n"));
    assert_eq!(outcome.kills, 8);
    assert!(outcome.acknowledged > 30, "{outcome:?}");
}

#[test]
fn histories_of_racing_clients_have_a_serial_order() {
    let _alone = alone();
    let outcome = serial::run(2, 8);
    assert!(outcome.wrong.is_empty(), "{}", outcome.wrong.join("\n"));
    assert_eq!(outcome.requests, 2 * 56);
    assert!(outcome.given_up < 20, "{outcome:?}");
}

#[test]
fn mutated_requests_get_an_answer_below_500() {
    let _alone = alone();
    for dialect in mutate::DIALECTS {
        let outcome = mutate::run(dialect, 800, 1);
        assert!(outcome.wrong.is_empty(), "{dialect}: {}", outcome.wrong.join("\n"));
        assert!(outcome.answers.len() > 3, "{dialect}: {outcome:?}");
        let most = outcome.memory.0 + outcome.memory.0 / 2;
        assert!(outcome.memory.1 < most, "{dialect}: {outcome:?}");
    }
}

/// Each pause has the workers give their memory back, and each login after it takes some again (security P5).
#[test]
fn memory_does_not_grow_with_pauses_between_logins() {
    let _alone = alone();
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let rest = || thread::sleep(Duration::from_millis(2_300));
    let mut resident = Vec::new();
    for _ in 0..7 {
        assert_eq!(server.send(&authorize(ADMIN.0, ADMIN.1)).status, 200);
        rest();
        resident.push(server.resident() >> 20);
    }
    assert!(resident[6] < resident[0] + 19, "{resident:?} MiB");
}

#[test]
fn a_login_flood_leaves_verification_alone() {
    let _alone = alone();
    let flooded = load::flood(Duration::from_secs(2));
    let workers = std::thread::available_parallelism().unwrap().get() as u64;
    // What a thousand connections and their requests take is in the 64 MiB.
    let most = flooded.memory_before + workers * (19 << 20) + (64 << 20);
    assert!(flooded.memory_most <= most, "{flooded:?}");
    assert!(flooded.answers.keys().all(|status| matches!(status, 401 | 429 | 503)), "{flooded:?}");
    assert!(flooded.answers.contains_key(&503) && flooded.without_retry_after == 0, "{flooded:?}");
    assert!(flooded.recovery < Duration::from_secs(5), "{flooded:?}");
    assert!(flooded.log < 100_000, "the log grows by {} octets in two seconds", flooded.log);
    // On machines that are busy with other things the times say little; the long run looks at them.
    assert!(flooded.meanwhile.p50 < flooded.before.p50 * 20 + Duration::from_millis(20), "{flooded:?}");
}

#[test]
fn stalled_clients_leave_verification_alone() {
    let _alone = alone();
    let stalled = load::stall(300, Duration::from_secs(1));
    assert!(stalled.meanwhile.p50 < stalled.before.p50 * 10 + Duration::from_millis(10), "{stalled:?}");
}

#[test]
fn signals_drop_no_request() {
    let _alone = alone();
    let signalled = load::signal(3, 16);
    assert_eq!((signalled.dropped, signalled.failed), (0, 0), "{signalled:?}");
    assert!(signalled.ended && signalled.answered > 50 && signalled.swapped > 0, "{signalled:?}");
}

#[test]
fn keys_are_rotated_under_load_without_a_failed_request() {
    let _alone = alone();
    for algorithm in ["HS256", "ES256"] {
        let rotated = rotate::keys(algorithm, 3, Duration::from_millis(200));
        assert_eq!(rotated.failed, 0, "{algorithm}: {rotated:?}");
        assert!(rotated.keys >= 3 && rotated.requests > 20, "{algorithm}: {rotated:?}");
    }
}

#[test]
fn a_backup_under_writes_restores_to_identical_verdicts() {
    let _alone = alone();
    let restored = rotate::backup(1);
    assert!(restored.different.is_empty() && restored.halves == 0, "{restored:?}");
    assert!(restored.compared > 10, "{restored:?}");
}

#[test]
fn a_clock_that_jumps_both_ways_revives_and_locks_out_nobody() {
    let _alone = alone();
    let wrong = rotate::clock();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_full_disk_refuses_changes_and_nothing_else() {
    let _alone = alone();
    let wrong = disk::full();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_server_without_descriptors_serves_who_is_there() {
    let _alone = alone();
    let wrong = disk::no_descriptors();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_attempt_takes_as_long_whoever_is_tried() {
    let _alone = alone();
    for told in timing::run(81) {
        // More than five standard deviations of so few attempts; whether it is 0.45 to 0.55 only the long run can tell.
        assert!((0.24..=0.76).contains(&told.auc), "{told:?}");
    }
}

#[test]
fn marked_secrets_are_nowhere_to_be_seen() {
    let _alone = alone();
    let (octets, found) = secrets::run();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(octets > 20_000, "only {octets} octets were looked through");
}

#[test]
fn the_log_says_why_a_token_was_refused() {
    let (_home, data) = scratch();
    let server = Launch::on(data).set("log.format", "json").start();
    let admin = admin_token(&server);
    let reply = server.send(&verify(&forged(&admin)));
    assert_eq!((reply.status, reply.body.len()), (401, 0));
    let id = reply.header("x-request-id").unwrap();
    let refused = || server.log().lines().find(|line| line.contains("token refused")).map(str::to_owned);
    let line = (0..200).find_map(|_| {
        // Written by another process, and read by another thread.
        std::thread::sleep(Duration::from_millis(10));
        refused()
    });
    let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
    let of = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    assert_eq!((of("reason"), of("request"), of("source")), ("bad_signature".into(), id, "127.0.0.1".into()));
    for _ in 0..200 {
        server.send(&verify("a.b.c"));
    }
    let lines = server.log().lines().filter(|line| line.contains("token refused")).count();
    assert!((2..100).contains(&lines), "{lines} lines for 201 bad tokens");
    let metrics = server.send(&Request::new(Method::Get, "/metrics"));
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("waxseal_token_refusals_total{reason=\"bad_signature\"} 1\n"), "{metrics}");
}

/// What stands in the metrics is what happened, and not only a name with a nought.
#[test]
fn what_the_server_does_shows_in_its_metrics() {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    let figure = |name: &str| {
        let text = String::from_utf8(server.send(&Request::new(Method::Get, "/metrics")).body).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<f64>().ok());
        line.unwrap_or_else(|| panic!("{name} is not in:\n{text}"))
    };
    let names = ["waxseal_store_commits_total", "waxseal_kdf_done_total", "waxseal_instances_total"];
    let before = names.map(figure);
    let admin = admin_token(&server);
    add_user(&server, &admin, "ann", "right");
    for (name, before) in names.into_iter().zip(before) {
        assert!(figure(name) > before, "{name} stays at {before}");
    }
    assert!(figure("waxseal_store_commit_seconds_sum") > 0.0);
    for name in ["waxseal_traps_total", "waxseal_panics_total", "waxseal_store_failures_total", "waxseal_audit_lost_total"]
    {
        assert!(figure(name).abs() < f64::EPSILON, "{name}");
    }
}

#[test]
fn a_lock_outlives_a_restart() {
    let (_home, data) = scratch();
    let launch = Launch::on(data);
    let server = launch.start();
    let admin = admin_token(&server);
    add_user(&server, &admin, "ann", "right");
    let status = |server: &waxseal_tests::server::Server, from: usize, password: &str| {
        client_from(server.address, from).send(&authorize("ann", password)).unwrap().status
    };
    for _ in 0..4 {
        assert_eq!(status(&server, 1, "wrong"), 401);
    }
    // Not locked yet, and the four are not forgotten by a crash.
    server.kill();
    let server = launch.start();
    assert_eq!(status(&server, 1, "wrong"), 401);
    assert_eq!(status(&server, 1, "right"), 401);
    server.kill();
    let server = launch.start();
    assert_eq!(status(&server, 1, "right"), 401);
    // Whoever comes from elsewhere is not shut out.
    assert_eq!(status(&server, 2, "right"), 200);
}

/// Also of a login, which goes on in a task and on a thread of its own.
#[test]
fn a_line_of_the_trail_names_its_request() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let reply = server.send(&authorize("nobody", "wrong"));
    assert_eq!(reply.status, 401);
    assert!(server.terminate().success());
    let trail = fs::read_to_string(data.join("audit.log")).unwrap();
    let id = format!("\"request\":\"{}\"", reply.header("x-request-id").unwrap());
    assert!(trail.lines().any(|line| line.contains("bad_credentials") && line.contains(&id)), "{id}: {trail}");
}

#[test]
fn a_changed_trail_is_found_by_the_command() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let admin = admin_token(&server);
    add_user(&server, &admin, "ann", "right");
    server.send(&passwords("POST", "ann", "wrong", Some("x")));
    assert!(server.terminate().success());
    let verdict = || command(&data, &["audit", "verify"]).output().unwrap().status.success();
    assert!(verdict());
    let path = data.join("audit.log");
    let trail = fs::read_to_string(&path).unwrap();
    assert!(trail.lines().count() > 4, "{trail}");
    let changed = trail.replacen("bad_credentials", "bad_kredentials", 1);
    assert_ne!(changed, trail);
    fs::write(&path, changed).unwrap();
    assert!(!verdict());
    let cut: Vec<_> = trail.lines().collect();
    fs::write(&path, format!("{}\n", cut[..cut.len() - 1].join("\n"))).unwrap();
    assert!(!verdict());
    fs::write(&path, &trail).unwrap();
    assert!(verdict());
}

/// What stands before core refuses in the words of the API that was asked all the same.
#[test]
fn a_body_that_cannot_be_read_is_refused_in_the_form_of_its_dialect() {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    let large = "x".repeat(64 * 1024 + 1);
    for (path, media, fields) in [
        ("/v1/users", "application/json", &["/error_code", "/message", "/description"][..]),
        (
            "/broker/rest/user/authorizations",
            "application/json; charset=utf-8",
            &["/status", "/messages/0/text", "/api_version"],
        ),
        ("/_security/oauth2/token", "application/json", &["/error/type", "/error/root_cause/0/reason", "/status"]),
        ("/auth/introspect", "application/json", &["/error", "/error_description"]),
    ] {
        for (status, coding, body, why) in [
            (413, "identity", &*large, "is too large"),
            (415, "br", "{}", "gzip or none"),
            (400, "gzip", "{}", "is not what its Content-Encoding says"),
        ] {
            let request = json("POST", path, &Value::Null).with_body(body).with_header("content-encoding", coding);
            let reply = server.send(&request);
            assert_eq!((reply.status, reply.header("content-type").as_deref()), (status, Some(media)), "{path}");
            assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"), "{path}");
            assert_eq!(reply.header("accept-encoding").as_deref(), (status == 415).then_some("gzip"), "{path}");
            let told = reply.json().unwrap();
            assert!(fields.iter().all(|field| told.pointer(field).is_some()), "{path}: {told}");
            assert!(told.to_string().contains(why) && !told.to_string().contains("internal"), "{path}: {told}");
            crate::openapi::check_reply(&request, &reply).unwrap();
        }
    }
}

#[test]
fn the_server_cannot_be_dumped() {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}

#[test]
fn an_imported_hash_is_upgraded_without_reviving_an_old_password() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    // As made elsewhere: PBKDF2-HMAC-SHA256 with 1,000 iterations, both under one salt.
    let hash = |password: &str| {
        let mac = |data: &[u8]| -> [u8; 32] {
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(password.as_bytes()).unwrap();
            mac.update(data);
            mac.finalize().into_bytes().into()
        };
        let mut block = mac(&[&b"saltsaltsaltsalt"[..], &1_u32.to_be_bytes()].concat());
        let mut sum = block;
        for _ in 1..1000 {
            block = mac(&block);
            sum.iter_mut().zip(block).for_each(|(sum, octet)| *sum ^= octet);
        }
        let text = |octets: &[u8]| BASE64_STANDARD_NO_PAD.encode(octets);
        format!("$pbkdf2-sha256$i=1000,l=32${}${}", text(b"saltsaltsaltsalt"), text(&sum))
    };
    let user = serde_json::json!({ "name": "ann", "role": "db_viewer", "password_hash": [hash("old secret"), hash("other secret")] });
    let made = waxseal_tests::torture::rotate::admin(&data, "POST", "/admin/users", &user);
    assert_eq!(made.0, 201, "{}", made.1);
    let login = |password: &str| server.send(&authorize("ann", password)).status;
    assert_eq!((login("old secret"), login("other secret"), login("wrong")), (200, 200, 401));
    // The first is upgraded by now. It is removed while it is being used: it must not come back with the upgrade.
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (stop, server) = (&stop, &server);
            scope.spawn(move || {
                let mut client = client_from(server.address, 10 + number);
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    client.send(&authorize("ann", "other secret")).unwrap();
                }
            });
        }
        let request = json("DELETE", "/v1/users/password", &serde_json::json!({ "old_password": "old secret" }));
        let removed =
            client_from(server.address, 20).send(&request.with_header("authorization", &basic("ann", "other secret")));
        assert_eq!(removed.unwrap().status, 200);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!((login("old secret"), login("other secret")), (401, 200));
}

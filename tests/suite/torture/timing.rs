//! Can strangers tell by the time of an answer whom they have tried?

use super::{
    Dice,
    api::{add_user, admin_token, as_bearer, authorize, client_from, passwords},
};
use crate::server::{Launch, command, json, scratch};
use core::time::Duration;
use serde_json::json;
use std::time::Instant;

/// How well one kind of attempt can be told from a wrong password of an ordinary user: 0.5 is not at all, 0 and 1 are always.
#[derive(Debug)]
pub struct Told {
    /// Which kind.
    pub kind: &'static str,
    /// The chance that an attempt of this kind takes longer than an ordinary one: the statistic of the rank test, as a share.
    pub auc: f64,
    /// The median time.
    pub median: Duration,
}

/// Stand for other names in each [`STRETCH`].
const NOBODY: &str = "nobody";
const LOCKED: &str = "locked";
const DISABLED: &str = "disabled";
/// How many rounds an account that never logs in is tried: fewer than the failures in a row after which any account is throttled.
const STRETCH: usize = 80;

/// Tries each kind `rounds` times, in an order that changes every round.
pub fn run(rounds: usize) -> Vec<Told> {
    let (_home, data) = scratch();
    let server = Launch::on(&data).set("throttle.source_limit", "0").set("throttle.account_ceiling", "100").start();
    let admin = admin_token(&server);
    // Failures that lie further apart than no time do not add up, so that only who is locked by hand is locked.
    let policy = json!({ "login_lockout_threshold": 0 });
    let set = |policy: &serde_json::Value| {
        assert_eq!(server.send(&as_bearer(json("PUT", "/v1/cluster/policy", policy), &admin)).status, 200);
    };
    set(&policy);
    for name in ["ordinary", "another", "many"] {
        add_user(&server, &admin, name, "right 0");
    }
    let stretches = 0..=rounds / STRETCH;
    let locked: Vec<String> = stretches.clone().map(|stretch| format!("{LOCKED}-{stretch}")).collect();
    let disabled: Vec<String> = stretches.map(|stretch| format!("{DISABLED}-{stretch}")).collect();
    for name in locked.iter().chain(&disabled) {
        add_user(&server, &admin, name, "right 0");
    }
    for name in &disabled {
        assert!(command(&data, &["user", "disable", name]).output().unwrap().status.success());
    }
    for number in 1..16 {
        let new = format!("right {number}");
        assert_eq!(server.send(&passwords("POST", "many", "right 0", Some(&new))).status, 200);
    }
    let mut client = client_from(server.address, 1);
    set(&json!({ "login_lockout_threshold": 2, "login_lockout_duration": 0 }));
    for name in &locked {
        for _ in 0..3 {
            client.send(&authorize(name, "wrong")).unwrap();
        }
    }
    set(&policy);

    let kinds: [(&'static str, &str, &str); 7] = [
        ("wrong password", "ordinary", "wrong"),
        ("wrong password of another", "another", "wrong"),
        ("unknown user", NOBODY, "wrong"),
        ("locked user, right password", LOCKED, "right 0"),
        ("disabled user, right password", DISABLED, "right 0"),
        ("wrong password, list of 16", "many", "wrong"),
        ("long wrong password", "ordinary", &"x".repeat(200)),
    ];
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); kinds.len()];
    let mut dice = Dice::new(5);
    for round in 0..rounds {
        let mut order: Vec<_> = (0..kinds.len()).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, dice.roll(at + 1));
        }
        for kind in order {
            let (_, name, password) = kinds[kind];
            let stretch = round / STRETCH;
            let name = &match name {
                NOBODY | LOCKED | DISABLED => format!("{name}-{stretch}"),
                name => name.to_owned(),
            };
            let begun = Instant::now();
            let status = client.send(&authorize(name, password)).unwrap().status;
            let took = begun.elapsed();
            assert_eq!(status, 401, "{name}");
            if round > 0 {
                times[kind].push(took);
            }
        }
        if round % 20 == 19 {
            // Ends runs of failures, before any account is throttled for them.
            for name in ["ordinary", "another", "many"] {
                assert_eq!(client.send(&authorize(name, "right 0")).unwrap().status, 200);
            }
        }
    }
    let ordinary = times[0].clone();
    kinds
        .iter()
        .zip(&mut times)
        .skip(1)
        .map(|((kind, ..), times)| {
            let auc = auc(times, &ordinary);
            times.sort_unstable();
            Told { kind, auc, median: times[times.len() / 2] }
        })
        .collect()
}

/// The share of pairs in which the first is the longer one; half of those that are equal.
fn auc(some: &[Duration], others: &[Duration]) -> f64 {
    let longer: f64 = some
        .iter()
        .flat_map(|one| others.iter().map(move |other| one.cmp(other)))
        .map(|order| match order {
            core::cmp::Ordering::Less => 0.0,
            core::cmp::Ordering::Equal => 0.5,
            core::cmp::Ordering::Greater => 1.0,
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let pairs = (some.len() * others.len()) as f64;
    longer / pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_test_tells_what_differs() {
        let millis = |range: core::ops::Range<u64>| range.map(Duration::from_millis).collect::<Vec<_>>();
        let check = |some: &[Duration], others: &[Duration], expected: f64| {
            assert!((auc(some, others) - expected).abs() < 1e-9, "{}", auc(some, others));
        };
        check(&millis(0..10), &millis(0..10), 0.5);
        check(&millis(10..20), &millis(0..10), 1.0);
        check(&millis(0..10), &millis(10..20), 0.0);
    }
}

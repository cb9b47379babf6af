//! Logins against bare Argon2id jobs on the same cores.

use super::{
    load::Load,
    seed::Subject,
    table::{Row, heading},
};
use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{thread, time::Instant};
use waxseal_core::{
    password::{self, Memory, Scheme},
    seam::Derivation,
};
use waxseal_tests::{client::basic, server::ADMIN};

const ROUNDS: usize = 5;
const SECONDS: u32 = 3;

pub(crate) fn measure() {
    heading("Logins (Argon2id m=19456 t=2 p=1), 16 connections");
    let subject = Subject::start();
    let login = Load {
        address: subject.server.address,
        method: "POST",
        path: "/v1/users/authorize",
        headers: vec![("Authorization", basic(ADMIN.0, ADMIN.1))],
        body: "",
    };
    let [mut share, mut rate, mut limit] = [Row::default(), Row::default(), Row::default()];
    for _ in 0..ROUNDS {
        let bare = bare();
        let reached = login.rate(16, SECONDS);
        share.push(reached / bare);
        rate.push(reached);
        limit.push(bare);
    }
    limit.show("bare Argon2id jobs, one thread per core, memory reused", "/s", 1);
    rate.show("POST /v1/users/authorize", "/s", 1);
    share.show("share of the bare jobs", "≥ 0.95", 2);
}

/// Derivations per second of nothing but derivations.
fn bare() -> f64 {
    let (done, length) = (AtomicU64::new(0), Duration::from_secs(SECONDS.into()));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let derivation = Derivation {
                    scheme: Scheme::default(),
                    salt: vec![5; 16],
                    password: b"Grey-Heron 27 lantern".to_vec().into(),
                };
                let mut memory = Memory::default();
                while began.elapsed() < length {
                    password::derive(&derivation, &mut memory).unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let done = done.into_inner() as f64;
    done / began.elapsed().as_secs_f64()
}

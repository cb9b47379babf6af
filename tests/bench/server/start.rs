//! Start, memory and size, with 100,000 users.

use super::{
    load::Load,
    seed::{Subject, admin_token},
    table::{Row, heading},
};
use std::{fs, time::Instant};
use waxseal_core::seam::{Method, Request};
use waxseal_tests::server::{Launch, binary};

const STARTS: usize = 9;
const USERS: u32 = 100_000;

pub(crate) fn measure() {
    heading("Start, memory and size, with 100,000 users in the store");
    let subject = Subject::with_users(USERS);
    let (data, home) = subject.stop();
    let mut ready = Row::default();
    for _ in 0..STARTS {
        let began = Instant::now();
        let server = Launch::on(&data).start();
        assert_eq!(server.send(&Request::new(Method::Get, "/readyz")).status, 200);
        ready.push(began.elapsed().as_secs_f64() * 1e3);
        server.terminate();
    }
    ready.show("process start to the first answer of /readyz", "ms ≤ 60", 0);

    let server = Launch::on(&data).start();
    assert_eq!(server.send(&Request::new(Method::Get, "/readyz")).status, 200);
    let mut memory = vec![("resident memory, ready", server.resident())];
    let bearer = format!("Bearer {}", admin_token(&server));
    let mixed = |times: u32| {
        for path in ["/auth/verify", "/v1/users/1", "/v1/users/90000", "/v1/cluster", "/nowhere-to-be-found"] {
            let headers = vec![("Authorization", bearer.clone())];
            let load = Load { address: server.address, method: "GET", path, headers, body: "" };
            if path == "/nowhere-to-be-found" {
                for _ in 0..times / 50 {
                    server.send(&Request::new(Method::Get, path));
                }
            } else {
                // About as many requests as asked for, whatever the machine's speed.
                let mut sent = 0.0;
                while sent < f64::from(times / 5) {
                    sent += load.rate(16, 1);
                }
            }
        }
    };
    mixed(10_000);
    memory.push(("resident memory, after 10,000 requests or more", server.resident()));
    mixed(100_000);
    memory.push(("resident memory, after 100,000 more or more", server.resident()));
    for (name, octets) in memory {
        megabytes(name, octets, "MB ≤ 40");
    }
    megabytes("store", fs::metadata(data.join("store.redb")).unwrap().len(), "MB");
    megabytes("release binary, stripped", fs::metadata(binary()).unwrap().len(), "MB ≤ 20");
    drop(home);
}

fn megabytes(name: &str, octets: u64, unit: &str) {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let megabytes = octets as f64 / 1e6;
    println!("{name:<58} {megabytes:>10.1} {unit}");
}

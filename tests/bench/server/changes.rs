//! Durable changes against the disk.

use super::{
    load::Load,
    seed::{Subject, session},
    table::{Row, heading},
};
use core::time::Duration;
use std::{fs::OpenOptions, io::Write, path::Path, time::Instant};

const ROUNDS: usize = 7;
const SECONDS: u32 = 2;

pub(crate) fn measure() {
    heading("Durable changes: POST /broker/rest/user/authorizations with a token, so without a derivation");
    let subject = Subject::start();
    let bearer = format!("Bearer {}", session(&subject.server));
    let add = Load {
        address: subject.server.address,
        method: "POST",
        path: "/broker/rest/user/authorizations",
        headers: vec![("Authorization", bearer), ("Content-Type", "application/x-www-form-urlencoded".into())],
        body: "scope=userinfo",
    };
    let [mut limit, mut one, mut many, mut share, mut gain] = <[Row; 5]>::default();
    for _ in 0..ROUNDS {
        let bare = bare(subject.home());
        let (alone, together) = (add.rate(1, SECONDS), add.rate(32, SECONDS));
        limit.push(bare);
        one.push(alone);
        many.push(together);
        share.push(alone / bare);
        gain.push(together / alone);
    }
    limit.show("write of 300 octets and fdatasync", "/s", 0);
    one.show("1 client", "/s", 0);
    many.show("32 clients", "/s", 0);
    share.show("1 client, share of the disk", "≥ 0.4", 2);
    gain.show("32 clients against 1", "≥ 4 x", 1);
}

/// Appends with a sync after each, per second.
fn bare(home: &Path) -> f64 {
    let mut file = OpenOptions::new().create(true).append(true).open(home.join("bare")).unwrap();
    let (began, mut done) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(SECONDS.into()) {
        file.write_all(&[7; 300]).unwrap();
        file.sync_data().unwrap();
        done += 1;
    }
    f64::from(done) / began.elapsed().as_secs_f64()
}

//! A server whose disk is full, and one that is out of file descriptors.

use super::api::{access_token, add_user, admin_token, authorize, client_from, never_lock, passwords, verify};
use crate::server::{Launch, Server, scratch};
use core::time::Duration;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::{fs, net::TcpStream, thread, time::Instant};

/// What went wrong; nothing, one hopes.
pub type Wrong = Vec<String>;

/// Sets the soft limit; `None` lifts it as far as the hard one goes.
fn limit(server: &Server, resource: Resource, most: Option<u64>) {
    let name = if resource == Resource::Fsize { "Max file size" } else { "Max open files" };
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    // `unlimited` is no number, and none is what it means.
    let maximum = line.split_whitespace().nth(1).unwrap().parse().ok();
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap());
    prlimit(pid, resource, Rlimit { current: most.or(maximum), maximum }).unwrap();
}

/// Lets no file of the server grow: changes are refused with 503, verification goes on, and all is well once files may grow
/// again. The limit on file sizes gives the same errors as a full disk, and needs no privileges.
pub fn full() -> Wrong {
    let (_home, data) = scratch();
    let launch = Launch::on(&data).set("throttle.source_limit", "0");
    let mut server = launch.start();
    let admin = admin_token(&server);
    never_lock(&server, &admin);
    add_user(&server, &admin, "ann", "password 0");
    let mut wrong = Wrong::new();
    let mut client = client_from(server.address, 1);
    let mut current = 0;
    let text = |number: u32| format!("password {number}");
    for round in 0..3 {
        limit(&server, Resource::Fsize, Some(0));
        let mut refused = 0;
        for _ in 0..4 {
            let reply = client.send(&passwords("PUT", "ann", &text(current), Some(&text(current + 1)))).unwrap();
            match reply.status {
                // What the log has room for may go through until the store's file is written.
                200 => current += 1,
                503 if reply.header("retry-after").is_some() => refused += 1,
                status => wrong.push(format!("round {round}: a change is answered with {status}")),
            }
            for _ in 0..20 {
                let status = client.send(&verify(&admin)).unwrap().status;
                if status != 204 {
                    wrong.push(format!("round {round}: a verification is answered with {status}"));
                }
            }
        }
        if refused == 0 {
            wrong.push(format!("round {round}: no change was refused, so nothing was tried"));
        }
        limit(&server, Resource::Fsize, None);
        let begun = Instant::now();
        loop {
            let reply = client.send(&passwords("PUT", "ann", &text(current), Some(&text(current + 1)))).unwrap();
            match reply.status {
                200 => break current += 1,
                503 if begun.elapsed() < Duration::from_secs(5) => thread::sleep(Duration::from_millis(50)),
                status => {
                    wrong.push(format!("round {round}: {status} after the disk had space again"));
                    return wrong;
                }
            }
        }
    }
    if current > 0 && client.send(&authorize("ann", &text(current - 1))).unwrap().status != 401 {
        wrong.push("a replaced password works".into());
    }
    server.kill();
    server = launch.start();
    let status = server.send(&authorize("ann", &text(current))).status;
    if status != 200 {
        wrong.push(format!("after a restart the last password is answered with {status}"));
    }
    if server.send(&verify(&admin)).status != 204 {
        wrong.push("after a restart a token is refused".into());
    }
    wrong
}

/// Leaves the server no file descriptors: clients that are connected go on, and new ones are taken once there are some again.
pub fn no_descriptors() -> Wrong {
    let (_home, data) = scratch();
    let server = Launch::on(&data).set("throttle.source_limit", "0").start();
    let admin = admin_token(&server);
    let mut wrong = Wrong::new();
    let mut client = client_from(server.address, 1);
    assert_eq!(client.send(&verify(&admin)).unwrap().status, 204);
    let used = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count() as u64;
    limit(&server, Resource::Nofile, Some(used + 4));
    let crowd: Vec<_> = (0..64).filter_map(|_| TcpStream::connect(server.address).ok()).collect();
    thread::sleep(Duration::from_millis(200));
    for _ in 0..50 {
        let status = client.send(&verify(&admin)).unwrap().status;
        if status != 204 {
            wrong.push(format!("a verification is answered with {status}"));
        }
    }
    let reply = client.send(&authorize(crate::server::ADMIN.0, crate::server::ADMIN.1)).unwrap();
    if access_token(&reply).is_none() {
        wrong.push(format!("a login is answered with {}", reply.status));
    }
    drop(crowd);
    limit(&server, Resource::Nofile, None);
    let begun = Instant::now();
    let taken = loop {
        match client_from(server.address, 2).send(&verify(&admin)) {
            Ok(reply) if reply.status == 204 => break true,
            _ if begun.elapsed() > Duration::from_secs(10) => break false,
            _ => thread::sleep(Duration::from_millis(50)),
        }
    };
    if !taken {
        wrong.push("no new connection was taken after there were descriptors again".into());
    }
    wrong
}

//! No secret stays behind in the server's memory (security S4): the server of this very binary is run, and its memory searched.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use core::time::Duration;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::{fs::FileExt, net::UnixStream},
    panic,
    path::Path,
    thread,
    time::Instant,
};

/// What a needle is masked with, so that the search does not find itself.
const MASK: u8 = 0xa5;

/// A text to search for that is not itself in memory.
struct Needle {
    what: &'static str,
    masked: Vec<u8>,
}

impl Needle {
    fn new(what: &'static str, text: &str) -> Self {
        Self { what, masked: text.bytes().map(|octet| octet ^ MASK).collect() }
    }
}

/// How often each needle lies in the memory of this process that can be written to.
fn found(needles: &[Needle]) -> Vec<(&'static str, usize)> {
    let memory = File::open("/proc/self/mem").unwrap();
    let mut counts: Vec<_> = needles.iter().map(|needle| (needle.what, 0)).collect();
    let mut chunk = vec![0; 1 << 20];
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut columns = line.split_whitespace();
        let (range, access) = (columns.next().unwrap(), columns.next().unwrap());
        if !access.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let (mut at, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        while at < end {
            let length = chunk.len().min(usize::try_from(end - at).unwrap());
            let Ok(read @ 1..) = memory.read_at(&mut chunk[..length], at) else { break };
            chunk[..read].iter_mut().for_each(|octet| *octet ^= MASK);
            for (needle, (_, count)) in needles.iter().zip(&mut counts) {
                *count += memchr::memmem::find_iter(&chunk[..read], &needle.masked).count();
            }
            // What it holds now is unmasked, and it is part of this memory, too.
            chunk.fill(0);
            at += read as u64;
        }
    }
    counts
}

fn send(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Type: application/json\r\nContent-Length: \
         {}\r\n\r\n{body}",
        body.len()
    )
}

/// Runs `waxseal serve` in this process, for as long as it lives.
fn serve(data: &Path) -> SocketAddr {
    // Free until a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = ["waxseal", "serve", "--data", data.to_str().unwrap(), "--listen", &address.to_string()].map(Into::into);
    thread::spawn(|| waxseal::cli::run(line));
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the server does not start");
        thread::sleep(Duration::from_millis(20));
    }
    // It forbids to look into its memory, and to say why something failed.
    drop(panic::take_hook());
    set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    address
}

#[test]
fn no_secret_stays_in_memory_after_its_request() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let address = serve(&data);
    let mut seed = [0; 12];
    getrandom::fill(&mut seed).unwrap();
    let mut needles = Vec::new();
    {
        let password = format!("Pw-{}", BASE64_STANDARD.encode(seed));
        let basic = BASE64_STANDARD.encode(format!("ann:{password}"));
        needles.push(Needle::new("password", &password));
        needles.push(Needle::new("Basic header", &basic));
        assert!(found(&needles).iter().all(|(_, count)| *count > 0), "the search finds nothing");

        let user = format!(r#"{{"name": "ann", "role": "admin", "password": "{password}"}}"#);
        let made = send(UnixStream::connect(data.join("admin.sock")).unwrap(), &post("/admin/users", "", &user));
        assert!(made.starts_with("HTTP/1.1 201 "), "{made}");
        let ask = |path: &str, header: &str, body: &str, status: &str| {
            let answer = send(TcpStream::connect(address).unwrap(), &post(path, header, body));
            assert_eq!(answer.get(..13), Some(&*format!("HTTP/1.1 {status} ")), "{path}: {answer}");
            answer
        };
        let header = format!("Authorization: Basic {basic}\r\n");
        let redis = ask("/v1/users/authorize", &header, "", "200");
        let token = redis.split('"').find(|text| text.starts_with("eyJ")).unwrap();
        needles.push(Needle::new("token", token));
        ask("/v1/users/refresh_jwt", &format!("Authorization: JWT {token}\r\n"), "", "200");
        ask("/broker/rest/user/authorizations", &header, r#"{"scope": "session"}"#, "201");
        let grant =
            |password: &str| format!(r#"{{"grant_type": "password", "username": "ann", "password": "{password}"}}"#);
        ask("/_xpack/security/oauth2/token", &header, &grant(&password), "200");
        let wrong = password.replace("Pw-", "pW-");
        needles.push(Needle::new("wrong password", &wrong));
        ask("/_xpack/security/oauth2/token", "", &grant(&wrong), "401");
        let change = format!(r#"{{"old_password": "{password}", "new_password": "{wrong}"}}"#);
        ask("/v1/users/password", &header, &change, "200");
    }
    // The server ends its side of a connection a moment after the client has seen the end.
    let begun = Instant::now();
    while found(&needles).iter().any(|(_, count)| *count > 0) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", found(&needles));
        thread::sleep(Duration::from_millis(50));
    }
}

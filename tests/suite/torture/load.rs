//! Floods of logins and crowds of stalled clients, and how much token verification they leave room for.

use super::api::{access_token, add_user, address, admin_token, authorize, client_from, never_lock, verify};
use crate::{
    client::{CrowdClient, basic},
    server::{Launch, Server, command, scratch},
};
use core::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Instant,
};
use tokio::{runtime::Builder, task::JoinSet, time::sleep_until};

/// How long one verification took, over many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// Verifications.
    pub count: usize,
    /// Half took no longer.
    pub p50: Duration,
    /// One of a hundred took longer.
    pub p99: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Latency {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        Self { count: times.len(), p50: at(50), p99: at(99), longest: times.last().copied().unwrap_or_default() }
    }
}

/// Verifies `token` on two connections, one request every other millisecond on each, for as long as `work` takes. A proxy that
/// asks at its own pace is what is measured, not how fast two connections can be kept busy.
fn verifying<T>(server: &Server, token: &str, work: impl FnOnce() -> T) -> (T, Latency) {
    let over = AtomicBool::new(false);
    let times = Mutex::new(Vec::new());
    let result = thread::scope(|scope| {
        for number in 0..2 {
            let (over, times) = (&over, &times);
            scope.spawn(move || {
                let mut client = client_from(server.address, 5000 + number);
                let mut own = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let reply = client.send(&verify(token)).unwrap();
                    own.push(begun.elapsed());
                    assert_eq!(reply.status, 204);
                    thread::sleep(Duration::from_millis(2));
                }
                times.lock().unwrap().append(&mut own);
            });
        }
        let result = work();
        over.store(true, Ordering::Relaxed);
        result
    });
    (result, Latency::of(times.into_inner().unwrap()))
}

/// What came of stalled clients.
#[derive(Debug)]
pub struct Stalled {
    /// How many there were.
    pub clients: usize,
    /// Verification before.
    pub before: Latency,
    /// Verification meanwhile.
    pub meanwhile: Latency,
}

/// `clients` connections of which a third says nothing, a third sends its head an octet at a time, and a third its body.
pub fn stall(clients: usize, time: Duration) -> Stalled {
    allow_many_files();
    let (_home, data) = scratch();
    let server = Launch::on(data).set("server.max_connections", "10000").start();
    let token = admin_token(&server);
    let ((), before) = verifying(&server, &token, || thread::sleep(time));
    let mut crowd: Vec<_> = (0..clients).map(|number| Dripping::new(&server, number)).collect();
    let ((), meanwhile) = verifying(&server, &token, || {
        let begun = Instant::now();
        // Each drips every 100 ms or so, and not all at once: they know nothing of each other.
        let slice = crowd.len().div_ceil(20).max(1);
        while begun.elapsed() < time {
            for some in crowd.chunks_mut(slice) {
                some.iter_mut().for_each(Dripping::drip);
                thread::sleep(Duration::from_millis(5));
            }
        }
    });
    Stalled { clients, before, meanwhile }
}

/// Lets this process and its servers have as many connections as they may.
fn allow_many_files() {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).unwrap();
}

struct Dripping {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Dripping {
    fn new(server: &Server, number: usize) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut rest: Vec<u8> = match number % 3 {
            0 => Vec::new(),
            1 => format!("GET /auth/verify HTTP/1.1\r\nhost: a\r\nx-filler: {}", "x".repeat(4000)).into(),
            _ => {
                let mut stream = &stream;
                let head = "POST /v1/users/authorize HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n";
                stream.write_all(head.as_bytes()).unwrap();
                vec![b' '; 4999]
            }
        };
        rest.reverse();
        Self { stream, rest }
    }

    fn drip(&mut self) {
        if let Some(octet) = self.rest.pop() {
            // The server may have had enough of it.
            let _ = self.stream.write(&[octet]);
        }
    }
}

/// What came of a flood.
#[derive(Debug)]
pub struct Flooded {
    /// Logins a second that the server computes, alone.
    pub capacity: f64,
    /// Logins a second that were sent.
    pub offered: f64,
    /// Answers by status.
    pub answers: BTreeMap<u16, u64>,
    /// 429 and 503 without `Retry-After`.
    pub without_retry_after: u64,
    /// Resident memory before, and at most, in octets.
    pub memory_before: u64,
    /// At most, meanwhile.
    pub memory_most: u64,
    /// Verification before.
    pub before: Latency,
    /// Verification meanwhile.
    pub meanwhile: Latency,
    /// From the flood's last answer until a login was answered within a second. That answer comes when the queue has been worked off,
    /// at most some two seconds after the last of its requests.
    pub recovery: Duration,
    /// Octets that the log has grown by.
    pub log: usize,
}

/// Logins at ten times what the server can compute, under names that are there and names that are not.
pub fn flood(time: Duration) -> Flooded {
    allow_many_files();
    let (_home, data) = scratch();
    let server = Launch::on(data).set("throttle.source_limit", "0").start();
    let admin = admin_token(&server);
    never_lock(&server, &admin);
    for number in 0..8 {
        add_user(&server, &admin, &format!("user-{number}"), "right");
    }
    let capacity = capacity(&server);
    let ((), before) = verifying(&server, &admin, || thread::sleep(time));
    let memory_before = server.resident();
    let log_before = server.log().len();

    // So many that each has its answer before its next turn, even one that waits for its derivation.
    let crowd = Arc::new(Crowd::of(1000, 10.0 * capacity));
    let mut memory_most = 0;
    let meanwhile = thread::scope(|scope| {
        let (connected, are_connected) = mpsc::channel();
        let (crowd, address) = (&crowd, server.address);
        scope.spawn(move || crowd.log_in(address, &connected));
        are_connected.recv().unwrap();
        let ((), meanwhile) = verifying(&server, &admin, || {
            let begun = Instant::now();
            while begun.elapsed() < time {
                memory_most = memory_most.max(server.resident());
                thread::sleep(Duration::from_millis(20));
            }
            crowd.over.store(true, Ordering::Relaxed);
        });
        meanwhile
    });
    let recovery = recover(&server);
    let offered = crowd.sent.load(Ordering::Relaxed);
    let answers = core::mem::take(&mut *crowd.answers.lock().unwrap());
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    Flooded {
        capacity,
        offered: offered as f64 / time.as_secs_f64(),
        answers,
        without_retry_after: crowd.without_retry_after.load(Ordering::Relaxed),
        memory_before,
        memory_most,
        before,
        meanwhile,
        recovery,
        log: server.log().len() - log_before,
    }
}

/// How long it takes until a login is answered within a second.
fn recover(server: &Server) -> Duration {
    let ended = Instant::now();
    let mut client = client_from(server.address, 9999);
    loop {
        let begun = Instant::now();
        let answered = client.send(&authorize("user-0", "right")).is_ok_and(|reply| reply.status == 200);
        if answered && begun.elapsed() < Duration::from_secs(1) {
            return ended.elapsed();
        }
        assert!(ended.elapsed() < Duration::from_mins(1), "the server does not recover");
    }
}

/// Clients that log in with wrong passwords, each in turn at its own pace.
#[derive(Debug, Default)]
struct Crowd {
    clients: u32,
    pause: Duration,
    over: AtomicBool,
    sent: AtomicU64,
    without_retry_after: AtomicU64,
    answers: Mutex<BTreeMap<u16, u64>>,
}

impl Crowd {
    /// `clients` that send `rate` logins a second together.
    fn of(clients: u32, rate: f64) -> Self {
        Self { clients, pause: Duration::from_secs_f64(f64::from(clients) / rate), ..Self::default() }
    }

    /// Begins once it has told that all are connected, and goes on until it is over. They are all on this thread, as they share the
    /// cores with what is measured.
    fn log_in(self: &Arc<Self>, server: SocketAddr, connected: &mpsc::Sender<()>) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let connect = |number: u32| CrowdClient::new(server, address(number.try_into().unwrap())).unwrap();
            let clients: Vec<_> = (0..self.clients).map(|number| (number, connect(number))).collect();
            connected.send(()).unwrap();
            let all = clients.into_iter().map(|(number, client)| Arc::clone(self).one_logs_in(client, number));
            all.collect::<JoinSet<()>>().join_all().await;
        });
    }

    async fn one_logs_in(self: Arc<Self>, client: CrowdClient, number: u32) {
        let request = authorize(&format!("user-{}", number % 16), "wrong");
        // A rate, and not all of them at the same moment again and again.
        let mut turn = Instant::now() + self.pause * number / self.clients;
        loop {
            sleep_until(turn.into()).await;
            turn += self.pause;
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
            let reply = client.send(&request).await.unwrap();
            if matches!(reply.status, 429 | 503) && reply.header("retry-after").is_none() {
                self.without_retry_after.fetch_add(1, Ordering::Relaxed);
            }
            *self.answers.lock().unwrap().entry(reply.status).or_insert(0) += 1;
        }
    }
}

/// Logins a second, from four clients that wait for each answer.
fn capacity(server: &Server) -> f64 {
    let begun = Instant::now();
    let each = 12;
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                let mut client = client_from(server.address, number);
                for _ in 0..each {
                    assert!(access_token(&client.send(&authorize("user-1", "right")).unwrap()).is_some());
                }
            });
        }
    });
    f64::from(4 * each) / begun.elapsed().as_secs_f64()
}

/// A text of the rules: what the Redis dialect says to who has no credentials.
pub const TEXT: &str = "missing or wrong credentials";

/// A configuration that names a module beside the data, which says `text` instead of [`TEXT`] and does all else as the one in the binary.
pub fn other_module(data: &Path, text: &str) -> String {
    assert_eq!(text.len(), TEXT.len());
    let file = |name: &str| data.with_file_name(name);
    let (own, other) = (file("own.module"), file(&format!("{}.module", text.replace(' ', "-"))));
    let exported = command(data, &["module", "export", "--json", "--to", own.to_str().unwrap()]).output().unwrap();
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let mut octets = fs::read(&own).unwrap();
    fs::remove_file(&own).unwrap();
    let mut at = 0;
    while let Some(found) = octets[at..].windows(TEXT.len()).position(|part| part == TEXT.as_bytes()) {
        at += found + TEXT.len();
        octets[at - TEXT.len()..at].copy_from_slice(text.as_bytes());
    }
    assert_ne!(at, 0, "the module has no such text");
    fs::write(&other, &octets).unwrap();
    let sha256 = Sha256::digest(&octets).iter().fold(String::new(), |digits, octet| format!("{digits}{octet:02x}"));
    format!("[engine]\nmodule = {:?}\nmodule_sha256 = \"{sha256}\"\n", other.display().to_string())
}

/// What came of signals.
#[derive(Debug, Default)]
pub struct Signalled {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were in the server when the signal came and got no answer.
    pub dropped: u64,
    /// Answers with 5xx.
    pub failed: u64,
    /// How often another module took over.
    pub swapped: usize,
    /// Whether the server ended as it was told to.
    pub ended: bool,
}

/// SIGHUP `times` times under load, each time with the other of two modules, then SIGTERM while `waiting` logins wait for their turn.
pub fn signal(times: u32, waiting: usize) -> Signalled {
    let (_home, data) = scratch();
    let server = Launch::on(&data).set("throttle.source_limit", "0").start();
    let admin = admin_token(&server);
    never_lock(&server, &admin);
    add_user(&server, &admin, "ann", "right");
    let configuration = data.join("waxseal.toml");
    let modules = ["missing or WRONG credentials", "MISSING or wrong credentials"].map(|text| other_module(&data, text));
    let (over, answered, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let mut outcome = Signalled::default();
    thread::scope(|scope| {
        for number in 0..4 {
            let (over, answered, failed, server, admin) = (&over, &answered, &failed, &server, &admin);
            scope.spawn(move || {
                let mut client = client_from(server.address, number);
                while !over.load(Ordering::Relaxed) {
                    let request = if number == 0 { authorize("ann", "right") } else { verify(admin) };
                    let status = client.send(&request).unwrap().status;
                    answered.fetch_add(1, Ordering::Relaxed);
                    failed.fetch_add(u64::from(status >= 300), Ordering::Relaxed);
                }
            });
        }
        for time in 0..times {
            thread::sleep(Duration::from_millis(100));
            fs::write(&configuration, &modules[time as usize % 2]).unwrap();
            server.signal(rustix::process::Signal::HUP);
        }
        thread::sleep(Duration::from_millis(200));
        over.store(true, Ordering::Relaxed);
    });
    outcome.failed = failed.into_inner();
    outcome.answered = answered.into_inner();
    outcome.swapped = server.log().matches("answered by the module").count();

    let mut streams: Vec<_> = (0..waiting)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            let login = basic("ann", "right");
            let head = format!(
                "POST /v1/users/authorize HTTP/1.1\r\nhost: a\r\nauthorization: {login}\r\ncontent-length: 0\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream
        })
        .collect();
    // All of them are in the server now, and most of them wait: a derivation takes 15 ms at least.
    thread::sleep(Duration::from_millis(50));
    outcome.ended = server.terminate().success();
    for stream in &mut streams {
        let mut reply = Vec::new();
        match stream.read_to_end(&mut reply) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("no answer and no end: {error}"),
            _ if reply.starts_with(b"HTTP/1.1 200") => outcome.answered += 1,
            _ => outcome.dropped += 1,
        }
    }
    outcome
}

//! The server binary as a child process.

use crate::{
    client::{Client, Reply},
    leaks,
};
use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Instant,
};
use tempfile::TempDir;
use waxseal_core::seam::{Method, Request};

/// The first administrator of every server that [`Launch`] starts.
pub const ADMIN: (&str, &str) = ("admin", "Grey-Heron 27 lantern");

/// How long a server may take to listen, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// The server binary: `WAXSEAL_BIN`, else the one that cargo has built beside the running test.
pub fn binary() -> PathBuf {
    let beside = || {
        let test = env::current_exe().unwrap();
        test.ancestors().nth(2).unwrap().join("waxseal")
    };
    let binary = env::var_os("WAXSEAL_BIN").map_or_else(beside, PathBuf::from);
    assert!(binary.is_file(), "there is no server at `{}`; run `cargo build --package waxseal`", binary.display());
    binary
}

/// `waxseal ARGS`, for a data directory.
pub fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).env("WAXSEAL_DATA", data).stdin(Stdio::null());
    command
}

/// How to start a server.
pub struct Launch {
    data: PathBuf,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    reads_log: bool,
}

impl Launch {
    /// A server on a free loopback port, with its data in `data`, [`ADMIN`] as its first administrator, and a clock that can be
    /// moved.
    pub fn on(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            args: ["--listen", "127.0.0.1:0", "--testing"].map(String::from).into(),
            environment: vec![
                ("WAXSEAL_ADMIN_NAME".into(), ADMIN.0.into()),
                ("WAXSEAL_ADMIN_PASSWORD".into(), ADMIN.1.into()),
            ],
            reads_log: true,
        }
    }

    /// With one more setting, as `--set`.
    #[must_use]
    pub fn set(mut self, path: &str, value: &str) -> Self {
        self.args.push(format!("--set={path}={value}"));
        self
    }

    /// With one more environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Without an environment variable that [`Launch::on`] sets.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// With nobody who reads its log until [`Server::read_log`].
    #[must_use]
    pub const fn unread(mut self) -> Self {
        self.reads_log = false;
        self
    }

    /// Starts it; returns once it listens.
    pub fn start(&self) -> Server {
        match self.try_start() {
            Ok(server) => server,
            Err(why) => panic!("the server did not start: {why}"),
        }
    }

    /// Starts it; `Err` with what it said if it ends before it listens.
    pub fn try_start(&self) -> Result<Server, String> {
        let mut child = command(&self.data, &["serve"])
            .args(&self.args)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (unread, read) = channel();
        let unread = (!self.reads_log).then_some(unread);
        let (log, rest_of_log) = collect(child.stderr.take().unwrap(), read);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = String::new();
        let listening = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said.push_str(&line);
            said.push('\n');
            let (_, address) = line.strip_prefix("Waxseal listens on ")?.split_once("://")?;
            address.parse::<SocketAddr>().ok()
        });
        let Some(address) = listening else {
            let status = child.wait().unwrap();
            drop(unread);
            rest_of_log.join().unwrap();
            return Err(format!("{status}: {said}{}", log.text()));
        };
        let out = Output(Arc::new(Mutex::new(said.into_bytes())));
        let rest = out.clone();
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.push(format!("{line}\n").as_bytes());
            }
        });
        Ok(Server { child, data: self.data.clone(), address, out, reader: Some(reader), log, unread })
    }
}

/// A running server; killed when dropped, and then nothing secret may stand in what it has written.
pub struct Server {
    child: Child,
    data: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    out: Output,
    /// Reads what it writes to standard output, to the end.
    reader: Option<JoinHandle<()>>,
    log: Output,
    /// While it is there, nobody reads the log.
    unread: Option<Sender<()>>,
}

impl Server {
    /// A client from 127.0.0.1.
    pub fn client(&self) -> Client {
        Client::new(self.address, Ipv4Addr::LOCALHOST)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output so far.
    pub fn out(&self) -> String {
        self.out.text()
    }

    /// What it has written to standard output once `part` is among it.
    pub fn until(&self, part: &str) -> String {
        let begun = Instant::now();
        loop {
            let out = self.out();
            if out.contains(part) {
                return out;
            }
            assert!(begun.elapsed() < PATIENCE, "`{part}` is not said: {out}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it has written to standard error so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Has somebody read the log from now on.
    pub fn read_log(&mut self) {
        self.unread = None;
    }

    /// Resident memory in octets.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().unwrap();
        kib * 1024
    }

    /// Ends it as a crash would, with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as an operator would, with SIGTERM; its exit status.
    pub fn terminate(mut self) -> ExitStatus {
        self.end()
    }

    /// Ends it likewise; all that it has ever written to standard output.
    pub fn last_out(mut self) -> String {
        self.end();
        self.reader.take().unwrap().join().unwrap();
        self.out()
    }

    fn end(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Moves or stops the clock: the body of `PUT /testing/clock`.
    pub fn clock(&self, change: &Value) {
        let reply = self.client().send(&json("PUT", "/testing/clock", change)).unwrap();
        assert_eq!(reply.status, 200, "the clock cannot be set to {change}");
    }

    /// Sends one request on a connection of its own.
    pub fn send(&self, request: &Request) -> Reply {
        self.client().send(request).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let trail = fs::read(self.data.join("audit.log")).unwrap_or_default();
        let found =
            [self.log.text(), String::from_utf8_lossy(&trail).into_owned()].map(|text| leaks::found(self.address, &text));
        leaks::forget(self.address);
        if !thread::panicking() {
            assert_eq!(found, [None, None], "secrets in the log or the audit trail");
        }
    }
}

/// A request with a JSON body.
pub fn json(method: &str, path: &str, body: &Value) -> Request {
    let request = Request::new(Method::parse(method), path);
    request.with_header("content-type", "application/json").with_body(body.to_string())
}

/// A directory that is gone afterwards, and the name of a data directory in it that is not there yet.
pub fn scratch() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    (home, data)
}

/// What a process has written.
#[derive(Clone)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn push(&self, octets: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(octets);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// What comes from `from`, and the thread that reads it to the end, beginning when `begin` is closed.
fn collect(mut from: impl Read + Send + 'static, begin: Receiver<()>) -> (Output, JoinHandle<()>) {
    let output = Output(Arc::default());
    let into = output.clone();
    let reader = thread::spawn(move || {
        let _ = begin.recv();
        let mut chunk = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            into.push(&chunk[..length]);
        }
    });
    (output, reader)
}

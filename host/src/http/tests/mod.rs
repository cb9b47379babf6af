//! The server over real sockets, with a stand-in for the engine.

mod admin;
mod drain;
mod exchange;
mod limits;
mod malformed;
mod routes;
mod tls;

use super::{Backend, tls::Tls};
use crate::{
    clock::Clock,
    metrics::Metrics,
    request_id::RequestId,
    serve::{Parts, ServeOptions, Server, Sockets},
};
use core::{net::SocketAddr, time::Duration};
use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
};
use waxseal_core::seam::{Peer, Request, Response};

/// Answers by path.
struct Engine {
    /// `/v1/wait` takes one of these before it answers.
    gate: Semaphore,
    /// Requests that have come to `/v1/wait`, and those that have been answered.
    waiting: AtomicU64,
    answered: AtomicU64,
    broken: AtomicBool,
}

impl Backend for Engine {
    async fn answer(&self, request: Request, peer: Peer) -> Response {
        match request.path.as_str() {
            "/v1/deny" => Response::new(401, "text/plain", "denied").with_header("www-authenticate", "Basic realm=\"x\""),
            "/v1/large" => Response::new(200, "application/octet-stream", vec![0; 16 << 20]),
            "/v1/echo" => Response::new(200, "application/octet-stream", request.body),
            "/v1/headers" => {
                let lines = request.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.escape_ascii()));
                Response::new(200, "text/plain", lines.collect::<String>())
            }
            "/v1/line" => {
                let line = format!("{} {} {}", request.method.as_str(), request.path, request.query);
                Response::new(200, "text/plain", line)
            }
            "/v1/peer" => {
                let Peer { address, local, secure, host } = peer;
                Response::new(200, "text/plain", format!("{address:?} {local} {secure} {host:?}"))
            }
            "/v1/id" => {
                tokio::task::yield_now().await;
                Response::new(200, "text/plain", RequestId::present().map(|id| id.to_string()).unwrap_or_default())
            }
            "/v1/wait" => {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                self.gate.acquire().await.unwrap().forget();
                self.answered.fetch_add(1, Ordering::SeqCst);
                Response::new(200, "text/plain", "waited")
            }
            "/v1/panic" => panic!("on purpose"),
            "/v1/panic-later" => {
                tokio::task::yield_now().await;
                panic!("on purpose")
            }
            "/" => Response::new(200, "application/json", "{}"),
            "/auth/verify" => Response::empty(200),
            path if path.starts_with("/admin") => Response::new(200, "text/plain", format!("{}", peer.local)),
            _ => Response::new(404, "text/plain", "unknown to core"),
        }
    }

    fn unavailable(&self, request: Request, _: Peer) -> Response {
        Response::new(503, "text/plain", format!("{} later", request.path)).with_header("retry-after", "1")
    }

    fn ready(&self) -> Result<(), String> {
        if self.broken.load(Ordering::SeqCst) { Err("on purpose".into()) } else { Ok(()) }
    }

    fn backup(&self, to: &Path) -> io::Result<()> {
        fs::OpenOptions::new().write(true).create_new(true).open(to).map(drop)
    }
}

/// A running server and its data.
struct Running {
    server: Server<Engine>,
    engine: Arc<Engine>,
    metrics: Arc<Metrics>,
    clock: Arc<Clock>,
    home: TempDir,
}

async fn start(change: impl FnOnce(&mut ServeOptions)) -> Running {
    let home = tempfile::tempdir().unwrap();
    let mut options = ServeOptions::new(([127, 0, 0, 1], 0).into(), home.path().join("data"));
    change(&mut options);
    let engine = Arc::new(Engine {
        gate: Semaphore::new(0),
        waiting: AtomicU64::new(0),
        answered: AtomicU64::new(0),
        broken: AtomicBool::new(false),
    });
    let (metrics, clock) = (Arc::new(Metrics::default()), Arc::new(Clock::system()));
    let parts =
        Parts { backend: Arc::clone(&engine), clock: Arc::clone(&clock), metrics: Arc::clone(&metrics), audit: None };
    let tls = options.tls.clone().map(|files| Tls::open(files).unwrap());
    let server = Server::start(Sockets::open(options, tls).await.unwrap(), parts);
    Running { server, engine, metrics, clock, home }
}

impl Running {
    fn address(&self) -> SocketAddr {
        self.server.bound.http
    }

    async fn connect(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.address()).await.unwrap())
    }

    /// As [`Self::connect`], from 127.0.0.`last`.
    async fn connect_from(&self, last: u8) -> Client<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, last], 0).into()).unwrap();
        Client::new(socket.connect(self.address()).await.unwrap())
    }

    /// Sends `octets` over a new connection; everything that comes back until the server closes it.
    async fn talk(&self, octets: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.send(octets).await;
        client.rest().await
    }

    /// The answer to a GET on a new connection.
    async fn get(&self, target: &str, headers: &str) -> Reply {
        let mut client = self.connect().await;
        client.get(target, headers).await
    }

    /// Returns once `count` requests wait at the gate.
    async fn waiting(&self, count: u64) {
        until(&format!("{count} requests wait"), || self.engine.waiting.load(Ordering::SeqCst) >= count).await;
    }
}

/// Longer than anything here takes, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until it is so; a test that waits in vain says for what.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    within(what, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// One end of a connection.
struct Client<IO> {
    io: IO,
    received: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        core::str::from_utf8(&self.body).unwrap()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Client<IO> {
    fn new(io: IO) -> Self {
        Self { io, received: Vec::new() }
    }

    /// The server may have closed the connection already; then reading tells.
    async fn send(&mut self, octets: impl AsRef<[u8]>) {
        let _ = self.io.write_all(octets.as_ref()).await;
        let _ = self.io.flush().await;
    }

    async fn get(&mut self, target: &str, headers: &str) -> Reply {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{headers}\r\n")).await;
        self.reply().await
    }

    async fn post(&mut self, target: &str, body: &str) -> Reply {
        self.send(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
        self.reply().await
    }

    /// The next reply, which must have a length.
    async fn reply(&mut self) -> Reply {
        let end = loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await;
        };
        let head = String::from_utf8(self.received.drain(..end).collect()).unwrap();
        let status = head.get(9..12).unwrap().parse().unwrap();
        let mut reply = Reply { status, head, body: Vec::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.received.len() < length {
            self.more().await;
        }
        reply.body = self.received.drain(..length).collect();
        reply
    }

    async fn more(&mut self) {
        let count = self.io.read_buf(&mut self.received).await.unwrap();
        assert_ne!(count, 0, "the connection ended after {:?}", String::from_utf8_lossy(&self.received));
    }

    /// Everything until the server closes the connection, which must not take long.
    async fn rest(&mut self) -> String {
        let mut rest = core::mem::take(&mut self.received);
        let read = self.io.read_to_end(&mut rest);
        let ended =
            tokio::time::timeout(Duration::from_secs(20), read).await.expect("the server keeps the connection open");
        if let Err(error) = ended {
            assert!(!rest.is_empty(), "{error}");
        }
        String::from_utf8_lossy(&rest).into_owned()
    }
}

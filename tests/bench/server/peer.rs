//! The physical limit of HTTP here: axum, which stands on hyper as the server does, with one static answer.

use axum::{Router, http::StatusCode, routing::any};
use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

/// Set in the process that is the peer.
pub(crate) const ROLE: &str = "WAXSEAL_BENCH_PEER";

/// A running peer; killed when dropped.
pub(crate) struct Peer {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Peer {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env::current_exe().unwrap()).env(ROLE, "1").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().parse().unwrap() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does that [`Peer::start`] has started.
pub(crate) fn serve() {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/", any(|| async { (StatusCode::OK, "ok") }));
        axum::serve(listener, routes).await.unwrap();
    });
}

//! A fresh server for the length of a step.

use crate::{
    Failure,
    command::{command, shown, target_dir},
};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The administrator of every [`Running`] server.
pub(crate) const ADMIN: &str = "admin";

/// Of a server that lives for seconds and is reached from this machine only.
pub(crate) const PASSWORD: &str = "of a server for one second";

/// A server that ends when this does.
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    line: String,
    child: Child,
}

impl Running {
    /// Starts `server` without any data but [`ADMIN`]; what it stores goes to the folder `data` below `target`.
    pub(crate) fn start(server: &Path, data: &str) -> Result<Self, Failure> {
        let data = target_dir().join(data);
        if data.exists() {
            fs::remove_dir_all(&data).map_err(|error| format!("cannot delete `{}`: {error}", data.display()))?;
        }
        let address = free_address()?;
        let mut serve = command(server);
        serve.args(["serve", "--listen", &address.to_string(), "--data"]).arg(&data);
        serve.env("WAXSEAL_ADMIN_NAME", ADMIN).env("WAXSEAL_ADMIN_PASSWORD", PASSWORD);
        let line = shown(&serve);
        let started = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = started.map_err(|error| format!("`{line}` did not start: {error}"))?;
        let mut running = Self { address, line, child };
        running.wait().map(|()| running)
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("`{}` ended: {status}", self.line));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("`{}` does not answer at {}", self.line, self.address));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no port is free: {error}"))
}

const PATIENCE: Duration = Duration::from_secs(30);

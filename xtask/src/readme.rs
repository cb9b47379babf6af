//! The README's shell lines, run as a newcomer would: in order, in one shell, against a fresh server.

use crate::{
    Failure,
    command::{command, root, run as run_command, shown, target_dir},
    test,
};
use std::{
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// `cargo xtask readme`
pub(crate) fn run() -> Result<(), Failure> {
    test::build()?;
    check(&test::server())
}

/// Runs every `sh` block of the README against `server`; fails with the first line that fails.
pub(crate) fn check(server: &Path) -> Result<(), Failure> {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let address = free_address()?;
    let script = script(&readme).replace(ADDRESS, &address.to_string());
    if script.is_empty() {
        return Err("the README has no shell lines".into());
    }
    let data = target_dir().join("readme-data");
    if data.exists() {
        fs::remove_dir_all(&data).map_err(|error| format!("cannot delete `{}`: {error}", data.display()))?;
    }
    let mut serve = command(server);
    serve.args(["serve", "--listen", &address.to_string(), "--data"]).arg(&data);
    serve.env("WAXSEAL_ADMIN_PASSWORD", PASSWORD).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Running::start(&mut serve)?;
    running.wait_for(address)?;
    run_command(command("sh").args(["-euc", &script]).env("ADMIN", format!("admin:{PASSWORD}")))
        .map_err(|_| "the README's line named last has failed".into())
}

/// The `sh` blocks in order, each of which first says where it stands.
fn script(readme: &str) -> String {
    let mut script = String::new();
    let mut inside = false;
    for (line, number) in readme.lines().zip(1..) {
        match line {
            "```sh" => {
                inside = true;
                let _ = writeln!(script, "echo; echo README.md:{}", number + 1);
            }
            "```" => inside = false,
            _ if inside => {
                let _ = writeln!(script, "{line}");
            }
            _ => {}
        }
    }
    script
}

fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no port is free: {error}"))
}

/// A server that ends when this does.
struct Running {
    line: String,
    child: Child,
}

impl Running {
    fn start(server: &mut Command) -> Result<Self, Failure> {
        let line = shown(server);
        let child = server.spawn().map_err(|error| format!("`{line}` did not start: {error}"))?;
        Ok(Self { line, child })
    }

    fn wait_for(&mut self, address: SocketAddr) -> Result<(), Failure> {
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("`{}` ended: {status}", self.line));
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("`{}` does not answer at {address}", self.line));
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

/// Where the README's server listens.
const ADDRESS: &str = "127.0.0.1:8080";

/// Of a server that lives for a second and is reached from this machine only.
const PASSWORD: &str = "of a server for one second";

const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_run_and_in_order() {
        let readme = "```sh\none\n```\n```console\n$ two\n```\n```text\nthree\n```\n\n```sh\nfour\n```\n";
        assert_eq!(script(readme), "echo; echo README.md:2\none\necho; echo README.md:12\nfour\n");
    }
}

//! The benchmarks, one command for all: every figure of docs/performance.md.

use crate::{Failure, cargo::cargo, command::run as run_command, js, page, serve, setup};

/// `cargo xtask bench [NAMES]`; what follows `server` picks parts of it.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let names: Vec<&str> = args.iter().map(String::as_str).collect();
    match names.as_slice() {
        [] => {
            token()?;
            IN_THE_HOST.into_iter().try_for_each(in_the_host)?;
            server(&[])
        }
        ["token"] => token(),
        ["js"] => js::bench(),
        ["page"] => page::bench(),
        ["server", parts @ ..] => server(parts),
        [name] if IN_THE_HOST.contains(name) => in_the_host(name),
        [other, ..] => Err(format!(
            "there is no benchmark `{other}`; there are token, {}, server, js and page",
            IN_THE_HOST.join(", ")
        )),
    }
}

/// A token against the bare HMAC and against peers.
fn token() -> Result<(), Failure> {
    run_command(&mut cargo(&["bench", "--package", "waxseal-bench", "--bench", "token"]))
}

/// The component against the same code natively; what a million of others' authorizations cost, and a million revoked tokens.
const IN_THE_HOST: [&str; 3] = ["engine", "authorizations", "revocations"];

fn in_the_host(name: &str) -> Result<(), Failure> {
    setup::rust_target(setup::WASM)?;
    run_command(&mut cargo(&["bench", "--package", "waxseal", "--bench", name]))
}

/// The release server as a process, under load.
fn server(parts: &[&str]) -> Result<(), Failure> {
    setup::program("wrk", "wrk")?;
    let binary = serve::build()?;
    let mut bench = cargo(&["bench", "--package", "waxseal-bench", "--bench", "server"]);
    run_command(bench.arg("--").args(parts).env("WAXSEAL_BIN", binary))
}

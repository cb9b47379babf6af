//! The release server, built and run.

use crate::{
    Failure,
    cargo::cargo,
    command::{command, root, run as run_command, target_dir},
    setup,
};
use std::path::PathBuf;

/// Where `cargo xtask serve` keeps its users, below the root of the checkout.
pub(crate) const DATA: &str = "data";

const LISTEN: &str = "127.0.0.1:8080";

/// `cargo xtask serve [ARGS]`; `ARGS` go to `waxseal serve`.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let server = build()?;
    let given = |flag: &str| args.iter().any(|arg| arg == flag || arg.starts_with(&format!("{flag}=")));
    let mut serve = command(server);
    serve.arg("serve");
    if !given("--listen") {
        serve.args(["--listen", LISTEN]);
    }
    if !given("--data") {
        serve.arg("--data").arg(root().join(DATA));
    }
    replace(serve.args(args))
}

/// Builds the release server; where it is.
pub(crate) fn build() -> Result<PathBuf, Failure> {
    setup::linker()?;
    setup::rust_target(setup::WASM)?;
    run_command(&mut cargo(&["build", "--release", "--package", "waxseal"]))?;
    Ok(target_dir().join("release").join("waxseal"))
}

/// Becomes the server, so that signals reach it and its exit status is ours.
#[cfg(unix)]
fn replace(server: &mut std::process::Command) -> Result<(), Failure> {
    let error = std::os::unix::process::CommandExt::exec(server);
    Err(format!("`{}` did not start: {error}", crate::command::shown(server)))
}

/// Runs the server as a child where a process cannot be replaced.
#[cfg(not(unix))]
fn replace(server: &mut std::process::Command) -> Result<(), Failure> {
    run_command(server)
}

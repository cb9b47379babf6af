//! The release server, built and run.

use crate::{
    Failure,
    cargo::cargo,
    command::{command, root, run as run_command, target_dir},
    setup,
};
use std::{env, path::PathBuf};

/// Where `cargo xtask serve` keeps its users, below the root of the checkout.
pub(crate) const DATA: &str = "waxseal-data";

/// `cargo xtask serve [ARGS]`; `ARGS` go to `waxseal serve`, and paths in them count from where the command was called.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let server = build()?;
    let mut serve = command(server);
    if let Ok(here) = env::current_dir() {
        serve.current_dir(here);
    }
    serve.arg("serve");
    if env::var_os("WAXSEAL_DATA").is_none() && !args.iter().any(|arg| arg == "--data" || arg.starts_with("--data=")) {
        serve.arg("--data").arg(root().join(DATA));
    }
    replace(serve.args(args))
}

/// Builds the release server, and returns where it is.
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

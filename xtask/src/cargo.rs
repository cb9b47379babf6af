//! The cargo that started us.

use crate::command::command;
use std::{env, process::Command};

/// `cargo ARGS` with the lock file as it is.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut cargo = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args).arg("--locked");
    cargo
}

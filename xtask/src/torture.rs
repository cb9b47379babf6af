//! The release server under floods, kills and damaged requests.

use crate::{Failure, cargo::cargo, command::run as run_command, serve};

/// `cargo xtask torture KIND [NUMBER]`
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let binary = serve::build()?;
    let mut torture = cargo(&["run", "--quiet", "--package", "waxseal-tests", "--bin", "torture"]);
    run_command(torture.arg("--").args(args).env("WAXSEAL_BIN", binary))
}

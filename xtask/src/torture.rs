//! The release server under floods, kills and damaged requests.

use crate::{Failure, cargo::cargo, command::run as run_command, serve};

/// `cargo xtask torture KIND [NUMBER]`
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mut torture = cargo(&["run", "--quiet", "--package", "waxseal-tests", "--bin", "torture"]);
    torture.arg("--").args(args);
    // Without a kind it names them, which needs no server.
    if !args.is_empty() {
        torture.env("WAXSEAL_BIN", serve::build()?);
    }
    run_command(&mut torture)
}

//! `waxseal completions`.

use super::Failure;
use clap_complete::Shell;
use std::io::{self, Write};

/// Which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  waxseal completions bash > /etc/bash_completion.d/waxseal")]
pub(super) struct Args {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

pub(super) fn run(args: &Args, command: &mut clap::Command) -> Result<(), Failure> {
    // First into memory: the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "waxseal", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}

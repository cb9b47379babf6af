//! The command line.
//!
//! Every administration command is a request to core's `/admin` routes, or two where one depends on the other. `Admin` sends them to
//! the server that runs on the data directory or, when none does, answers them in this process: same request, same answer.

mod admin;
mod assembled;
mod audit;
mod backup;
mod completions;
mod config;
mod doctor;
mod failure;
mod first_start;
mod init;
mod key;
mod module;
mod secret;
mod serve;
mod target;
mod terminal;
mod token;
mod user;
mod verify;

use crate::process;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};
use failure::Failure;
use std::{
    ffi::OsString,
    panic::{self, PanicHookInfo},
    process::ExitCode,
};
use target::Target;
use tokio::signal::unix::{SignalKind, signal};

/// One auth engine for the token APIs of Redis Enterprise, OpenShift v2 and Elasticsearch.
#[derive(Debug, Parser)]
#[command(name = "waxseal", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  waxseal serve                                      try it on http://127.0.0.1:8080
  waxseal init --data /var/lib/waxseal               start a production set-up
  waxseal serve --data /var/lib/waxseal
  waxseal user add ada --role admin                  asks for the password
  waxseal token explain - < token                    says why a token is refused

Administration commands work the same way whether the server runs or is stopped. Without --data the data is in ./waxseal-data.
Exit status: 0 done, 1 refused or failed, 2 wrong usage or configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Args),
    /// Make a data directory with a production configuration
    Init,
    /// Add, show, change and remove users
    #[command(subcommand)]
    User(user::Command),
    /// Issue, verify, explain and revoke tokens
    #[command(subcommand)]
    Token(token::Command),
    /// List, rotate, move and remove signing keys
    #[command(subcommand)]
    Key(key::Command),
    /// Export the rules of this build for a running server
    #[command(subcommand)]
    Module(module::Command),
    /// Have the running server read its configuration, certificates and module again, as SIGHUP does
    Reload,
    /// Write everything into one file, even while the server runs
    Backup(backup::BackupArgs),
    /// Restore a backup into a data directory that is empty or holds a configuration only
    Restore(backup::RestoreArgs),
    /// Look for problems: permissions, keys, store, clock, settings, audit trail
    Doctor(doctor::Args),
    /// Read the audit trail, and check that it is whole
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check the configuration, or show what is in force and why
    #[command(subcommand)]
    Config(config::Command),
    /// Print completions for a shell
    Completions(completions::Args),
}

/// Runs a command line, of which the first argument is the name of the program.
pub fn run(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    panic::set_hook(Box::new(report_panic));
    process::dump_nothing();
    process::give_back_large_blocks();
    outlive_file_limits();
    let ended = parse(line).and_then(|cli| command(cli.command, &cli.target));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Has a write beyond the limit on file sizes fail like one to a full disk, instead of ending the process in the middle of its work. Once
/// somebody has listened to a signal, its handler stays: so this holds for the server too.
fn outlive_file_limits() {
    let beyond = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    if let Ok(runtime) = admin::runtime() {
        drop(runtime.block_on(async { signal(beyond) }));
    }
}

/// Says where, and why only if the text is part of the program: a text made at run time may hold a secret (security L2).
fn report_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let why = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("no further words");
    if tracing::dispatcher::has_been_set() {
        tracing::error!(place, why, "defect");
    } else {
        terminal::complain(&format!("defect at {place}: {why}"));
    }
}

fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Cli, Failure> {
    let line: Vec<OsString> = line.into_iter().collect();
    let read =
        |line: Vec<OsString>| Cli::command().try_get_matches_from(line).and_then(|matches| Cli::from_arg_matches(&matches));
    read(line.clone()).map_err(|error| match error.kind() {
        // Clap gives the help by itself only where nothing is stated, not in the environment either.
        ErrorKind::MissingSubcommand => {
            let help = read([line, vec!["--help".into()]].concat());
            help.map_or_else(Failure::Bare, |_| Failure::from_clap(error))
        }
        _ => Failure::from_clap(error),
    })
}

fn command(command: Command, target: &Target) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args, target),
        Command::Init => init::run(target),
        Command::User(command) => user::run(command, target),
        Command::Token(command) => token::run(command, target),
        Command::Key(command) => key::run(command, target),
        Command::Module(command) => module::run(&command),
        Command::Reload => admin::reload(target),
        Command::Backup(args) => backup::backup(&args, target),
        Command::Restore(args) => backup::restore(&args, target),
        Command::Doctor(args) => doctor::run(&args, target),
        Command::Audit(command) => audit::run(&command, target),
        Command::Config(command) => config::run(&command, target),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}

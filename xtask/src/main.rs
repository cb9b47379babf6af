//! One-command building, running and testing: `cargo xtask serve`, `cargo xtask test`, see [`HELP`].
//!
//! Standard library only, so that the first command on a fresh machine builds in a second.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its terminal")]

mod again;
mod bench;
mod cargo;
mod checks;
mod clean_data;
mod clients;
mod command;
mod fuzz;
#[cfg(test)]
mod joined;
mod js;
mod npm;
mod page;
mod readme;
mod running;
mod serve;
mod setup;
mod steps;
mod tally;
mod test;
mod torture;

use std::{env, process::ExitCode};

const HELP: &str = "\
One command for each job, from any folder of the checkout.

  cargo xtask serve [ARGS]   build the release server and run it; ARGS go to `waxseal serve`
  cargo xtask test           every check and every test, with its own set-up
  cargo xtask check          the checks alone: fmt, no_std, clippy, rustdoc, deny
  cargo xtask build          the release server: target/release/waxseal
  cargo xtask npm            the JavaScript package: target/npm/waxseal-VERSION.tgz
  cargo xtask page DIR       the page as plain files, for any web server
  cargo xtask js             its tests alone: browsers, Node, Deno, Bun, workerd
  cargo xtask agree [NUMBER]
                             1000000 generated tokens: natively, in the component and in the JavaScript modules the same verdict
  cargo xtask readme         run the shell lines of README and guides against a fresh server
  cargo xtask clients        the official Elasticsearch clients against a fresh server
  cargo xtask bench [NAMES]  the figures of docs/performance.md: token, engine, authorizations, revocations, server, or all;
                             `js`: those of docs/javascript.md; `page`: those of docs/page.md
  cargo xtask fuzz [TARGET|all] [RUNS]
                             coverage-guided fuzzing of what strangers can send, 100000 runs of each target
  cargo xtask torture KIND [NUMBER]
                             floods, kills, damaged requests, full disks for long; names the kinds when asked for none
  cargo xtask again          build the server's module a second time and compare: the same octets
  cargo xtask clean-data     delete the data of `cargo xtask serve`

`test` and `check` take `--advisories` to look the dependencies up in the RustSec database too (needs github.com).";

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let outcome = match name.as_str() {
        "serve" => serve::run(&rest),
        "test" => test::run(&rest),
        "check" => checks::run_alone(&rest),
        "build" => no_more(&rest).and_then(|()| serve::build().map(|server| println!("{}", server.display()))),
        "agree" => js::agree(&rest),
        "js" => no_more(&rest).and_then(|()| js::run_alone()),
        "npm" => no_more(&rest).and_then(|()| npm::run_alone()),
        "bench" => bench::run(&rest),
        "page" => page::run(&rest),
        "readme" => no_more(&rest).and_then(|()| readme::run()),
        "clients" => no_more(&rest).and_then(|()| clients::run_alone()),
        "fuzz" => fuzz::run(&rest),
        "torture" => torture::run(&rest),
        "again" => no_more(&rest).and_then(|()| test::build()).and_then(|()| again::check()),
        "clean-data" => no_more(&rest).and_then(|()| clean_data::run()),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        "" => Err(HELP.into()),
        other => Err(format!("no such command: `{other}`\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                eprintln!("{message}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Why a command failed, for the reader; empty when it has been said already.
type Failure = String;

fn no_more(args: &[String]) -> Result<(), Failure> {
    args.first().map_or(Ok(()), |arg| Err(format!("unexpected argument: `{arg}`\n\n{HELP}")))
}

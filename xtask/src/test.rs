//! Every check, then every test, and one line to close with.

use crate::{
    Failure, again,
    cargo::cargo,
    checks, clients,
    command::{run as run_command, shown, target_dir},
    fuzz, js, page, readme, setup,
    steps::Steps,
    tally::Tally,
};
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    thread::JoinHandle,
};

/// `cargo xtask test [--advisories]`
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let advisories = checks::wants_advisories(args)?;
    let mut steps = Steps::new(checks::COUNT + 9 + js::COUNT);
    let mut tally = Tally::default();
    // Without a linker the first step says so.
    let tools = setup::linker().is_ok().then(js::build_tools_ahead);
    checks::all(&mut steps, advisories);
    let built = steps.step("build", build);
    if built.is_some() {
        steps.step("unit, integration and documentation tests", || {
            // The integration tests start clients in Python and curl, and nginx in front of the server.
            setup::program("curl", "curl")?;
            setup::program("python3", "python3")?;
            setup::program("nginx", "nginx-light")?;
            let mut test = cargo(&["test", "--workspace", "--no-fail-fast"]);
            counted(test.env("WAXSEAL_BIN", server()), &mut tally)
        });
        steps.step("the module again: the same octets", again::check);
        steps.step("fuzzing: a moment of each target", fuzz::smoke);
        steps.step("the shell lines of README and guides", || readme::check(&server()));
        if steps.step("set-up: official Elasticsearch clients", clients::install).is_some() {
            steps.step("official Elasticsearch clients", || clients::run(&server(), &mut tally));
        }
        if steps.step("set-up: browsers", page::install).is_some() {
            steps.step("the page, in Chromium and Firefox", || page::test(&server(), &mut tally));
        }
        js::all(&mut steps, &mut tally);
    }
    // After a failed build they may still be under way.
    let _ = tools.map(JoinHandle::join);
    steps.summarise();
    // A check that failed, or a test binary that died without a word, must show in the last line too.
    tally.failed = tally.failed.max(steps.failed());
    println!("\n{tally}");
    if tally.failed == 0 { Ok(()) } else { Err(Failure::new()) }
}

/// Builds the server as the tests use it: together with their targets, so that the features of the dependencies are the same
/// and nothing is compiled twice.
pub(crate) fn build() -> Result<(), Failure> {
    run_command(&mut cargo(&["build", "--workspace", "--bins", "--tests"]))
}

/// The server that [`build`] makes.
pub(crate) fn server() -> PathBuf {
    target_dir().join("debug").join("waxseal")
}

/// Runs test binaries and adds what they report to `tally`.
pub(crate) fn counted(command: &mut Command, tally: &mut Tally) -> Result<(), Failure> {
    let line = shown(command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("`{line}` did not start: {error}"))?;
    let stdout = child.stdout.take().ok_or("standard output is not there")?;
    for text in BufReader::new(stdout).split(b'\n') {
        let text = text.map_err(|error| format!("`{line}` cannot be read: {error}"))?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        if let Some(more) = Tally::of_line(&text) {
            *tally += more;
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` failed: {status}")),
        Err(error) => Err(format!("`{line}` was lost: {error}")),
    }
}

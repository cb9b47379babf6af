//! Coverage-guided fuzzing, on stable Rust: the counters are LLVM's, the search is libFuzzer's.

use crate::{
    Failure,
    command::{command, root, run as run_command, target_dir},
    setup,
};
use std::{env, fs, path::PathBuf};

/// Everything that is fuzzed, as `tests/fuzz/src/main.rs` names it.
const TARGETS: [&str; 12] = [
    "token",
    "claims",
    "keys",
    "snapshot",
    "basic",
    "redis",
    "openshift",
    "elasticsearch",
    "gateway",
    "records",
    "settings",
    "configuration",
];

/// `cargo xtask fuzz [TARGET|all] [RUNS]`
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (target, runs) = match args {
        [] => ("all", "100000"),
        [target] => (target.as_str(), "100000"),
        [target, runs] => (target.as_str(), runs.as_str()),
        [_, _, other, ..] => return Err(format!("unexpected argument: `{other}`")),
    };
    let targets: Vec<_> = TARGETS.into_iter().filter(|known| target == "all" || *known == target).collect();
    if targets.is_empty() {
        return Err(format!("there is no target `{target}`; there are {}", TARGETS.join(", ")));
    }
    let program = build()?;
    targets.into_iter().try_for_each(|target| fuzz(&program, target, &format!("-runs={runs}")))
}

/// A moment of every target, within a minute in all.
pub(crate) fn smoke() -> Result<(), Failure> {
    let program = build()?;
    TARGETS.into_iter().try_for_each(|target| fuzz(&program, target, "-max_total_time=4"))
}

fn fuzz(program: &PathBuf, target: &str, limit: &str) -> Result<(), Failure> {
    let kept = root().join("tests/fuzz/corpus").join(target);
    let (found, crashes) = (target_dir().join("fuzz/corpus").join(target), target_dir().join("fuzz/crashes"));
    for folder in [&found, &crashes] {
        fs::create_dir_all(folder).map_err(|error| format!("cannot create `{}`: {error}", folder.display()))?;
    }
    println!("fuzzing {target}");
    let mut fuzzer = command(program);
    fuzzer.args([limit, "-timeout=5", "-rss_limit_mb=2048", "-max_len=4096", "-verbosity=0", "-print_final_stats=1"]);
    fuzzer.arg(format!("-artifact_prefix={}/{target}-", crashes.display()));
    fuzzer.arg(found).arg(kept).env("WAXSEAL_FUZZ", target).env("RUST_BACKTRACE", "1");
    run_command(&mut fuzzer).map_err(|why| format!("{why}\nThe input that did it is in `{}`.", crashes.display()))
}

/// Builds the fuzzer; a target has to be named so that build scripts and macros are compiled without counters.
fn build() -> Result<PathBuf, Failure> {
    setup::program("c++", "g++")?;
    let host = crate::command::output(command("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("`rustc -vV` names no host")?.to_owned();
    let target = target_dir().join("fuzz");
    let mut cargo = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--target", &host, "--manifest-path"]);
    cargo.arg(root().join("tests/fuzz/Cargo.toml"));
    run_command(cargo.env("RUSTFLAGS", FLAGS.join(" ")).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join(host).join("release").join("fuzz"))
}

/// Counters at every edge, and what comparisons compare.
const FLAGS: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

//! What a fresh machine lacks.

use crate::{
    Failure,
    cargo::cargo,
    command::{command, output, run, target_dir},
};
use std::{fs, io::Write, path::Path, path::PathBuf, process::Stdio};

/// The target of the component and of the JavaScript package.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// A target that has no `std`: what builds there needs none.
pub(crate) const BARE: &str = "thumbv7em-none-eabi";

/// Adds the target to the toolchain unless it is there.
pub(crate) fn rust_target(target: &str) -> Result<(), Failure> {
    let libraries = output(command("rustc").args(["--print", "target-libdir", "--target", target]))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    println!("adding the Rust target {target}");
    run(command("rustup").args(["target", "add", target])).map_err(|why| {
        format!("{why}\nThe Rust target {target} is needed. With rustup: `rustup target add {target}`; a toolchain from elsewhere has it in a package of its own.")
    })
}

/// Links a small program, as build scripts do: nothing builds without it, and rustc's own message is long.
pub(crate) fn linker() -> Result<(), Failure> {
    let folder = target_dir().join("tools");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create `{}`: {error}", folder.display()))?;
    let mut rustc = command("rustc");
    rustc.args(["--crate-name", "linked", "--out-dir"]).arg(&folder).arg("-");
    let mut child = rustc
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`rustc` did not start: {error}"))?;
    if let Some(mut source) = child.stdin.take() {
        source.write_all(b"fn main() {}\n").map_err(|error| format!("`rustc` does not listen: {error}"))?;
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("Rust programs cannot be linked here: a C compiler and linker is missing.\n\
             Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc; Alpine: apk add build-base; \
             macOS: xcode-select --install"
            .into()),
    }
}

/// The pinned cargo-deny, built once into `target/tools`.
pub(crate) fn cargo_deny() -> Result<PathBuf, Failure> {
    let home = target_dir().join("tools").join(format!("cargo-deny-{CARGO_DENY}"));
    let program = home.join("bin").join("cargo-deny");
    if !program.is_file() {
        println!("building cargo-deny {CARGO_DENY}, once (a minute or two)");
        let build = target_dir().join("tools").join("build");
        // Unoptimised: it runs for a second, and optimising it takes longer than all its runs.
        let mut install = cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--debug", "--quiet"]);
        run(install.arg("--root").arg(&home).arg("--target-dir").arg(&build))?;
        fs::remove_dir_all(&build).map_err(|error| format!("cannot delete `{}`: {error}", build.display()))?;
    }
    Ok(program)
}

const CARGO_DENY: &str = "0.20.2";

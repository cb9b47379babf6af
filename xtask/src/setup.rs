//! What a fresh machine lacks.

use crate::{
    Failure,
    command::{command, output, run, target_dir},
};
use std::{
    fs,
    io::Write,
    path::Path,
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, PoisonError},
};

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

/// Makes sure that `program` can be run; where it is missing, installs the Debian package that it is part of.
pub(crate) fn program(program: &str, package: &str) -> Result<(), Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers there, and leaves these folders out of the path of ordinary users.
    let mut folders = std::env::split_paths(&path).chain(["/usr/local/sbin", "/usr/sbin"].map(PathBuf::from));
    if folders.any(|folder| folder.join(program).is_file()) { Ok(()) } else { debian(&[package]) }
}

/// The pinned cargo-deny, built once into `target/tools`.
pub(crate) fn cargo_deny() -> Result<PathBuf, Failure> {
    Ok(cargo_tool("cargo-deny", CARGO_DENY, "cargo-deny")?.join("cargo-deny"))
}

/// The folder with the pinned `wasm-bindgen` and its test runner, built once into `target/tools`.
pub(crate) fn wasm_bindgen() -> Result<PathBuf, Failure> {
    cargo_tool("wasm-bindgen-cli", WASM_BINDGEN, "wasm-bindgen")
}

/// The folder with `program` of the package `name`, built once into `target/tools`.
pub(crate) fn cargo_tool(name: &str, version: &str, program: &str) -> Result<PathBuf, Failure> {
    /// One is built at a time; whoever needs another, or the same, waits.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _turn = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let home = target_dir().join("tools").join(format!("{name}-{version}"));
    let folder = home.join("bin");
    if !folder.join(program).is_file() {
        println!("building {name} {version}, once (a minute or two)");
        let install = || {
            let mut install = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            // Unoptimised and without debug information: they run for seconds, and making all that takes longer than their runs.
            install.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_INCREMENTAL", "0");
            install.args(["install", name, "--debug", "--quiet", "--version"]).arg(format!("={version}"));
            // One place for all of them, as they share much.
            install.arg("--root").arg(&home).arg("--target-dir").arg(tools_build());
            install
        };
        // Its own lock file may name a version that is no longer, or not yet, to be had.
        if output(install().arg("--locked")).is_err() {
            run(&mut install())?;
        }
    }
    Ok(folder)
}

/// Deletes what building tools has left, which is much and of no use once they are there.
pub(crate) fn tidy_tools() -> Result<(), Failure> {
    let build = tools_build();
    if !build.exists() {
        return Ok(());
    }
    fs::remove_dir_all(&build).map_err(|error| format!("cannot delete `{}`: {error}", build.display()))
}

fn tools_build() -> PathBuf {
    target_dir().join("tools").join("build")
}

/// Node, with npm: at least 20.19.
pub(crate) fn node() -> Result<(), Failure> {
    let version = || output(command("node").arg("--version")).ok();
    if version().is_none() || output(command("npm").arg("--version")).is_err() {
        debian(&["nodejs", "npm"])?;
    }
    let found = version().unwrap_or_default();
    let mut numbers = found.trim().trim_start_matches('v').split('.').map_while(|number| number.parse::<u32>().ok());
    if (numbers.next(), numbers.next()) >= (Some(20), Some(19)) {
        return Ok(());
    }
    Err(format!("Node 20.19 or later is needed, with npm; found `{}`. See https://nodejs.org", found.trim()))
}

/// Chromium and Firefox as Debian has them, for the page's tests.
pub(crate) fn browsers() -> Result<(), Failure> {
    let there = |variable: &str, names: &[&str]| {
        std::env::var_os(variable).is_some() || names.iter().any(|name| Path::new("/usr/bin").join(name).exists())
    };
    let mut missing = Vec::new();
    if !there("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"]) {
        missing.push("chromium");
    }
    if !there("FIREFOX", &["firefox-esr", "firefox"]) {
        missing.push("firefox-esr");
    }
    if missing.is_empty() { Ok(()) } else { debian(&missing) }
}

/// Installs Debian packages, where that is possible without asking.
pub(crate) fn debian(packages: &[&str]) -> Result<(), Failure> {
    println!("installing {} (Debian)", packages.join(" "));
    let help = |why: Failure| format!("{why}\nInstall these yourself, then run this again: {}", packages.join(" "));
    let apt = |args: &[&str]| {
        let is_root = output(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        let mut apt = if is_root { command("apt-get") } else { command("sudo") };
        if !is_root {
            apt.args(["--non-interactive", "apt-get"]);
        }
        run(apt
            .args(["-o", "DPkg::Lock::Timeout=300", "--quiet", "--quiet"])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"]).map_err(help)?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat()).map_err(help)
}

/// A Python environment in `folder` with exactly what `requirements` names, unless it is there already.
pub(crate) fn python_environment(folder: &Path, requirements: &Path) -> Result<(), Failure> {
    let wanted = fs::read(requirements).map_err(|error| format!("cannot read `{}`: {error}", requirements.display()))?;
    let stamp = folder.join("requirements.txt");
    if fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    // Debian's Python comes without what makes an environment.
    let make = || output(command("python3").args(["-m", "venv", "--clear"]).arg(folder)).map(drop);
    if make().is_err() {
        debian(&["python3", "python3-venv"])?;
        make()?;
    }
    let mut pip = command(folder.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    run(&mut pip)?;
    fs::write(&stamp, wanted).map_err(|error| format!("cannot write `{}`: {error}", stamp.display()))
}

/// Installs what a `package-lock.json` names, unless it is there already.
pub(crate) fn npm_install(folder: &Path) -> Result<(), Failure> {
    let lock = folder.join("package-lock.json");
    let stamp = folder.join("node_modules").join(".locked");
    let wanted = fs::read(&lock).map_err(|error| format!("cannot read `{}`: {error}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    run(command("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder))?;
    fs::create_dir_all(folder.join("node_modules"))
        .and_then(|()| fs::write(&stamp, wanted))
        .map_err(|error| format!("cannot write `{}`: {error}", stamp.display()))
}

/// Where cargo keeps what it has fetched.
pub(crate) fn cargo_home() -> Result<PathBuf, Failure> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).ok_or_else(|| "there is no home directory".into())
}

const CARGO_DENY: &str = "0.20.2";
/// As in Cargo.toml.
const WASM_BINDGEN: &str = "0.2.130";

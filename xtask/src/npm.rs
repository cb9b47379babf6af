//! The JavaScript package: `target/npm/waxseal-VERSION.tgz`, and unpacked in `target/npm/package/`.

use crate::{
    Failure,
    cargo::cargo,
    command::{command, root, run, target_dir},
    setup,
};
use std::{
    path::{Path, PathBuf},
    thread,
};

/// `cargo xtask npm`
pub(crate) fn run_alone() -> Result<(), Failure> {
    let package = build()?;
    setup::tidy_tools()?;
    println!("{}", package.display());
    Ok(())
}

/// Builds the package, and returns where it lies unpacked.
pub(crate) fn build() -> Result<PathBuf, Failure> {
    setup::rust_target(setup::WASM)?;
    setup::node()?;
    let bindgen = setup::wasm_bindgen()?;
    setup::npm_install(&sources())?;
    let out = out();
    let glue = out.join("glue");
    let [engine, kdf, token, edge] = modules();
    let mut generate = command(bindgen.join("wasm-bindgen"));
    generate.arg(engine?).args(["--target", "web", "--out-name", "engine", "--out-dir"]).arg(&glue);
    // No file that a bundler would look for, and a way to start over after a trap.
    generate.args(["--omit-default-module-path", "--experimental-reset-state-function"]);
    run(generate.args(["--no-typescript", "--remove-name-section", "--remove-producers-section"]))?;
    let mut pack = command("node");
    pack.arg(sources().join("build.mjs")).arg("--out").arg(&out).args(["--version", env!("CARGO_PKG_VERSION")]);
    pack.arg("--engine").arg(&glue).arg("--kdf").arg(kdf?).arg("--token").arg(token?).arg("--edge").arg(edge?);
    run(&mut pack)?;
    Ok(out.join("package"))
}

/// The packed form of [`build`]'s package.
pub(crate) fn packed(package: &Path) -> PathBuf {
    package.with_file_name(concat!("waxseal-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

/// Builds the faces of `wasm/`, side by side: most of each is one thread's work.
fn modules() -> [Result<PathBuf, Failure>; 4] {
    let faces = [("js", "npm-engine"), ("kdf", "npm"), ("token", "npm-token"), ("edge", "npm-edge")];
    thread::scope(|scope| {
        let building = faces.map(|(face, profile)| scope.spawn(move || module(face, profile)));
        building.map(|built| built.join().unwrap_or_else(|_| Err("a build panicked".into())))
    })
}

/// Builds one face of `wasm/` and sets it aside, as all of them have the same name.
fn module(face: &str, profile: &str) -> Result<PathBuf, Failure> {
    let target = out().join(format!("build-{face}"));
    let mut build = cargo(&["build", "--quiet", "--package", "waxseal-wasm", "--lib", "--features", face]);
    build.args(["--profile", profile, "--target", setup::WASM, "--target-dir"]).arg(&target);
    let paths = [(root().to_path_buf(), ""), (setup::cargo_home()?, "cargo")];
    let mut flags = vec!["-Ctarget-feature=+simd128".to_owned()];
    // What each verifier has from the start: a stack, and room for the largest token.
    let stack = match face {
        "token" => Some(65_536),
        "edge" => Some(262_144),
        _ => None,
    };
    if let Some(stack) = stack {
        flags.extend([format!("-Clink-arg=-zstack-size={stack}"), "-Clink-arg=--initial-heap=65536".to_owned()]);
    }
    flags.extend(paths.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display())));
    run(build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")))?;
    let built = target.join(setup::WASM).join(profile).join("waxseal_wasm.wasm");
    let aside = out().join(format!("{face}.wasm"));
    copy(&built, &aside)?;
    Ok(aside)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::copy(from, to).map(drop).map_err(|error| format!("cannot copy `{}`: {error}", from.display()))
}

fn out() -> PathBuf {
    target_dir().join("npm")
}

fn sources() -> PathBuf {
    root().join("wasm").join("js")
}

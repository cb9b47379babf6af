//! How the modules that `wasm/` becomes are built: by the build script of the server, and by the check that they come out the
//! same again.

use std::{env, fs, path::Path, process::Command};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";

/// What the component's stack may take, of which only touched pages cost anything: 128 KiB.
const STACK: &str = "-zstack-size=131072";
/// The heap that is there from the start, so that a usual request never grows the memory: 64 KiB.
const HEAP: &str = "--initial-heap=65536";

/// One of the modules that `wasm/` becomes.
pub(crate) struct Face<'a> {
    pub(crate) feature: &'a str,
    /// What is loaded over a wire is made small, what computes is made fast. A profile of its own would build the macros again.
    pub(crate) opt_level: &'a str,
    /// wasm-bindgen looks for the features that the module uses, which a full strip takes away.
    pub(crate) strip: &'a str,
    pub(crate) link_args: &'a [&'a str],
}

/// What the server runs.
pub(crate) const COMPONENT: Face<'_> =
    Face { feature: "component", opt_level: "3", strip: "symbols", link_args: &[STACK, HEAP] };

/// Builds a module. Nothing of the outer build's settings leaks in, so it depends on the sources, the lock file and the compiler
/// only.
///
/// # Errors
/// What is missing, in words.
pub(crate) fn build(cargo: &str, workspace: &Path, target_dir: &Path, face: &Face<'_>) -> Result<Vec<u8>, String> {
    let mut cargo = Command::new(cargo);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(leaks) {
            cargo.env_remove(name);
        }
    }
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")));
    let home = home.map_err(|_| "neither CARGO_HOME nor HOME is set")?;
    let mut flags = vec![
        "-Ctarget-feature=+simd128".into(),
        format!("--remap-path-prefix={home}=cargo"),
        format!("--remap-path-prefix={}=", workspace.display()),
        format!("--remap-path-prefix={}=target", target_dir.display()),
    ];
    flags.extend(face.link_args.iter().map(|arg| format!("-Clink-arg={arg}")));
    cargo
        .current_dir(workspace)
        .args(["build", "--quiet", "--locked", "--package", "waxseal-wasm", "--lib", "--features", face.feature])
        .args(["--profile", PROFILE, "--target", TARGET])
        .env("CARGO_PROFILE_WASM_OPT_LEVEL", face.opt_level)
        .env("CARGO_PROFILE_WASM_STRIP", face.strip)
        .env("CARGO_TARGET_DIR", target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    let status = cargo.status().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        // Asked only now, as it costs a moment and is nearly always fine.
        if !target_is_installed() {
            return Err(format!("the wasm target is missing: run `rustup target add {TARGET}`"));
        }
        return Err(format!("the module `{}` does not build", face.feature));
    }
    let path = target_dir.join(TARGET).join(PROFILE).join("waxseal_wasm.wasm");
    fs::read(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

/// Whether an environment variable of the outer build would change the inner one.
fn leaks(name: &str) -> bool {
    const ABOUT_FETCHING: [&str; 7] =
        ["CARGO_HOME", "CARGO_HTTP", "CARGO_MAKEFLAGS", "CARGO_NET", "CARGO_REGISTR", "CARGO_SOURCE", "CARGO_TERM"];
    let of_rustc = name.starts_with("RUST") && !name.starts_with("RUSTUP") && name != "RUSTC" && name != "RUSTC_WRAPPER";
    of_rustc || (name.starts_with("CARGO_") && !ABOUT_FETCHING.iter().any(|kept| name.starts_with(kept)))
}

fn target_is_installed() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libdir = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    libdir.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

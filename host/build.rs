//! Builds the component from `wasm/` and compiles it ahead of time, so that it always matches the server's own sources,
//! the version of wasmtime and its settings. Writes `component.wasm` and `component.cwasm`.
//!
//! Builds the page too: the files of `www/`, the JavaScript package's, and its two modules. Writes `page.rs`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use wasm_encoder::RawSection;
use wasmparser::{Parser, Payload};
use wasmtime::{Engine, OptLevel, Result, bail, error::Context};

#[path = "src/engine/config.rs"]
#[expect(dead_code, reason = "only the server ticks")]
mod config;
#[path = "build/page.rs"]
mod page;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";

/// What the component's stack may take. Only touched pages cost anything.
const STACK: usize = 128 << 10;
/// The heap that is there from the start, so that a usual request never grows the memory.
const HEAP: usize = 64 << 10;

fn main() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the package lies in a workspace")?;
    for input in [
        "Cargo.lock",
        "Cargo.toml",
        "core/Cargo.toml",
        "core/src",
        "host/build",
        "host/src/engine/config.rs",
        "wasm/Cargo.toml",
        "wasm/js/lib",
        "wasm/src",
        "wasm/wit",
        "www",
    ] {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    let target_dir = out.join("wasm");
    let component = componentize(&build(workspace, &target_dir, &COMPONENT)?)?;
    fs::write(out.join("component.cwasm"), precompile(&component)?)?;
    fs::write(out.join("component.wasm"), component)?;

    let engine =
        build(workspace, &target_dir, &Face { feature: "js", opt_level: "s", strip: "debuginfo", link_args: &[] })?;
    let kdf = build(workspace, &target_dir, &Face { feature: "kdf", opt_level: "3", strip: "symbols", link_args: &[] })?;
    let files = page::files(workspace, engine, strip(&kdf)?).map_err(|error| wasmtime::format_err!("{error:#}"))?;
    page::pack(&files, &out)?;
    Ok(())
}

/// One of the modules that `wasm/` becomes.
struct Face<'a> {
    feature: &'a str,
    /// What is loaded over a wire is made small, what computes is made fast. A profile of its own would build the macros again.
    opt_level: &'a str,
    /// wasm-bindgen looks for the features that the module uses, which a full strip takes away.
    strip: &'a str,
    link_args: &'a [(&'a str, usize)],
}

const COMPONENT: Face<'_> = Face {
    feature: "component",
    opt_level: "3",
    strip: "symbols",
    link_args: &[("-zstack-size", STACK), ("--initial-heap", HEAP)],
};

/// Builds a module. Nothing of the outer build's settings leaks in, so it depends on the sources, the lock file and the compiler
/// only.
fn build(workspace: &Path, target_dir: &Path, face: &Face<'_>) -> Result<Vec<u8>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(leaks) {
            cargo.env_remove(name);
        }
    }
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")))?;
    let mut flags = vec![
        "-Ctarget-feature=+simd128".into(),
        format!("--remap-path-prefix={home}=cargo"),
        format!("--remap-path-prefix={}=", workspace.display()),
        format!("--remap-path-prefix={}=target", target_dir.display()),
    ];
    flags.extend(face.link_args.iter().map(|(name, value)| format!("-Clink-arg={name}={value}")));
    cargo
        .current_dir(workspace)
        .args(["build", "--quiet", "--locked", "--package", "waxseal-wasm", "--lib", "--features", face.feature])
        .args(["--profile", PROFILE, "--target", TARGET])
        .env("CARGO_PROFILE_WASM_OPT_LEVEL", face.opt_level)
        .env("CARGO_PROFILE_WASM_STRIP", face.strip)
        .env("CARGO_TARGET_DIR", target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    if !cargo.status().context("cannot start cargo")?.success() {
        // Asked only now, as it costs a moment and is nearly always fine.
        if !target_is_installed() {
            bail!("the wasm target is missing: run `rustup target add {TARGET}`");
        }
        bail!("the module `{}` does not build", face.feature);
    }
    Ok(fs::read(target_dir.join(TARGET).join(PROFILE).join("waxseal_wasm.wasm"))?)
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

/// Makes a component that imports nothing and carries no names of tools or functions.
fn componentize(module: &[u8]) -> Result<Vec<u8>> {
    let encode = || wit_component::ComponentEncoder::default().module(module)?.validate(true).encode();
    let component = strip(&encode().map_err(|error| wasmtime::format_err!("{error:#}"))?)?;
    // What lies inside may import from its neighbours; only the component's own imports reach outside.
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(imports) if depth == 0 => {
                bail!("the component has {} imports and must have none", imports.count());
            }
            _ => {}
        }
    }
    Ok(component)
}

/// Drops custom sections, also those of the modules inside.
fn strip(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut output = Vec::new();
    let mut outer = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding: wasmparser::Encoding::Module, .. } => output.extend(wasm_encoder::Module::HEADER),
            Payload::Version { .. } => output.extend(wasm_encoder::Component::HEADER),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                outer.push((core::mem::take(&mut output), payload.as_section().map_or(0, |(id, _)| id)));
            }
            Payload::End(_) => {
                let Some((whole, id)) = outer.pop() else { break };
                let inner = core::mem::replace(&mut output, whole);
                section(&mut output, id, &inner);
            }
            Payload::CustomSection(_) => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    section(&mut output, id, &wasm[range]);
                }
            }
        }
    }
    Ok(output)
}

fn section(output: &mut Vec<u8>, id: u8, data: &[u8]) {
    use wasm_encoder::{Encode, Section};
    let section = RawSection { id, data };
    output.push(section.id());
    section.encode(output);
}

/// Compiles for the server's target, whatever the building machine is, and for every CPU of it that is still in use.
fn precompile(component: &[u8]) -> Result<Vec<u8>> {
    let target = env::var("TARGET")?;
    let mut config = config::shared();
    config.target(&target)?.cranelift_opt_level(OptLevel::Speed);
    if target.starts_with("x86_64") {
        // x86-64-v2, that is every CPU since about 2010.
        for feature in ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt", "has_cmpxchg16b"] {
            // SAFETY: wasmtime checks the flags of the compiled code against the CPU when it is loaded.
            #[expect(unsafe_code, reason = "the only way to say for which CPUs the code is compiled")]
            unsafe {
                config.cranelift_flag_enable(feature);
            }
        }
    }
    Engine::new(&config)?.precompile_component(component)
}

//! Builds the component from `wasm/` and compiles it ahead of time, so that it always matches the server's own sources,
//! the version of wasmtime and its settings. Writes `component.wasm` and `component.cwasm`.
//!
//! Also builds the page from `www/`, the JavaScript package and its two modules. Writes `page.rs`.

use std::{env, fs, path::PathBuf, thread};
use wasm_encoder::RawSection;
use wasmparser::{Parser, Payload};
use wasmtime::{Engine, OptLevel, Result, bail, error::Context};

#[path = "src/engine/compile.rs"]
#[expect(dead_code, reason = "only the server ticks")]
mod compile;
#[path = "build/join.rs"]
mod join;
#[path = "build/module.rs"]
mod module;
#[path = "build/order.rs"]
mod order;
#[path = "build/page.rs"]
mod page;
#[path = "build/quiet.rs"]
mod quiet;
#[path = "build/script.rs"]
mod script;

use module::Face;

fn main() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // As it is now: the checkout may have been moved since this was compiled.
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = package.parent().context("the package lies in a workspace")?;
    for input in [
        "Cargo.lock",
        "Cargo.toml",
        "core/Cargo.toml",
        "core/build.rs",
        "core/src",
        "host/build",
        "host/src/engine/compile.rs",
        "wasm/Cargo.toml",
        "wasm/js/lib",
        "wasm/src",
        "wasm/wit",
        "www",
    ] {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    let cargo = env::var("CARGO")?;
    let build = |face: &Face<'_>| {
        // Each in a folder of its own, as cargo builds only one thing at a time in each.
        let target_dir = out.join("wasm").join(face.feature);
        module::build(&cargo, workspace, &target_dir, face).map_err(wasmtime::Error::msg)
    };
    let small = |feature, opt_level| Face { feature, opt_level, strip: "debuginfo", link_args: &["--emit-relocs"] };
    // Side by side: most of each is one thread's work, and everything else waits for it.
    let (module, engine, kdf) = thread::scope(|scope| {
        let engine = scope.spawn(|| build(&small("js", "z")));
        let kdf = scope.spawn(|| build(&small("kdf", "3")));
        (build(&module::COMPONENT), engine.join(), kdf.join())
    });
    let panicked = |_| wasmtime::format_err!("a build panicked");
    let (module, engine, kdf) = (module?, engine.map_err(panicked)??, kdf.map_err(panicked)??);
    let component = componentize(&module)?;
    // For the check that it comes out the same again.
    fs::write(out.join("module.wasm"), module)?;
    fs::write(out.join("component.cwasm"), precompile(&component)?)?;
    fs::write(out.join("component.wasm"), component)?;

    let quiet = |module: &[u8], beyond| quiet::quiet(module, beyond).map_err(|error| wasmtime::format_err!("{error:#}"));
    // Derivations report failures as numbers, so only panics make any text.
    let (engine, kdf) = (quiet(&engine, &[])?, quiet(&kdf, quiet::FORMATTING)?);
    let files = page::files(workspace, engine, &kdf).map_err(|error| wasmtime::format_err!("{error:#}"))?;
    page::pack(&files, &out)?;
    Ok(())
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
    let mut config = compile::shared();
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

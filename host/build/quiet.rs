//! A module without the messages of panics. Nobody would read them in a browser: a panic ends in a trap there, and still does.

use anyhow::{Result, bail};
use std::{collections::HashSet, ops::Range};
use wasm_encoder::{CodeSection, Module, RawSection};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// Parts of the names of functions that never return, and only prepare the message of a panic.
const PANICS: [&str; 7] = [
    "core9panicking",
    "std9panicking",
    "core6option13expect_failed",
    "core6result13unwrap_failed",
    "slice_index_fail",
    "slice_error_fail",
    "copy_from_slice_impl17len_mismatch_fail",
];
/// Part of the names of functions that format floating-point numbers. Only messages of the JSON readers contain such numbers, and the
/// rules never show those: they word their refusals themselves.
const FRACTIONS: &str = "core3fmt5float";
/// Ends of the names of functions that format values for developers, which only messages of panics need.
const DEBUG: [&str; 2] = ["5Debug3fmt", "Debug$GT$3fmt"];
/// Those among them that format texts, which the JSON readers need too.
const TEXTS: [&str; 4] = ["3fmteNt", "3fmtcNt", "3fmtReNt", "6StringNt"];
/// What the paths of sources that panics name begin with.
const PATHS: [&[u8]; 4] = [b"/rustc/", b"cargo/registry/", b"core/src/", b"wasm/src/"];

/// Parts of the names of functions that format values.
pub(crate) const FORMATTING: &[&str] = &["core3fmt", "3str5count"];

/// The bodies of functions that do nothing: `unreachable`; and for those that format, `i32.const 0`, which is `Ok(())`.
const TRAP: &[u8] = &[0, 0x00, 0x0b];
const NO_TEXT: &[u8] = &[0, 0x41, 0x00, 0x0b];

/// The module with the bodies of such functions replaced, and the paths of sources overwritten with zeros. wasm-bindgen then drops what
/// only they have called; for a module that does not go through it, `beyond` may name what else only they call.
///
/// # Errors
/// It is no module, or has no names.
pub(crate) fn quiet(wasm: &[u8], beyond: &[&str]) -> Result<Vec<u8>> {
    let snipped = named(wasm, |name| PANICS.iter().chain(beyond).any(|part| name.contains(part)))?;
    if snipped.is_empty() {
        bail!("the module has no names of functions, or none that panics");
    }
    let is_debug = |name: &str| {
        // The older mangling ends with a hash.
        let name = name.rsplit_once("17h").map_or(name, |(name, _)| name);
        DEBUG.iter().any(|end| name.ends_with(end)) && !TEXTS.iter().any(|text| name.contains(text))
    };
    let wordless = named(wasm, |name| name.contains(FRACTIONS) || is_debug(name))?;
    let mut out = Module::new();
    let mut code = CodeSection::new();
    let mut index = imported(wasm)?;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::CodeSectionEntry(body) => {
                code.raw(match index {
                    _ if snipped.contains(&index) => TRAP,
                    _ if wordless.contains(&index) => NO_TEXT,
                    _ => &wasm[body.range()],
                });
                index += 1;
                continue;
            }
            Payload::CodeSectionStart { .. } => continue,
            _ => {}
        }
        let Some((id, range)) = payload.as_section() else { continue };
        // The code is whole once something follows it.
        if !code.is_empty() {
            out.section(&code);
            code = CodeSection::new();
        }
        let mut data = wasm[range].to_vec();
        if matches!(payload, Payload::DataSection(_)) {
            for path in paths(&data) {
                data[path].fill(0);
            }
        }
        out.section(&RawSection { id, data: &data });
    }
    Ok(out.finish())
}

/// The indices of the functions whose names are wanted.
fn named(wasm: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<HashSet<u32>> {
    let mut found = HashSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for names in names {
            let Name::Function(names) = names? else { continue };
            for naming in names {
                let naming = naming?;
                if is_wanted(naming.name) {
                    found.insert(naming.index);
                }
            }
        }
    }
    Ok(found)
}

/// How many functions are imported: those of the code are counted from there.
fn imported(wasm: &[u8]) -> Result<u32> {
    let mut count = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ImportSection(imports) = payload? else { continue };
        for import in imports.into_imports() {
            count += u32::from(matches!(import?.ty, TypeRef::Func(_)));
        }
    }
    Ok(count)
}

/// Where paths of sources stand.
fn paths(data: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let is_path = PATHS.iter().any(|start| data[at..].starts_with(start));
        let length = data[at..].iter().take_while(|octet| octet.is_ascii_alphanumeric() || b"/._-".contains(octet)).count();
        let end = data[at..at + length].windows(3).position(|end| end == b".rs");
        match end.filter(|_| is_path) {
            Some(end) => {
                found.push(at..at + end + 3);
                at += end + 3;
            }
            None => at += 1,
        }
    }
    found
}

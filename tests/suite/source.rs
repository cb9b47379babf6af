//! Statements of `docs/security.md` about the source itself.

use std::{fs, path::Path, path::PathBuf};
use waxseal_core::{refusal::Refusal, token};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file below `folder`.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn core_forbids_unsafe_and_the_rest_says_why() {
    assert!(read("core/src/lib.rs").contains("#![forbid(unsafe_code)]"));
    assert!(read("Cargo.toml").contains("unsafe_code = \"deny\""));
    let block = regex::Regex::new(r"\bunsafe\s*(\{|impl\b|extern\b)").unwrap();
    for folder in ["core", "host", "wasm", "xtask", "tests"] {
        for path in rust_files(folder) {
            let source = fs::read_to_string(&path).unwrap();
            let lines: Vec<_> = source.lines().collect();
            for (index, line) in lines.iter().enumerate() {
                if line.trim_start().starts_with("//") || !block.is_match(line) || path.ends_with("source.rs") {
                    continue;
                }
                // The attribute with its reason stands within the lines before, at the item or at the function it is in.
                let before = lines[index.saturating_sub(48)..index].join("\n");
                assert!(
                    before.contains("expect(unsafe_code, reason = \""),
                    "{}:{}: `unsafe` without a reason",
                    path.display(),
                    index + 1
                );
            }
        }
    }
}

/// `docs/invariants.md` says so.
#[test]
fn no_dialect_imports_another() {
    let dialects = ["admin", "elasticsearch", "gateway", "openshift", "redis"];
    for dialect in dialects {
        for path in rust_files(&format!("core/src/dialect/{dialect}")) {
            let source = fs::read_to_string(&path).unwrap();
            for other in dialects.iter().filter(|other| **other != dialect) {
                assert!(!source.contains(&format!("dialect::{other}")), "{}: {other}", path.display());
            }
        }
    }
}

/// Where secrets meet what a caller has sent, and what compares them. Whoever changes these looks here too.
#[test]
fn secrets_are_compared_in_constant_time() {
    for (path, comparison) in [
        ("core/src/token/key.rs", "is_some_and(|given| given.ct_eq(&expected).into())"),
        ("core/src/token/key.rs", "self.words().ct_eq(&other.words())"),
        ("core/src/password/hash.rs", "self.output.ct_eq(&derived.bits)"),
        ("core/src/password/hash.rs", "bool::from(self.output.ct_eq(&other.output))"),
        ("core/src/dialect/redis/password.rs", "bool::from(password.as_bytes().ct_eq(old.as_bytes()))"),
        ("core/src/engine/authorization.rs", "derived.as_bytes().ct_eq(token.as_bytes())"),
        ("core/src/engine/pair/mod.rs", "refresh_token(op, &pair).as_bytes().ct_eq(token.as_bytes())"),
    ] {
        assert!(read(path).contains(comparison), "{path} no longer has `{comparison}`");
    }
    // Everything else that is secret is looked up by its digest and never compared; its types know no equality.
    for (path, secret) in
        [("core/src/token/key.rs", "Key"), ("core/src/vault.rs", "Vault"), ("core/src/seam/call.rs", "Entropy")]
    {
        let source = read(path);
        let (before, _) =
            source.split_once(&format!("pub struct {secret}")).unwrap_or_else(|| panic!("no {secret} in {path}"));
        let attributes: String = before.lines().rev().take_while(|line| !line.is_empty() && *line != "}").collect();
        assert!(!attributes.contains("PartialEq"), "{secret} in {path} can be compared");
        assert!(!source.contains(&format!("PartialEq for {secret} ")), "{secret} in {path} can be compared");
    }
}

#[test]
fn every_dependency_is_locked_and_from_the_registry() {
    let lock = read("Cargo.lock");
    let mut packages = 0;
    for package in lock.split("[[package]]").skip(1) {
        packages += 1;
        let field = |name: &str| package.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
        let name = field("name").unwrap();
        if field("source").is_some() {
            assert_eq!(field("source"), Some("\"registry+https://github.com/rust-lang/crates.io-index\""), "{name}");
            assert!(field("checksum").is_some(), "{name} has no checksum");
        } else {
            assert!(name.starts_with("\"waxseal") || name == "\"xtask\"", "{name} comes from nowhere");
        }
    }
    assert!(packages > 50, "only {packages} packages were read");
    assert!(read("xtask/src/cargo.rs").contains("--locked"), "the commands no longer keep to the lock file");
}

/// What is named and not used is built, checked and shipped for nothing.
#[test]
fn every_dependency_is_used() {
    for package in ["core", "wasm", "host"] {
        let code: String = rust_files(&format!("{package}/src")).iter().map(|path| code(path)).collect();
        let manifest = read(&format!("{package}/Cargo.toml"));
        let (_, dependencies) = manifest.split_once("\n[dependencies]\n").unwrap();
        let names = dependencies.lines().take_while(|line| !line.starts_with('['));
        let names: Vec<_> =
            names.filter_map(|line| line.split(['.', ' ']).next().filter(|name| !name.is_empty())).collect();
        assert!(names.len() > 5, "{package}: only {names:?} were read");
        for name in names {
            let used = regex::Regex::new(&format!(r"\b{}\b", name.replace('-', "_"))).unwrap();
            assert!(used.is_match(&code), "{package} does not use {name}");
        }
    }
}

/// What is shown of a refusal, and typed in TypeScript, is what core refuses with, in the order of its checks.
#[test]
fn the_codes_of_refused_tokens_are_those_of_core() {
    let types = read("wasm/js/lib/verify/codes.d.ts");
    let (_, types) = types.split_once("export type TokenCode =").unwrap();
    let (types, _) = types.split_once("\n\n").unwrap();
    let code = regex::Regex::new("'([a-z0-9_]+)'").unwrap();
    let lists: [(&str, &str, &[&str]); 2] = [
        (
            "checks.js",
            &read("www/js/token/checks.js"),
            &[
                Refusal::TokenForeign.code(),
                Refusal::TokenUserGone.code(),
                Refusal::TokenRevoked.code(),
                Refusal::TokenEnded.code(),
            ],
        ),
        ("TokenCode", types, &["not_a_string", Refusal::TokenRevoked.code(), "trap"]),
    ];
    for (name, text, others) in lists {
        let codes = code.captures_iter(text).map(|found| found.extract::<1>().1[0]);
        let (listed, rest): (Vec<_>, Vec<_>) = codes.partition(|code| !others.contains(code));
        assert!(listed.iter().copied().eq(token::Refusal::ALL.iter().map(|refusal| refusal.code())), "{name}: {listed:?}");
        assert_eq!(rest, others, "{name}");
    }
}

/// A file without its comments.
fn code(path: &Path) -> String {
    let source = fs::read_to_string(path).unwrap();
    source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

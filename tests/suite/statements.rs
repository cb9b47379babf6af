//! `docs/security.md` names every statement once, and only tests that exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The statements, in the order of the document.
const STATEMENTS: &[&str] = &[
    "T1", "T1a", "T1b", "T1c", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "T13", "T14", "T15",
    "T16", "T17", "T18", "T19", "E1", "E2", "E3", "E4", "E5", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10",
    "P11", "H1", "H2", "H3", "H4", "H5", "H6", "H7", "L1", "L2", "L3", "L4", "S1", "S2", "S3", "S4", "S5", "C1", "C2",
    "C3",
];

const DOCUMENT: &str = include_str!("../../docs/security.md");

#[test]
fn every_statement_stands_in_the_table_once() {
    let stated: Vec<_> = rows(DOCUMENT).map(|row| row.id).collect();
    assert_eq!(stated, STATEMENTS);
}

#[test]
fn every_statement_is_held_by_tests_that_exist() {
    let known = Known::read();
    let mut missing = Vec::new();
    for Row { id, tests } in rows(DOCUMENT) {
        assert!(!tests.is_empty(), "{id} names no test");
        missing.extend(tests.into_iter().filter(|test| !known.has(test)).map(|test| format!("{id}: {test}")));
    }
    assert!(missing.is_empty(), "there are no tests of these names:\n{}", missing.join("\n"));
}

#[test]
fn a_row_is_read_and_a_missing_test_is_noticed() {
    let rows: Vec<_> = rows("| | x |\n|---|---|\n| T1 | a `b` | c `d` | `e` `f: g, h` |\n| Two | x | `y` |\n").collect();
    assert_eq!(rows, [Row { id: "T1", tests: vec!["e", "f: g, h"] }]);
    let known = Known::read();
    assert!(known.has("a_row_is_read_and_a_missing_test_is_noticed"));
    assert!(known.has("security: there is no default account"));
    assert!(!known.has("there_is_no_such_test"));
    assert!(!known.has("security: there is no such case"));
}

#[derive(Debug, Eq, PartialEq)]
struct Row<'d> {
    id: &'d str,
    tests: Vec<&'d str>,
}

/// The rows of all tables: an id in the first column, tests between backticks in the last.
fn rows(document: &str) -> impl Iterator<Item = Row<'_>> {
    document.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [id, .., tests] = cells[..] else { return None };
        let (letter, number) = id.split_at_checked(1)?;
        let is_statement =
            letter.starts_with(|c: char| c.is_ascii_uppercase()) && number.starts_with(|c: char| c.is_ascii_digit());
        let named = || tests.split('`').skip(1).step_by(2).collect();
        (is_statement && cells.len() > 2).then(|| Row { id, tests: named() })
    })
}

/// Every test there is: Rust functions, JavaScript tests, cases, steps of `cargo xtask test`.
struct Known(BTreeSet<String>);

impl Known {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut known = BTreeSet::new();
        for folder in ["core", "host", "wasm", "tests", "xtask", "www"] {
            files(&root.join(folder), &mut |path| known.extend(tests_in(path)));
        }
        Self(known)
    }

    fn has(&self, test: &str) -> bool {
        self.0.contains(test)
    }
}

fn tests_in(path: &Path) -> Vec<String> {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { return Vec::new() };
    let is_case = path.parent().is_some_and(|parent| parent.ends_with("tests/cases"));
    match extension {
        "rs" => {
            let source = fs::read_to_string(path).unwrap();
            rust_tests(&source).into_iter().chain(steps(&source)).collect()
        }
        "js" | "mjs" => script_tests(&fs::read_to_string(path).unwrap()),
        "json" if is_case => {
            let file: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let scenarios = file["scenarios"].as_array().unwrap();
            scenarios.iter().map(|scenario| format!("{stem}: {}", scenario["name"].as_str().unwrap())).collect()
        }
        _ => Vec::new(),
    }
}

/// Functions that stand under an attribute `#[test]` or `#[….test…]`.
fn rust_tests(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if marked
            && !line.starts_with("#[")
            && let Some((_, rest)) = line.split_once("fn ")
        {
            found.extend(rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned));
            marked = false;
        }
    }
    found
}

/// Steps of `cargo xtask test`.
fn steps(source: &str) -> impl Iterator<Item = String> {
    source.split("steps.step(\"").skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned()))
}

/// First arguments of `test(…)` and `it(…)`.
fn script_tests(source: &str) -> Vec<String> {
    let calls = source.lines().map(str::trim).filter_map(|line| line.strip_prefix("test(").or(line.strip_prefix("it(")));
    calls
        .filter_map(|call| {
            let quote = call.chars().next().filter(|c| "'\"`".contains(*c))?;
            Some(call[1..].split(quote).next()?.to_owned())
        })
        .collect()
}

fn files(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !matches!(name, "target" | "node_modules" | "corpus" | "vectors") {
                files(&path, visit);
            }
        } else {
            visit(&path);
        }
    }
}

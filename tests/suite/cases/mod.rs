//! The one list of HTTP cases (`tests/cases/*.json`), played in every place Waxseal runs.

mod core;
mod engine;
mod file;
mod invariants;
mod matcher;
mod play;
mod server;

use ::core::sync::atomic::{AtomicUsize, Ordering};
use play::World;
use serde_json::{Map, Value, json};
use std::{path::Path, sync::Mutex, thread};
use waxseal::engine::Execution;
use waxseal_core::settings::Settings;

#[test]
fn case_files_are_well_formed() {
    load();
}

#[test]
fn cases_hold_in_core() {
    check_all(|scenario| Box::new(core::Core::open(settings(&scenario.settings))));
}

#[test]
fn cases_hold_in_the_component() {
    check_all(|scenario| Box::new(engine::Driven::open(Execution::Module, settings(&scenario.settings))));
}

#[test]
fn cases_hold_in_the_native_engine() {
    check_all(|scenario| Box::new(engine::Driven::open(Execution::Native, settings(&scenario.settings))));
}

#[test]
fn cases_hold_on_the_live_server() {
    check_all(|scenario| Box::new(server::Live::start(&scenario.settings)));
}

/// Plays every scenario in a world of its own, and fails with all that is not as expected.
fn check_all(open: impl Fn(&file::Scenario) -> Box<dyn World> + Sync) {
    let files = load();
    let wanted = std::env::var("WAXSEAL_CASE").unwrap_or_default();
    let scenarios: Vec<_> =
        files.iter().flat_map(|file| file.scenarios.iter().map(move |scenario| (file, scenario))).collect();
    let scenarios: Vec<_> = scenarios
        .into_iter()
        .filter(|(file, scenario)| format!("{}: {}", file.name, scenario.name).contains(&wanted))
        .collect();
    assert!(!scenarios.is_empty(), "no scenario contains `{wanted}`");

    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((file, scenario)) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = play::play(file, scenario, open(scenario).as_mut());
                    if let Err(error) = verdict {
                        failures.lock().unwrap().push(format!("{}: {}\n  {error}", file.name, scenario.name));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} of {} scenarios fail:\n\n{}\n",
        failures.len(),
        scenarios.len(),
        failures.join("\n\n")
    );
}

fn load() -> Vec<file::CaseFile> {
    file::load_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"))
}

/// The settings of a scenario, with hashing as cheap as can be unless it says otherwise.
fn settings(overrides: &Map<String, Value>) -> Settings {
    let mut overrides = overrides.clone();
    let passwords = overrides.entry("passwords").or_insert(json!({}));
    if passwords.get("scheme").is_none() {
        passwords["scheme"] = json!({ "argon2id": { "memory": 8, "passes": 1, "lanes": 1 } });
    }
    serde_json::from_value(Value::Object(overrides)).unwrap()
}

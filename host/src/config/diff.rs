//! What differs between two configurations.

use super::{Host, Loaded, StatedBy};
use serde_json::{Map, Value};

/// The settings that can change while it runs, and those that do not count while a module is named.
const MODULE: [&str; 2] = ["engine.module", "engine.module_sha256"];
const KINDS: [&str; 2] = ["engine.hot", "engine.api"];

/// The settings of the rules with their values.
fn rules(loaded: &Loaded) -> impl Iterator<Item = (&'static str, String, &StatedBy)> {
    let of_server = |path: &str| ["server.", "log.", "engine."].iter().any(|section| path.starts_with(section));
    loaded.rows().map(|(setting, value, origin)| (setting.path, value, origin)).filter(move |(path, ..)| !of_server(path))
}

/// The settings of the rules that somebody has stated, with their values.
pub(crate) fn stated(loaded: &Loaded) -> Vec<String> {
    let stated = rules(loaded).filter(|(.., origin)| **origin != StatedBy::Default);
    stated.map(|(path, value, _)| format!("{path} {value}")).collect()
}

/// The settings of the rules that differ, with both values.
pub(crate) fn of_rules(before: &Loaded, after: &Loaded) -> Vec<String> {
    let differ = rules(before).zip(rules(after)).filter(|((_, before, _), (_, after, _))| before != after);
    differ.map(|((path, before, _), (_, after, _))| format!("{path} {before} -> {after}")).collect()
}

/// The settings of the server itself that differ and cannot change while it runs, by their paths.
pub(crate) fn of_server(before: &Host, after: &Host) -> Vec<String> {
    let sections = |host: &Host| match serde_json::to_value(host) {
        Ok(Value::Object(sections)) => sections,
        _ => Map::new(),
    };
    let passed: &[&str] = if after.engine.module.is_some() { &KINDS } else { &[] };
    let (before, after) = (sections(before), sections(after));
    let members = after.iter().flat_map(|(section, values)| {
        values.as_object().into_iter().flatten().map(move |(name, value)| (section, name, value))
    });
    let differ =
        members.filter(|(section, name, value)| before.get(*section).and_then(|known| known.get(*name)) != Some(*value));
    let paths = differ.map(|(section, name, _)| format!("{section}.{name}"));
    paths.filter(|path| !MODULE.contains(&path.as_str()) && !passed.contains(&path.as_str())).collect()
}

//! The matchers of the case files, see `tests/cases/README.md`.

use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Matchers that a file has named.
pub(crate) struct Shapes(BTreeMap<String, Value>);

impl Shapes {
    pub(crate) fn new(named: BTreeMap<String, Value>) -> Result<Self, String> {
        let shapes = Self(named);
        for (name, shape) in &shapes.0 {
            Matcher::check(shape, &shapes).map_err(|error| format!("shape `{name}`: {error}"))?;
        }
        Ok(shapes)
    }

    fn find(&self, name: &Value) -> Result<&Value, String> {
        name.as_str().and_then(|name| self.0.get(name)).ok_or_else(|| format!("there is no shape {name}"))
    }
}

/// Compares values with what a case expects of them.
pub(crate) struct Matcher<'a> {
    pub(crate) shapes: &'a Shapes,
    /// What `$same` points into.
    pub(crate) body: &'a Value,
}

/// A matcher's one `$` member, and what stands beside it.
enum Form<'e> {
    Plain(&'e Map<String, Value>),
    Special { name: &'e str, argument: &'e Value, rest: Map<String, Value> },
}

impl Matcher<'_> {
    /// Whether `expected` is well-formed.
    pub(crate) fn check(expected: &Value, shapes: &Shapes) -> Result<(), String> {
        let nested = |value: &Value| Self::check(value, shapes);
        match expected {
            Value::Array(items) => items.iter().try_for_each(nested),
            Value::Object(members) => match form(members)? {
                Form::Plain(members) => members.values().try_for_each(nested),
                Form::Special { name, argument, rest } => match name {
                    "$type" => type_named(argument).map(drop),
                    "$any" | "$absent" if argument == true => Ok(()),
                    "$regex" => whole(argument).map(drop),
                    "$int_between" => between(argument).map(drop),
                    "$one_of" => argument.as_array().ok_or("`$one_of` needs a list")?.iter().try_for_each(nested),
                    "$exactly" => argument.as_object().ok_or("`$exactly` needs an object")?.values().try_for_each(nested),
                    "$not" | "$contains" | "$each" => nested(argument),
                    "$same" if argument.as_str().is_some_and(|pointer| pointer.starts_with('/')) => Ok(()),
                    "$shape" => shapes.find(argument).and_then(|_| rest.values().try_for_each(nested)),
                    _ => Err(format!("no such matcher: `{name}` with {argument}")),
                },
            },
            _ => Ok(()),
        }
    }

    /// `Ok` when `got` is as expected, else where and how it is not. `got` is `None` for what is not there.
    pub(crate) fn compare(&self, at: &str, expected: &Value, got: Option<&Value>) -> Result<(), String> {
        let special = match expected {
            Value::Object(members) => form(members)?,
            _ => return self.compare_plain(at, expected, got),
        };
        let (name, argument, rest) = match special {
            Form::Plain(_) => return self.compare_plain(at, expected, got),
            Form::Special { name, argument, rest } => (name, argument, rest),
        };
        let shown = got.map_or("nothing".into(), Value::to_string);
        let verdict = |holds: bool| if holds { Ok(()) } else { Err(format!("{at}: expected {expected}, got {shown}")) };
        match name {
            "$absent" => verdict(got.is_none()),
            "$any" => verdict(got.is_some()),
            "$not" => verdict(self.compare(at, argument, got).is_err()),
            "$type" => verdict(got.is_some_and(type_named(argument)?)),
            "$regex" => {
                let regex = whole(argument)?;
                verdict(got.and_then(Value::as_str).is_some_and(|text| regex.is_match(text)))
            }
            "$int_between" => {
                let (low, high) = between(argument)?;
                verdict(got.and_then(Value::as_i64).is_some_and(|number| (low..=high).contains(&number)))
            }
            "$one_of" => verdict(argument.as_array().into_iter().flatten().any(|one| self.compare(at, one, got).is_ok())),
            "$same" => verdict(got.is_some() && got == argument.as_str().and_then(|pointer| self.body.pointer(pointer))),
            "$contains" => {
                let items = got.and_then(Value::as_array);
                verdict(items.into_iter().flatten().any(|item| self.compare(at, argument, Some(item)).is_ok()))
            }
            "$each" => {
                let items = got.and_then(Value::as_array).filter(|items| !items.is_empty());
                verdict(items.is_some())?;
                items.into_iter().flatten().try_for_each(|item| self.compare(&format!("{at}/*"), argument, Some(item)))
            }
            "$exactly" => {
                self.compare_plain(at, argument, got)?;
                let known = argument.as_object();
                let extra = got.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
                match extra.into_iter().find(|name| known.is_some_and(|known| !known.contains_key(*name))) {
                    Some(name) => Err(format!("{at}: has `{name}` besides, got {shown}")),
                    None => Ok(()),
                }
            }
            "$shape" => {
                self.compare(at, self.shapes.find(argument)?, got)?;
                self.compare_plain(at, &Value::Object(rest), got)
            }
            _ => Err(format!("no such matcher: `{name}`")),
        }
    }

    fn compare_plain(&self, at: &str, expected: &Value, got: Option<&Value>) -> Result<(), String> {
        match (expected, got) {
            (Value::Object(members), Some(Value::Object(found))) => {
                members.iter().try_for_each(|(name, member)| self.compare(&format!("{at}/{name}"), member, found.get(name)))
            }
            (Value::Array(items), Some(Value::Array(found))) if items.len() == found.len() => (0..)
                .zip(items.iter().zip(found))
                .try_for_each(|(index, (item, found)): (u32, _)| self.compare(&format!("{at}/{index}"), item, Some(found))),
            (expected, Some(got)) if expected == got => Ok(()),
            (expected, got) => {
                Err(format!("{at}: expected {expected}, got {}", got.map_or("nothing".into(), Value::to_string)))
            }
        }
    }
}

fn form(members: &Map<String, Value>) -> Result<Form<'_>, String> {
    let Some((name, argument)) = members.iter().find(|(name, _)| name.starts_with('$')) else {
        return Ok(Form::Plain(members));
    };
    let rest: Map<_, _> = members.iter().filter(|(other, _)| *other != name).map(|(k, v)| (k.clone(), v.clone())).collect();
    if rest.keys().any(|other| name != "$shape" || other.starts_with('$')) {
        return Err(format!("`{name}` stands beside other members"));
    }
    Ok(Form::Special { name, argument, rest })
}

fn type_named(name: &Value) -> Result<fn(&Value) -> bool, String> {
    Ok(match name.as_str() {
        Some("string") => Value::is_string,
        Some("integer") => |value| value.is_i64() || value.is_u64(),
        Some("number") => Value::is_number,
        Some("boolean") => Value::is_boolean,
        Some("array") => Value::is_array,
        Some("object") => Value::is_object,
        Some("null") => Value::is_null,
        _ => return Err(format!("no such type: {name}")),
    })
}

/// The regular expression, made to match as a whole.
fn whole(expression: &Value) -> Result<Regex, String> {
    let text = expression.as_str().ok_or("`$regex` needs a string")?;
    Regex::new(&format!("^(?:{text})$")).map_err(|error| error.to_string())
}

fn between(bounds: &Value) -> Result<(i64, i64), String> {
    match bounds.as_array().map(Vec::as_slice) {
        Some([low, high]) => low.as_i64().zip(high.as_i64()),
        _ => None,
    }
    .ok_or_else(|| "`$int_between` needs two integers".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(expected: &Value, got: &Value, holds: bool) {
        let shapes = Shapes::new([("named".to_owned(), json!({"a": {"$type": "integer"}}))].into()).unwrap();
        Matcher::check(expected, &shapes).unwrap();
        let verdict = Matcher { shapes: &shapes, body: got }.compare("", expected, Some(got));
        assert_eq!(verdict.is_ok(), holds, "{expected} against {got}: {verdict:?}");
    }

    #[track_caller]
    fn check_malformed(expected: &Value) {
        let shapes = Shapes::new(BTreeMap::new()).unwrap();
        assert!(Matcher::check(expected, &shapes).is_err(), "{expected} was taken");
    }

    #[test]
    fn objects_match_in_part_and_arrays_as_a_whole() {
        check(&json!({"a": 1}), &json!({"a": 1, "b": 2}), true);
        check(&json!({"a": 1}), &json!({"a": 1.0}), false);
        check(&json!({"a": null}), &json!({}), false);
        check(&json!([1, {"a": 1}]), &json!([1, {"a": 1, "b": 2}]), true);
        check(&json!([1]), &json!([1, 2]), false);
        check(&json!({"$exactly": {"a": 1}}), &json!({"a": 1}), true);
        check(&json!({"$exactly": {"a": 1}}), &json!({"a": 1, "b": 2}), false);
    }

    #[test]
    fn matchers_can_fail() {
        for (expected, right, wrong) in [
            (json!({"$type": "integer"}), json!(1), json!(1.5)),
            (json!({"$type": "string"}), json!("1"), json!(1)),
            (json!({"$regex": "a+"}), json!("aa"), json!("aab")),
            (json!({"$int_between": [1, 3]}), json!(3), json!(4)),
            (json!({"$one_of": ["a", "b"]}), json!("b"), json!("c")),
            (json!({"$not": "a"}), json!("b"), json!("a")),
            (json!({"$contains": {"a": 1}}), json!([{"a": 2}, {"a": 1}]), json!([{"a": 2}])),
            (json!({"$each": {"a": 1}}), json!([{"a": 1}]), json!([{"a": 1}, {"a": 2}])),
            (json!({"$each": 1}), json!([1]), json!([])),
            (json!({"b": {"$absent": true}}), json!({}), json!({"b": null})),
            (json!({"b": {"$any": true}}), json!({"b": null}), json!({})),
            (json!({"b": {"$same": "/a"}}), json!({"a": "x", "b": "x"}), json!({"a": "x", "b": "y"})),
            (json!({"$shape": "named", "b": 1}), json!({"a": 1, "b": 1}), json!({"a": "1", "b": 1})),
            (json!({"$shape": "named", "b": 1}), json!({"a": 1, "b": 1}), json!({"a": 1})),
        ] {
            check(&expected, &right, true);
            check(&expected, &wrong, false);
        }
    }

    #[test]
    fn a_slip_in_a_matcher_is_an_error() {
        for expected in [
            json!({"$typ": "string"}),
            json!({"$type": "str"}),
            json!({"$regex": "("}),
            json!({"$regex": "a", "b": 1}),
            json!({"$absent": false}),
            json!({"$int_between": [1]}),
            json!({"$shape": "unknown"}),
            json!({"a": [{"$one_of": [{"$nope": 1}]}]}),
        ] {
            check_malformed(&expected);
        }
    }
}

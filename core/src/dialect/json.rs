//! Request bodies: strict JSON, where a repeated name is an error and not a guess (security H5).

use alloc::{string::String, vec::Vec};
use core::{
    cell::Cell,
    fmt,
    ops::{Deref, DerefMut},
};
use serde::{
    Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use zeroize::Zeroize;

/// [`BadJson::Malformed`] in words, with all that it may be about: [`MAX_NAMES`], the levels that the parser takes, and the largest number
/// of 64-bit floating point.
pub(crate) const MALFORMED: &str =
    "the body is not a JSON object with each name once, at most 1024 names, 127 levels and numbers up to 1.79e308";

/// Why a body is not the JSON that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadJson {
    /// Not JSON, or something follows it, or a name repeats, or it has more than is read.
    Malformed,
    /// JSON, but not an object.
    NotAnObject,
}

/// The members of an object that came in a body. Every text is cleared on drop, as one may be a password, a token or a key.
#[derive(Default)]
pub(crate) struct Object(Map<String, Value>);

impl Deref for Object {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Object {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.0.values_mut().for_each(clear);
    }
}

/// Clears every text in `value`, whose depth the reader has limited.
fn clear(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(clear),
        Value::Object(members) => members.values_mut().for_each(clear),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reads a body that must be one JSON object.
pub(crate) fn object(body: &[u8]) -> Result<Object, BadJson> {
    match value(body)? {
        Value::Object(members) => Ok(Object(members)),
        mut other => {
            clear(&mut other);
            Err(BadJson::NotAnObject)
        }
    }
}

/// How many names a body may have in all its objects. What this server is asked has a few dozen at the most, and each name costs memory and
/// time before anybody has looked at credentials.
const MAX_NAMES: u32 = 1024;

/// Reads a body that must be JSON without repeated names; nesting is limited to 127 levels, and names to [`MAX_NAMES`].
pub(crate) fn value(body: &[u8]) -> Result<Value, BadJson> {
    let names = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Strict { names: &names }.deserialize(&mut deserializer);
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|_| BadJson::Malformed)
}

/// Reads a [`Value`] in which no object repeats a name.
#[derive(Clone, Copy)]
struct Strict<'c> {
    /// How many names there were so far.
    names: &'c Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            self.names.set(self.names.get() + 1);
            if self.names.get() > MAX_NAMES {
                return Err(de::Error::custom("too many names"));
            }
            if map.insert(name, access.next_value_seed(self)?).is_some() {
                return Err(de::Error::custom("a name repeats"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// The whole number that `value` states, `None` if it is not one or is written with a fraction or an exponent. Beyond 64 bits it
/// saturates, and from 9.2e18 on also what is written with an exponent; every bound refuses or clamps such numbers alike.
pub(crate) fn integer(value: &Value) -> Option<i128> {
    let Value::Number(number) = value else { return None };
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    // A number with a fraction or an exponent, or a whole one beyond 64 bits. The two are not told apart here; but a number so large has
    // no fraction left, so that `1e30` means what its thirty-one digits mean.
    let float = number.as_f64()?;
    (float.abs() >= 9.2e18).then_some(if float > 0.0 { i128::MAX } else { i128::MIN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<usize, BadJson>) {
        assert_eq!(object(body.as_bytes()).map(|object| object.len()), expected, "{body}");
    }

    #[test]
    fn every_text_is_cleared_wherever_it_stands() {
        let mut members = value(br#"{"a":"b","c":["d",{"e":"f"}],"g":1,"h":null}"#).unwrap();
        clear(&mut members);
        assert_eq!(members, serde_json::json!({"a": "", "c": ["", {"e": ""}], "g": 1, "h": null}));
    }

    #[test]
    fn takes_objects_only() {
        check("{}", Ok(0));
        check(r#" {"a":1,"b":[{"a":1}]} "#, Ok(2));
        check("[]", Err(BadJson::NotAnObject));
        check("null", Err(BadJson::NotAnObject));
        check("", Err(BadJson::Malformed));
        check("{} {}", Err(BadJson::Malformed));
    }

    #[test]
    fn names_are_bounded_wherever_they_stand() {
        let names = |from: u32, count: u32| {
            let pairs: Vec<String> = (from..from + count).map(|at| alloc::format!("\"{at}\":1")).collect();
            alloc::format!("{{{}}}", pairs.join(","))
        };
        check(&names(0, MAX_NAMES), Ok(MAX_NAMES as usize));
        check(&names(0, MAX_NAMES + 1), Err(BadJson::Malformed));
        let nested = |count| alloc::format!("{{\"a\":[{},{}]}}", names(0, count), names(0, MAX_NAMES / 2));
        check(&nested(MAX_NAMES / 2 - 1), Ok(1));
        check(&nested(MAX_NAMES / 2), Err(BadJson::Malformed));
    }

    #[test]
    fn repeated_names_and_trailing_data_are_malformed() {
        check(r#"{"a":1,"a":1}"#, Err(BadJson::Malformed));
        check(r#"{"a":1,"\u0061":2}"#, Err(BadJson::Malformed));
        check(r#"{"x":{"a":1,"a":2}}"#, Err(BadJson::Malformed));
        check("{} {}", Err(BadJson::Malformed));
        check("\u{feff}{}", Err(BadJson::Malformed));
        check(&"[".repeat(200), Err(BadJson::Malformed));
    }

    #[test]
    fn what_is_too_much_is_told() {
        let nested = |levels: usize| alloc::format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        check(&nested(127), Ok(1));
        check(&nested(128), Err(BadJson::Malformed));
        check(r#"{"a":1.79e308}"#, Ok(1));
        check(r#"{"a":1.8e308}"#, Err(BadJson::Malformed));
        for bound in [MAX_NAMES, 127] {
            assert!(MALFORMED.contains(&alloc::format!(" {bound} ")), "{bound}");
        }
    }

    #[test]
    fn whole_numbers() {
        let integer = |text: &str| integer(&value(text.as_bytes()).unwrap());
        assert_eq!(integer("300"), Some(300));
        assert_eq!(integer("-1"), Some(-1));
        assert_eq!(integer("18446744073709551615"), Some(u64::MAX.into()));
        assert_eq!(integer("1000000000000000000000000000000"), Some(i128::MAX));
        assert_eq!((integer("1e30"), integer("-1e30"), integer("1e3")), (Some(i128::MAX), Some(i128::MIN), None));
        for other in ["1.5", "1.0", "\"60\"", "true", "null", "[]", "{}"] {
            assert_eq!(integer(other), None, "{other}");
        }
    }
}

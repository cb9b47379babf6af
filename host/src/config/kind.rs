//! What a setting may be, and how a stated value is read.

use super::notation;
use core::fmt;
use serde_json::{Value, json};
use toml::de::DeValue;

/// What a setting may be. [`fmt::Display`] says it in words.
#[derive(Clone, Copy, Debug)]
pub enum ValueKind {
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
        /// What is counted; empty for a bare number.
        unit: &'static str,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text.
    Text(Grammar),
    /// A text, or the empty text for "not set".
    Optional(Grammar),
    /// A list of texts; in the environment and in flags with commas between them.
    List(Grammar),
    /// Algorithm and cost of password hashes.
    Scheme,
    /// OpenShift lifetimes in the broker's own notation; stands for several settings.
    Timeouts,
}

/// Which texts are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Grammar {
    /// In words.
    pub words: &'static str,
    /// The rule.
    pub holds: fn(&str) -> bool,
}

/// A value as it was stated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a> {
    /// In a file.
    Toml(&'a DeValue<'a>),
    /// In the environment or a flag.
    Text(&'a str),
}

impl Given<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Toml(value) => value.as_str(),
            Self::Text(text) => Some(text),
        }
    }

    fn number(&self) -> Option<u32> {
        match self {
            Self::Toml(value) => {
                let number = value.as_integer()?;
                u32::from_str_radix(number.as_str(), number.radix()).ok()
            }
            Self::Text(text) => text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?,
        }
    }

    fn switch(&self) -> Option<bool> {
        match self {
            Self::Toml(value) => value.as_bool(),
            Self::Text(text) => text.parse().ok(),
        }
    }

    fn list(&self) -> Option<Vec<&str>> {
        match self {
            Self::Toml(value) => value.as_array()?.iter().map(|item| item.get_ref().as_str()).collect(),
            Self::Text("") => Some(Vec::new()),
            Self::Text(text) => Some(text.split(',').map(str::trim).collect()),
        }
    }
}

/// As a message shows it.
impl fmt::Display for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Toml(DeValue::String(text)) => write!(f, "\"{text}\""),
            Self::Toml(DeValue::Integer(number)) => f.write_str(number.as_str()),
            Self::Toml(DeValue::Float(number)) => f.write_str(number.as_str()),
            Self::Toml(DeValue::Boolean(switch)) => write!(f, "{switch}"),
            Self::Toml(DeValue::Datetime(time)) => write!(f, "{time}"),
            Self::Toml(DeValue::Array(items)) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", Given::Toml(item.get_ref()))?;
                }
                f.write_str("]")
            }
            Self::Toml(DeValue::Table(_)) => f.write_str("a table"),
        }
    }
}

impl ValueKind {
    /// The value in serialized form, `None` when it is not allowed.
    pub(super) fn read(&self, given: Given<'_>) -> Option<Value> {
        match *self {
            Self::Switch => given.switch().map(Value::Bool),
            Self::Number { min, max, .. } => {
                given.number().filter(|number| (min..=max).contains(number)).map(|number| json!(number))
            }
            Self::Choice(words) => given.text().filter(|text| words.contains(text)).map(|text| json!(text)),
            Self::Text(grammar) => given.text().filter(|text| (grammar.holds)(text)).map(|text| json!(text)),
            Self::Optional(_) if given.text() == Some("") => Some(Value::Null),
            Self::Optional(grammar) => Self::Text(grammar).read(given),
            Self::List(grammar) => {
                given.list().filter(|items| items.iter().all(|item| (grammar.holds)(item))).map(|items| json!(items))
            }
            Self::Scheme => serde_json::to_value(notation::scheme(given.text()?)?).ok(),
            Self::Timeouts if given.text()?.is_empty() => Some(Value::Null),
            Self::Timeouts => serde_json::to_value(notation::timeouts(given.text()?)?).ok(),
        }
    }

    /// A value in serialized form as the file would state it.
    pub(super) fn show(&self, value: &Value) -> String {
        match (self, value) {
            (Self::Scheme, value) => match serde_json::from_value(value.clone()) {
                Ok(scheme) => format!("\"{}\"", notation::show_scheme(scheme)),
                Err(_) => value.to_string(),
            },
            (_, Value::Null) => "\"\"".into(),
            (_, value) => value.to_string(),
        }
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("`true` or `false`"),
            Self::Number { min, max, unit: "" } => write!(f, "{min} to {max}"),
            Self::Number { min, max, unit } => write!(f, "{min} to {max} {unit}"),
            Self::Choice(words) => {
                let (last, rest) = words.split_last().unwrap_or((&"", &[]));
                let between = if rest.len() == 1 { " " } else { ", " };
                rest.iter().try_for_each(|word| write!(f, "`{word}`{between}"))?;
                write!(f, "or `{last}`")
            }
            Self::Text(grammar) => f.write_str(grammar.words),
            Self::Optional(grammar) => write!(f, "{}, or \"\" for none", grammar.words),
            Self::List(grammar) => write!(f, "a list, each item {}", grammar.words),
            Self::Scheme => f.write_str(
                "`argon2id m=19456 t=2 p=1` with at least these numbers (or m=47104 t=1 p=1), at most m=262144 t=16 p=16",
            ),
            Self::Timeouts => f.write_str(
                "`scope=default|maximum, …` with the scopes session, read, userinfo and *, and times such as 3600, 1.days or \
                 6.months, up to 3650 days, the default no longer than the maximum",
            ),
        }
    }
}

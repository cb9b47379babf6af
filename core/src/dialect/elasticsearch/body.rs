//! Request bodies of this dialect: one JSON object, in which unknown members are an error (contract section 7).

use super::{
    answer,
    error::{error, findings},
};
use crate::{
    dialect::{
        json::{self, Object},
        media_type,
    },
    seam::{Op, Stop},
};
use alloc::{format, string::String, vec::Vec};
use serde_json::{Map, Value, json as value};

/// The members of a body.
pub(super) struct Body {
    /// How the product names what reads it.
    parser: &'static str,
    members: Object,
}

impl Body {
    /// Reads a body whose members are all `known`, and strings.
    ///
    /// # Errors
    /// 406 for another media type, 400 otherwise.
    pub(super) fn read(op: &Op<'_>, parser: &'static str, known: &[&str]) -> Result<Self, Stop> {
        let body = Self::of_any(op, parser, known)?;
        match body.members.iter().find(|(_, member)| !member.is_string()) {
            Some((name, _)) => body.wrong_type(op, name),
            None => Ok(body),
        }
    }

    /// Reads a body whose members are all `known`, of whatever type.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub(super) fn of_any(op: &Op<'_>, parser: &'static str, known: &[&str]) -> Result<Self, Stop> {
        if op.request.body.is_empty() {
            return bad(op, "parse_exception", "request body is required");
        }
        check_media_type(op)?;
        let Ok(members) = json::object(&op.request.body) else {
            return bad(op, "x_content_parse_exception", &format!("[{parser}] {}", json::MALFORMED));
        };
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => bad(op, "x_content_parse_exception", &format!("[{parser}] unknown field [{name}]")),
            None => Ok(Self { parser, members }),
        }
    }

    /// A member that is there and not empty, of a body of strings.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the member is there, even if empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// A member that may be missing and otherwise is a string.
    ///
    /// # Errors
    /// 400.
    pub(super) fn string(&self, op: &Op<'_>, name: &str) -> Result<Option<&str>, Stop> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.wrong_type(op, name),
        }
    }

    /// A member that may be missing, or `null`, or empty, all of which say that there is none, and otherwise is a string.
    ///
    /// # Errors
    /// 400.
    pub(super) fn string_or_none(&self, op: &Op<'_>, name: &str) -> Result<Option<&str>, Stop> {
        match self.members.get(name) {
            Some(Value::Null) => Ok(None),
            _ => Ok(self.string(op, name)?.filter(|text| !text.is_empty())),
        }
    }

    /// A member that may be missing and otherwise is a boolean.
    ///
    /// # Errors
    /// 400.
    pub(super) fn flag(&self, op: &Op<'_>, name: &str) -> Result<Option<bool>, Stop> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => self.wrong_type(op, name),
        }
    }

    /// A member that may be missing and otherwise is a list of strings.
    ///
    /// # Errors
    /// 400.
    pub(super) fn strings(&self, op: &Op<'_>, name: &str) -> Result<Option<Vec<&str>>, Stop> {
        let Some(texts) = self.list(op, name, Value::is_string)? else { return Ok(None) };
        Ok(Some(texts.iter().filter_map(Value::as_str).collect()))
    }

    /// Like [`Body::strings`]; one text stands for what it has between commas.
    ///
    /// # Errors
    /// 400.
    pub(super) fn strings_or_text(&self, op: &Op<'_>, name: &str) -> Result<Option<Vec<&str>>, Stop> {
        match self.members.get(name) {
            Some(Value::String(text)) => Ok(Some(text.split(',').filter(|part| !part.is_empty()).collect())),
            _ => self.strings(op, name),
        }
    }

    /// A member that may be missing and otherwise is a list of what `is` says.
    ///
    /// # Errors
    /// 400.
    pub(super) fn list(&self, op: &Op<'_>, name: &str, is: fn(&Value) -> bool) -> Result<Option<&[Value]>, Stop> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Value::Array(values)) if values.iter().all(is) => Ok(Some(values)),
            Some(_) => self.wrong_type(op, name),
        }
    }

    /// A member that may be missing and otherwise is an object.
    ///
    /// # Errors
    /// 400.
    pub(super) fn object(&self, op: &Op<'_>, name: &str) -> Result<Option<&Map<String, Value>>, Stop> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => self.wrong_type(op, name),
        }
    }

    fn wrong_type<T>(&self, op: &Op<'_>, name: &str) -> Result<T, Stop> {
        let reason = format!("[{}] {name} doesn't support values of this type", self.parser);
        bad(op, "x_content_parse_exception", &reason)
    }
}

/// A request that says everything by its path: without a body, or with `{}`.
///
/// # Errors
/// As [`Body::read`].
pub(super) fn none(op: &Op<'_>, parser: &'static str) -> Result<(), Stop> {
    if op.request.body.is_empty() { Ok(()) } else { Body::of_any(op, parser, &[]).map(drop) }
}

/// 400 in the product's own form.
pub(super) fn bad<T>(op: &Op<'_>, kind: &str, reason: &str) -> Result<T, Stop> {
    Err(Stop::answer(error(op, 400, kind, reason, &[])))
}

/// 400 for what is well-formed and cannot be, such as a contradictory or empty selection.
pub(super) fn invalid<T>(op: &Op<'_>, finding: &str) -> Result<T, Stop> {
    bad(op, "action_request_validation_exception", &findings(&[finding.into()]))
}

/// JSON, or the compatible form of it, with any parameters.
fn check_media_type(op: &Op<'_>) -> Result<(), Stop> {
    let text = match op.request.header_values("content-type").next().map(String::from_utf8_lossy) {
        None => "Content-Type header is missing".into(),
        Some(declared) => {
            let media_type = media_type(&declared).to_ascii_lowercase();
            if matches!(media_type.as_str(), "application/json" | "application/vnd.elasticsearch+json") {
                return Ok(());
            }
            format!("Content-Type header [{declared}] is not supported")
        }
    };
    Err(Stop::answer(answer::json(op, 406, &value!({ "error": text, "status": 406 }))))
}

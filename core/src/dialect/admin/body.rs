//! Request bodies: one JSON object with members that are known.

use super::error::refused;
use crate::{
    dialect::json::{self, BadJson, Object},
    seam::{Op, Stop},
};
use alloc::format;
use serde_json::Value;

/// The members of a body.
pub(super) struct Body(Object);

impl Body {
    /// The body, which may have the members `known`. An empty one counts as `{}`.
    ///
    /// # Errors
    /// 400 `malformed_json`, `not_an_object`, `unknown_member`.
    pub(super) fn of(op: &Op<'_>, known: &[&str]) -> Result<Self, Stop> {
        if op.request.body.is_empty() {
            return Ok(Self(Object::default()));
        }
        let body = match json::object(&op.request.body) {
            Ok(object) => Self(object),
            Err(BadJson::Malformed) => return refused(400, "malformed_json", json::MALFORMED),
            Err(BadJson::NotAnObject) => return refused(400, "not_an_object", "the body is not a JSON object"),
        };
        match body.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => refused(400, "unknown_member", &format!("`{name}` is not a member of this request")),
            None => Ok(body),
        }
    }

    /// A member as it was sent.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A member that may be missing and otherwise is a string.
    ///
    /// # Errors
    /// 400 `wrong_type`.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Stop> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => wrong_type(name, "a string"),
        }
    }

    /// A string that must be there.
    ///
    /// # Errors
    /// 400 `missing_member`, `wrong_type`.
    pub(super) fn need(&self, name: &str) -> Result<&str, Stop> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => missing(name),
        }
    }

    /// A member that may be missing, which counts as `false`.
    ///
    /// # Errors
    /// 400 `wrong_type`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Stop> {
        match self.0.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => wrong_type(name, "true or false"),
        }
    }

    /// A member that may be missing and otherwise is a whole number.
    ///
    /// # Errors
    /// 400 `wrong_type`.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i128>, Stop> {
        match self.0.get(name).map(json::integer) {
            None => Ok(None),
            Some(Some(number)) => Ok(Some(number)),
            Some(None) => wrong_type(name, "a whole number"),
        }
    }
}

/// The request must have no body, or an empty object.
///
/// # Errors
/// As [`Body::of`].
pub(super) fn none(op: &Op<'_>) -> Result<(), Stop> {
    Body::of(op, &[]).map(drop)
}

/// 400: a member is missing.
pub(super) fn missing<T>(name: &str) -> Result<T, Stop> {
    refused(400, "missing_member", &format!("`{name}` is missing"))
}

/// 400: a member is of another type.
pub(super) fn wrong_type<T>(name: &str, expected: &str) -> Result<T, Stop> {
    refused(400, "wrong_type", &format!("`{name}` is not {expected}"))
}

/// 400: a member has a value that it cannot have.
pub(super) fn invalid<T>(name: &str, why: &str) -> Result<T, Stop> {
    refused(400, "invalid_value", &format!("`{name}` {why}"))
}

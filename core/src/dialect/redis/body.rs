//! Request bodies of this API: one JSON object whose unknown members are ignored.

use super::{
    JSON,
    error::{invalid, refused},
};
use crate::{
    dialect::{
        form::Form,
        json::{self, BadJson, Object},
        media_type,
    },
    seam::{Method, Op, Stop},
};
use alloc::{borrow::ToOwned, format, string::String};
use serde_json::Value;
use zeroize::Zeroizing;

/// Rehearsals are not offered (contract, "leave out"), and one that was taken for the real thing would change what its sender wants
/// unchanged.
///
/// # Errors
/// 400 `invalid_schema` with `dry_run` in the query, unless it is `false` or `0`.
pub(super) fn check_real(op: &Op<'_>) -> Result<(), Stop> {
    let says_so = |(name, value): (&str, &str)| {
        name.eq_ignore_ascii_case("dry_run") && !value.eq_ignore_ascii_case("false") && value != "0"
    };
    // One by one, so that what is malformed hides nothing beside it.
    let rehearses = |pair: &str| match Form::parse_unescaped(pair.as_bytes()) {
        Ok(pair) => pair.pairs().any(says_so),
        Err(_) => pair.to_ascii_lowercase().starts_with("dry_run"),
    };
    if op.request.query.split('&').any(rehearses) {
        return invalid("`dry_run` is not supported: nothing was changed");
    }
    Ok(())
}

/// The members of a body.
pub(super) struct Body(Object);

impl Body {
    /// A body that must be there, of a request that means what it says.
    ///
    /// # Errors
    /// 400 `empty_request` without a body; otherwise as [`check_real`] and [`Body::optional`].
    pub(super) fn required(op: &Op<'_>) -> Result<Self, Stop> {
        check_real(op)?;
        if op.request.body.is_empty() {
            return refused(400, "empty_request", "the request needs a body");
        }
        Self::optional(op)
    }

    /// A body that may be missing or empty, which counts as `{}`.
    ///
    /// # Errors
    /// 400 `invalid_schema` when it is not one JSON object, or comes with another content type (which is not looked at on DELETE:
    /// clients send that without one).
    pub(super) fn optional(op: &Op<'_>) -> Result<Self, Stop> {
        if op.request.body.is_empty() {
            return Ok(Self(Object::default()));
        }
        let declared = op.request.header("content-type");
        let is_json = declared.is_some_and(|declared| media_type(declared).eq_ignore_ascii_case(JSON));
        if op.request.method != Method::Delete && !is_json {
            return invalid("the content type of the body must be application/json");
        }
        match json::object(&op.request.body) {
            Ok(object) => Ok(Self(object)),
            Err(BadJson::Malformed) => invalid(json::MALFORMED),
            Err(BadJson::NotAnObject) => invalid("the body must be a JSON object"),
        }
    }

    /// Hashes are not taken instead of passwords, and never for passwords (contract section 6).
    ///
    /// # Errors
    /// 400 `invalid_schema` with `password_hash_method`, whatever it is.
    pub(super) fn check_hash_method(&self) -> Result<(), Stop> {
        if self.value("password_hash_method").is_some() {
            return invalid("`password_hash_method` is not supported: send the password itself");
        }
        Ok(())
    }

    /// A member as it was sent.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A member that may be missing and otherwise is a string.
    ///
    /// # Errors
    /// 400 `invalid_schema`.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Stop> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_owned())),
            Some(_) => invalid(&format!("`{name}` must be a string")),
        }
    }

    /// A password that may be missing and otherwise is a string that is not empty.
    ///
    /// # Errors
    /// 400 `invalid_schema`.
    pub(super) fn password(&self, name: &str) -> Result<Option<Zeroizing<String>>, Stop> {
        match self.text(name)? {
            Some(text) if text.is_empty() => invalid(&format!("`{name}` must not be empty")),
            text => Ok(text.map(Zeroizing::new)),
        }
    }

    /// A member that must be there.
    ///
    /// # Errors
    /// 400 `missing_field`.
    pub(super) fn need<T>(name: &str, value: Option<T>) -> Result<T, Stop> {
        match value {
            Some(value) => Ok(value),
            None => refused(400, "missing_field", &format!("`{name}` is missing")),
        }
    }

    /// A member that may be missing and otherwise is a boolean.
    ///
    /// # Errors
    /// 400 `invalid_schema`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Stop> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => invalid(&format!("`{name}` must be true or false")),
        }
    }

    /// A member that may be missing and otherwise is a whole number.
    ///
    /// # Errors
    /// 400 `invalid_schema`.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i128>, Stop> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        match json::integer(value) {
            Some(number) => Ok(Some(number)),
            None => invalid(&format!("`{name}` must be a whole number")),
        }
    }

    /// A member that may be missing and otherwise is a whole number within bounds.
    ///
    /// # Errors
    /// 400 `invalid_schema`.
    pub(super) fn integer_within(&self, name: &str, min: u32, max: u32) -> Result<Option<u32>, Stop> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        match u32::try_from(number).ok().filter(|number| (min..=max).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => invalid(&format!("`{name}` must be from {min} to {max}")),
        }
    }
}

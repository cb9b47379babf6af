//! Request bodies of this dialect: one JSON object of strings, in which unknown members are an error (contract section 7).

use super::{
    answer,
    error::{error, findings},
};
use crate::{
    dialect::json,
    seam::{Op, Stop},
};
use alloc::{format, string::String};
use serde_json::{Map, Value, json as value};

/// The members of a body.
pub(super) struct Body(Map<String, Value>);

impl Body {
    /// Reads a body whose members are all `known`; `parser` is how the product names what reads it.
    ///
    /// # Errors
    /// 406 for another media type, 400 otherwise.
    pub(super) fn read(op: &Op<'_>, parser: &str, known: &[&str]) -> Result<Self, Stop> {
        if op.request.body.is_empty() {
            return bad(op, "parse_exception", "request body is required");
        }
        check_media_type(op)?;
        let Ok(members) = json::object(&op.request.body) else {
            return bad(
                op,
                "x_content_parse_exception",
                &format!("[{parser}] the body is not a JSON object with each name once"),
            );
        };
        for (name, member) in &members {
            if !known.contains(&name.as_str()) {
                return bad(op, "x_content_parse_exception", &format!("[{parser}] unknown field [{name}]"));
            }
            if !member.is_string() {
                return bad(
                    op,
                    "x_content_parse_exception",
                    &format!("[{parser}] {name} doesn't support values of this type"),
                );
            }
        }
        Ok(Self(members))
    }

    /// A member that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the member is there, be it empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// 400 in the product's own form.
fn bad<T>(op: &Op<'_>, kind: &str, reason: &str) -> Result<T, Stop> {
    Err(Stop::Answer(error(op, 400, kind, reason, &[])))
}

/// 400 for a contradictory or empty selection.
pub(super) fn invalid<T>(op: &Op<'_>, finding: &str) -> Result<T, Stop> {
    bad(op, "action_request_validation_exception", &findings(&[finding.into()]))
}

/// JSON, or the compatible form of it, with any parameters.
fn check_media_type(op: &Op<'_>) -> Result<(), Stop> {
    let text = match op.request.header("content-type") {
        None => "Content-Type header is missing".into(),
        Some(declared) => {
            let media_type = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            if matches!(media_type.as_str(), "application/json" | "application/vnd.elasticsearch+json") {
                return Ok(());
            }
            format!("Content-Type header [{declared}] is not supported")
        }
    };
    Err(Stop::Answer(answer::json(op, 406, &value!({ "error": text, "status": 406 }))))
}

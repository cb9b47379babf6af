//! The envelope around every answer (contract section 7).

use super::{
    negotiate::{Format, Negotiated, supported},
    xml,
};
use crate::seam::Response;
use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use serde_json::{Value, json};

/// One message of an answer.
pub(super) struct Message {
    exit_code: Option<u32>,
    field: Option<&'static str>,
    severity: &'static str,
    text: String,
}

impl Message {
    /// A success.
    pub(super) fn info(text: impl Into<String>) -> Self {
        Self { exit_code: Some(0), field: None, severity: "info", text: text.into() }
    }

    /// An error with its number.
    pub(super) fn error(exit_code: u32, field: Option<&'static str>, text: &str) -> Self {
        Self { exit_code: Some(exit_code), field, severity: "error", text: text.into() }
    }

    /// An error that has no number.
    pub(super) fn unnumbered(text: &str) -> Self {
        Self { exit_code: None, field: None, severity: "error", text: text.into() }
    }
}

/// An answer before it is put into its envelope.
pub(super) struct Reply {
    status: u16,
    kind: Option<&'static str>,
    data: Value,
    messages: Vec<Message>,
}

impl Reply {
    /// Something to show.
    pub(super) fn of(kind: &'static str, data: Value) -> Self {
        Self { status: 200, kind: Some(kind), data, messages: Vec::new() }
    }

    /// An empty list of something this server has none of.
    pub(super) fn none_of(kind: &'static str, text: &str) -> Self {
        Self::of(kind, json!([])).saying(text)
    }

    /// Something is gone.
    pub(super) fn gone(text: impl Into<String>) -> Self {
        Self { status: 200, kind: None, data: Value::Null, messages: vec![Message::info(text)] }
    }

    /// An error.
    pub(super) fn failed(status: u16, message: Message) -> Self {
        Self { status, kind: None, data: Value::Null, messages: vec![message] }
    }

    /// This reply for something new.
    pub(super) fn created(self) -> Self {
        Self { status: 201, ..self }
    }

    /// This reply with a message of success.
    pub(super) fn saying(mut self, text: &str) -> Self {
        self.messages.push(Message::info(text));
        self
    }
}

/// The answer to send. What is gone is 204 without a body up to version 1.4.
pub(super) fn render(agreed: Negotiated, mut reply: Reply) -> Response {
    if agreed.nolinks {
        drop_links(&mut reply.data);
    }
    let is_gone = reply.kind.is_none() && reply.status == 200;
    if is_gone && agreed.version <= 14 {
        return Response::empty(204).with_header("cache-control", "no-store");
    }
    let version = f64::from(agreed.version) / 10.0;
    let messages: Vec<_> = reply
        .messages
        .into_iter()
        .map(|Message { exit_code, field, severity, text }| {
            json!({ "exit_code": exit_code, "field": field, "index": null, "severity": severity, "text": text })
        })
        .collect();
    let envelope = json!({
        "api_version": version,
        "version": format!("{version:.1}"),
        "supported_api_versions": supported().collect::<Vec<_>>(),
        "status": status_word(reply.status),
        "type": reply.kind,
        "data": reply.data,
        "messages": messages,
    });
    let (media_type, body) = match agreed.format {
        Format::Json => ("application/json; charset=utf-8", envelope.to_string().into_bytes()),
        Format::Xml => ("application/xml; charset=utf-8", xml::render(&envelope)),
    };
    Response::new(reply.status, media_type, body).with_header("cache-control", "no-store")
}

fn drop_links(data: &mut Value) {
    match data {
        Value::Object(members) => _ = members.remove("links"),
        Value::Array(items) => items.iter_mut().for_each(drop_links),
        _ => {}
    }
}

/// The reason phrase in snake case.
const fn status_word(status: u16) -> &'static str {
    match status {
        200 => "ok",
        201 => "created",
        400 => "bad_request",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        406 => "not_acceptable",
        409 => "conflict",
        415 => "unsupported_media_type",
        422 => "unprocessable_entity",
        _ => "internal_server_error",
    }
}

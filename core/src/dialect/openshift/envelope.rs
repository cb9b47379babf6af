//! The envelope around every answer (contract section 7).

use super::{
    authorizations::Shown,
    negotiate::{Format, Negotiated, supported, written},
    xml,
};
use crate::seam::Response;
use alloc::{string::String, vec, vec::Vec};
use serde::Serialize;
use serde_json::{Value, json};

/// One message of an answer.
#[derive(Serialize)]
pub(super) struct Message {
    exit_code: Option<u32>,
    field: Option<&'static str>,
    index: Option<u32>,
    severity: &'static str,
    text: String,
}

impl Message {
    /// A success.
    pub(super) fn info(text: impl Into<String>) -> Self {
        Self { exit_code: Some(0), field: None, index: None, severity: "info", text: text.into() }
    }

    /// An error with its number.
    pub(super) fn error(exit_code: u32, field: Option<&'static str>, text: &str) -> Self {
        Self { exit_code: Some(exit_code), field, index: None, severity: "error", text: text.into() }
    }

    /// An error that has no number.
    pub(super) fn unnumbered(text: &str) -> Self {
        Self { exit_code: None, field: None, index: None, severity: "error", text: text.into() }
    }
}

/// What an answer is about. A list of authorizations can be long, so it becomes no [`Value`].
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Data {
    Value(Value),
    Authorizations(Vec<Shown>),
}

/// An answer before it is put into its envelope.
pub(super) struct Reply {
    status: u16,
    kind: Option<&'static str>,
    data: Data,
    messages: Vec<Message>,
}

/// Every part of an answer.
#[derive(Serialize)]
pub(super) struct Envelope {
    pub(super) api_version: f64,
    pub(super) data: Data,
    pub(super) messages: Vec<Message>,
    pub(super) status: &'static str,
    pub(super) supported_api_versions: Vec<f64>,
    #[serde(rename = "type")]
    pub(super) kind: Option<&'static str>,
    pub(super) version: String,
}

impl Reply {
    /// Something to show.
    pub(super) fn of(kind: &'static str, data: impl Serialize) -> Self {
        // Nothing in it is keyed by anything but text, so this does not fail.
        let data = Data::Value(serde_json::to_value(data).unwrap_or_default());
        Self { status: 200, kind: Some(kind), data, messages: Vec::new() }
    }

    /// Authorizations to show.
    pub(super) fn authorizations(shown: Vec<Shown>) -> Self {
        Self { status: 200, kind: Some("authorizations"), data: Data::Authorizations(shown), messages: Vec::new() }
    }

    /// An empty list of something this server has none of.
    pub(super) fn none_of(kind: &'static str, text: &str) -> Self {
        Self::of(kind, json!([])).saying(text)
    }

    /// Something is gone.
    pub(super) fn gone(text: impl Into<String>) -> Self {
        Self { status: 200, kind: None, data: Data::Value(Value::Null), messages: vec![Message::info(text)] }
    }

    /// An error.
    pub(super) fn failed(status: u16, message: Message) -> Self {
        Self { status, kind: None, data: Data::Value(Value::Null), messages: vec![message] }
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
    let word = status_word(reply.status);
    if let (true, Data::Value(data)) = (agreed.nolinks, &mut reply.data) {
        drop_links(data);
    }
    let is_gone = reply.kind.is_none() && reply.status == 200;
    if is_gone && agreed.version <= 14 {
        return Response::empty(204).with_header("cache-control", "no-store");
    }
    let envelope = Envelope {
        api_version: f64::from(agreed.version) / 10.0,
        data: reply.data,
        messages: reply.messages,
        status: word,
        supported_api_versions: supported().collect(),
        kind: reply.kind,
        version: written(agreed.version),
    };
    let (media_type, body) = match agreed.format {
        // Nothing in it is keyed by anything but text, so this does not fail.
        Format::Json => ("application/json; charset=utf-8", serde_json::to_vec(&envelope).unwrap_or_default()),
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
        408 => "request_timeout",
        409 => "conflict",
        413 => "payload_too_large",
        415 => "unsupported_media_type",
        422 => "unprocessable_entity",
        503 => "service_unavailable",
        _ => "internal_server_error",
    }
}

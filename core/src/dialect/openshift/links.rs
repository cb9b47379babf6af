//! Links, absolute as the client sees the server (contract section 11).

use super::Exchange;
use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;
use serde::Serialize;
use serde_json::Value;

/// What can be done next, and where.
#[derive(Serialize)]
pub(super) struct Link {
    href: String,
    method: &'static str,
    rel: &'static str,
    required_params: &'static [Required],
    optional_params: Vec<Optional>,
}

/// A text that must be given.
#[derive(Serialize)]
pub(super) struct Required {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
    valid_options: [(); 0],
    invalid_options: [(); 0],
}

impl Required {
    pub(super) const fn text(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: "string", description, valid_options: [], invalid_options: [] }
    }
}

/// A parameter that may be given.
#[derive(Serialize)]
pub(super) struct Optional {
    pub(super) name: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) description: String,
    pub(super) valid_options: Vec<Value>,
    pub(super) default_value: Value,
}

impl Exchange<'_> {
    /// A link to a path below `/broker/rest`.
    pub(super) fn link(
        &self,
        method: &'static str,
        rel: &'static str,
        path: &str,
        required_params: &'static [Required],
    ) -> Link {
        let href = format!("{}/broker/rest{path}", self.base());
        Link { href, method, rel, required_params, optional_params: Vec::new() }
    }

    /// Scheme and authority: as configured, else as the request came in. A default port is left out, as rhc takes a colon in
    /// a link for a placeholder.
    fn base(&self) -> String {
        let (scheme, host) = match self.op.settings.openshift.public_url.as_deref().and_then(|url| url.split_once("://")) {
            Some(stated) => stated,
            None => (if self.op.moment.peer.secure { "https" } else { "http" }, self.host()),
        };
        let port = if scheme == "https" { ":443" } else { ":80" };
        format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(host))
    }

    /// Host and port as the client sees them.
    fn host(&self) -> &str {
        let host = self.op.moment.peer.host.as_deref().or_else(|| self.op.request.header("host")).unwrap_or_default();
        let clean = host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-:[]_".contains(&octet));
        if clean && !host.is_empty() && !host.starts_with(':') { host } else { "localhost" }
    }
}

impl Link {
    /// This link with parameters that may be given.
    pub(super) fn taking(self, optional_params: Vec<Optional>) -> Self {
        Self { optional_params, ..self }
    }
}

/// `text` as one segment of a path, its dots escaped too: what stands behind one could be taken for `.json` or `.xml`.
pub(super) fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_~".contains(&octet) {
            segment.push(octet.into());
        } else {
            // Writing to a string does not fail.
            let _ = write!(segment, "%{octet:02X}");
        }
    }
    segment
}

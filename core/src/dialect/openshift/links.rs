//! Links, absolute as the client sees the server (contract section 11).

use super::Exchange;
use alloc::{format, string::String};
use core::fmt::Write;
use serde_json::{Value, json};

impl Exchange<'_> {
    /// A link to a path below `/broker/rest`.
    pub(super) fn link(&self, method: &str, rel: &str, path: &str, required: &Value, optional: &Value) -> Value {
        json!({
            "href": format!("{}/broker/rest{path}", self.base()),
            "method": method,
            "rel": rel,
            "required_params": required,
            "optional_params": optional,
        })
    }

    /// A link without parameters.
    pub(super) fn plain_link(&self, method: &str, rel: &str, path: &str) -> Value {
        self.link(method, rel, path, &json!([]), &json!([]))
    }

    /// Scheme and authority: as configured, else as the request came in. A default port is left out, as rhc takes a colon in
    /// a link for a placeholder.
    fn base(&self) -> String {
        let (scheme, host) = match self.op.settings.openshift.public_url.as_deref().and_then(|url| url.split_once("://")) {
            Some((scheme, host)) => (scheme, host.trim_end_matches('/')),
            None => (if self.op.moment.peer.secure { "https" } else { "http" }, self.host()),
        };
        let port = if scheme == "https" { ":443" } else { ":80" };
        format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(host))
    }

    /// Host and port as the client sees them.
    fn host(&self) -> &str {
        let host = self.op.moment.peer.host.as_deref().or_else(|| self.op.request.header("host")).unwrap_or_default();
        let clean = host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-:[]_".contains(&octet));
        if clean && !host.is_empty() { host } else { "localhost" }
    }
}

/// `text` as one segment of a path, its dots too: what stands behind one could be taken for `.json` or `.xml`.
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

/// A parameter that must be given.
pub(super) fn required(name: &str, description: &str) -> Value {
    json!({ "name": name, "type": "string", "description": description, "valid_options": [], "invalid_options": [] })
}

/// A parameter that may be given.
pub(super) fn optional(name: &str, kind: &str, description: &str, valid: &Value, default: &Value) -> Value {
    json!({ "name": name, "type": kind, "description": description, "valid_options": valid, "default_value": default })
}

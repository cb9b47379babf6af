//! Links, absolute as the client sees the server (contract section 11).

use super::Exchange;
use alloc::{format, string::String};
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
        if let Some(url) = &self.op.settings.openshift.public_url {
            return url.trim_end_matches('/').into();
        }
        let peer = &self.op.moment.peer;
        let (scheme, port) = if peer.secure { ("https", ":443") } else { ("http", ":80") };
        let host = peer.host.as_deref().or_else(|| self.op.request.header("host")).unwrap_or("localhost");
        let clean = host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-:[]_".contains(&octet));
        let host = if clean { host } else { "localhost" };
        format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(host))
    }
}

/// A parameter that must be given.
pub(super) fn required(name: &str, description: &str) -> Value {
    json!({ "name": name, "type": "string", "description": description, "valid_options": [], "invalid_options": [] })
}

/// A parameter that may be given.
pub(super) fn optional(name: &str, kind: &str, description: &str, valid: &Value, default: &Value) -> Value {
    json!({ "name": name, "type": kind, "description": description, "valid_options": valid, "default_value": default })
}

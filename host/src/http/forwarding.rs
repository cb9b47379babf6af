//! How trusted proxies speak.

use serde::{Deserialize, Serialize};

/// Which headers the trusted proxies write. Only one kind is believed: what a proxy does not write itself it may pass on from
/// the client.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forwarding {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

//! What every answer of this dialect has (contract section 9).

use crate::seam::{Op, Response};
use serde::Serialize;

/// An answer with a JSON body, in the media type that was asked for.
pub(super) fn json(op: &Op<'_>, status: u16, body: &impl Serialize) -> Response {
    let mut accepted = op.request.header_values("accept").filter_map(|line| str::from_utf8(line).ok());
    let compatible = accepted.find_map(compatible_with);
    let media_type = match compatible {
        Some('7') => "application/vnd.elasticsearch+json;compatible-with=7",
        Some('9') => "application/vnd.elasticsearch+json;compatible-with=9",
        Some(_) => "application/vnd.elasticsearch+json;compatible-with=8",
        None => "application/json",
    };
    // Clients refuse any success without the product header; sending it always is simplest.
    Response::new(status, media_type, serde_json::to_vec(body).unwrap_or_default())
        .with_header("x-elastic-product", "Elasticsearch")
        .with_header("cache-control", "no-store")
}

/// The major version of `application/vnd.elasticsearch+json; compatible-with=8`.
fn compatible_with(accept: &str) -> Option<char> {
    let accept = accept.to_ascii_lowercase();
    let (_, parameters) = accept.split_once("application/vnd.elasticsearch+json")?;
    let (_, version) = parameters.split_once("compatible-with")?;
    version.trim_start().strip_prefix('=')?.trim_start().chars().next()
}

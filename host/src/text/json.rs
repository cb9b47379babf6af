//! JSON that others have written.

use serde::Deserialize;

/// What the object in `json` says; `None` when it is something else. To serde, an array of the members' values would be as good.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    let is_object = json.trim_ascii_start().starts_with(b"{");
    serde_json::from_slice(json).ok().filter(|_| is_object)
}

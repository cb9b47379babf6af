//! Roles that administrators define in the Elasticsearch dialect.

use super::Stored;
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// A role as it was defined: kept and shown, it grants nothing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CustomRole {
    /// The text of a JSON object.
    pub definition: String,
}

impl Stored for CustomRole {
    const VERSION: u8 = 1;
}

/// The names of all of them, so that "too many" is one record and racing definitions cannot all succeed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct CustomRoles(pub Vec<String>);

impl Stored for CustomRoles {
    const VERSION: u8 = 1;
}

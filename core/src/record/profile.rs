//! What the Elasticsearch dialect keeps of a user besides.

use super::Stored;
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// What no other dialect knows of a user: shown, and without any effect on what the user may do.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct UserProfile {
    /// The user's name for people.
    pub full_name: Option<String>,
    /// Roles that are none of [`super::Role`]: they grant nothing.
    pub roles: Vec<String>,
    /// What clients noted: the text of a JSON object, empty if there is none.
    pub metadata: String,
}

impl Stored for UserProfile {
    const VERSION: u8 = 1;
}

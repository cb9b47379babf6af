//! A user as shown by this API, and how its roles and ours go together.

use crate::{
    record::{Role, User, UserProfile},
    refusal::Refusal,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// A user as shown by this API; never a password.
#[derive(Serialize)]
pub(super) struct Shown {
    username: String,
    roles: Vec<String>,
    full_name: Option<String>,
    email: Option<String>,
    metadata: Map<String, Value>,
    enabled: bool,
}

impl Shown {
    /// The role that grants something comes first; `none` is no role here. It is the role that the user has now, whichever dialect
    /// gave it.
    ///
    /// # Errors
    /// [`Refusal::BadRecord`] when the metadata cannot be read.
    pub(super) fn new(user: &User, profile: UserProfile) -> Result<Self, Refusal> {
        let own = Some(user.role).filter(|role| *role != Role::None).map(|role| word(role).to_string());
        let metadata = match profile.metadata.as_str() {
            "" => Map::new(),
            text => serde_json::from_slice(text.as_bytes()).map_err(|_| Refusal::BadRecord)?,
        };
        Ok(Self {
            username: user.name.clone(),
            roles: own.into_iter().chain(profile.roles).collect(),
            full_name: profile.full_name,
            email: Some(user.email.clone()).filter(|email| !email.is_empty()),
            metadata,
            enabled: !user.disabled,
        })
    }
}

/// What the product calls the role of administrators.
pub(super) const SUPERUSER: &str = "superuser";

/// The role that this name grants: `superuser`, or a word of [`Role`] but for `admin`, which is a custom role here, as in the product.
/// Every other name grants nothing.
pub(super) fn built_in(name: &str) -> Option<Role> {
    if name == SUPERUSER { Some(Role::Admin) } else { Role::parse(name).filter(|role| *role != Role::Admin) }
}

/// What this API calls a role.
pub(super) const fn word(role: Role) -> &'static str {
    if matches!(role, Role::Admin) { SUPERUSER } else { role.as_str() }
}

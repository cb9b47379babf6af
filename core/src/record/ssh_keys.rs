//! SSH keys of the OpenShift dialect.

use super::Stored;
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// A public SSH key of a user, kept for clients.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SshKey {
    /// What the user calls it.
    pub name: String,
    /// Its type, such as `ssh-rsa`.
    pub kind: String,
    /// The key.
    pub content: String,
}

/// The SSH keys of one user.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct SshKeys(pub Vec<SshKey>);

impl Stored for SshKeys {
    const VERSION: u8 = 1;
}

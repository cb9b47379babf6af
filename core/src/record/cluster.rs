//! Policies that administrators change at run time (contract/redis.md section 8).

use super::Stored;
use crate::settings::PolicyName;
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// The cluster object and its policy.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// The name of the cluster; none: [`crate::settings::Settings::service`].
    pub name: Option<String>,
    /// Whether the complexity rules hold; unset: whether the policy is `redis`.
    pub password_complexity: Option<bool>,
    /// Least length in characters while the complexity rules hold: 8 to 256.
    pub password_min_length: u16,
    /// Days until a password expires; 0 = never.
    pub password_expiration_duration: u32,
    /// Failures that lock; 0 = never.
    pub login_lockout_threshold: u32,
    /// Seconds after which the count of failures starts anew.
    pub login_lockout_counter_reset_after: u32,
    /// Seconds a lock holds; 0 = until an administrator resets the password or unlocks the user.
    pub login_lockout_duration: u32,
    /// Minutes; kept for clients, without effect on tokens.
    pub cm_session_timeout_minutes: u32,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            name: None,
            password_complexity: None,
            password_min_length: 8,
            password_expiration_duration: 0,
            login_lockout_threshold: 5,
            login_lockout_counter_reset_after: 900,
            login_lockout_duration: 1800,
            cm_session_timeout_minutes: 15,
        }
    }
}

impl Stored for Cluster {
    const VERSION: u8 = 1;
}

impl Cluster {
    /// Whether the complexity rules hold under the configured policy. NIST's rules know none of composition (security P1).
    pub fn complexity(&self, policy: PolicyName) -> bool {
        policy.takes_complexity_and_expiry() && self.password_complexity.unwrap_or(policy.is_complex())
    }

    /// After how many days passwords expire under the configured policy, 0 for never. NIST's rules know no expiry (security P1).
    pub fn expiration_days(&self, policy: PolicyName) -> u32 {
        if policy.takes_complexity_and_expiry() { self.password_expiration_duration } else { 0 }
    }
}

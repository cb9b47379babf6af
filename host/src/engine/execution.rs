//! Which way core is run.

use serde::{Deserialize, Serialize};

/// Which way core is run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Execution {
    /// Compiled into the server: fastest.
    Native,
    /// As a component, in a fresh instance for each request.
    Module,
}

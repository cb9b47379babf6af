//! What an operator may set: one schema, read from a TOML file, the environment and flags.
//!
//! ```text
//!   flag  >  environment  >  file  >  default          the first that states a setting wins
//! ```
//!
//! The schema is a table of dotted paths ([`SETTINGS`]). Reading, range checks, messages, `waxseal config show` and the test
//! that holds the documentation to the truth all walk that table. A dotted path is also the path of the value in the
//! serialized form of [`Host`] and [`Settings`], so that a setting is stated once there and described once here.

pub(crate) mod diff;
mod host;
mod kind;
mod load;
mod notation;
mod problem;
mod schema;

pub use host::{Engine, Host, Log, Server};
pub use kind::ValueKind;
pub use load::{Loaded, Sources, Stated, StatedBy};
pub use problem::Problem;
pub use schema::{SETTINGS, Setting};

pub(crate) use load::is_named;
pub(crate) use notation::show_scheme;

use waxseal_core::settings::Settings;

/// Everything an operator may set, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The native server.
    pub host: Host,
    /// The rules.
    pub settings: Settings,
}

/// The configuration that `waxseal init` writes.
pub const PRODUCTION: &str = include_str!("production.toml");

//! The operational log: standard error, one record a line, UTC, never a secret.

use core::{fmt, str::FromStr};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// How log records look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// Text for a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to log, and how.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// How records look.
    pub format: LogFormat,
    /// Levels in the syntax of `tracing`: `info`, `waxseal=debug`, …
    pub filter: String,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { format: LogFormat::Auto, filter: "info".into() }
    }
}

/// The log cannot be set up.
#[derive(Debug)]
pub struct LogError(String);

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for LogError {}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(LogError(format!("`{}` is none of `auto`, `text`, `json`", other.escape_debug()))),
        }
    }
}

/// Starts logging to standard error, for the whole process and once.
///
/// # Errors
/// [`LogError`] when the filter is wrong or logging has already been started.
pub fn start(options: &LogOptions) -> Result<(), LogError> {
    let filter: EnvFilter = options
        .filter
        .parse()
        .map_err(|error| LogError(format!("`{}` is no log filter: {error}", options.filter.escape_debug())))?;
    let text = match options.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if text {
        base.with_ansi(io::stderr().is_terminal()).try_init()
    } else {
        base.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    started.map_err(|error| LogError(error.to_string()))
}

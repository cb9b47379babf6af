//! The operational log: standard error, one record a line, UTC, never a secret.

mod format;
mod queue;

pub use format::LogFormat;
pub use queue::Flush;
pub(crate) use queue::lost;

use self::queue::Queue;
use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    sync::LazyLock,
    time::Instant,
};
use tracing_subscriber::EnvFilter;

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

/// Starts logging to standard error, for the whole process and once. Lines that are left when what this returns is dropped are written
/// first.
///
/// # Errors
/// [`LogError`] when the filter is wrong, logging has already been started, or the system refuses a thread.
pub fn start(options: &LogOptions) -> Result<Flush, LogError> {
    let filter: EnvFilter = options
        .filter
        .parse()
        .map_err(|error| LogError(format!("`{}` is not a log filter: {error}", options.filter.escape_debug())))?;
    let text = match options.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let tell = |lines| tracing::warn!(lines, "log lines were not written, as nobody took those before them");
    let (queue, flush) =
        Queue::start(io::stderr(), tell).map_err(|error| LogError(format!("cannot start the log: {error}")))?;
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(queue).log_internal_errors(false);
    let started = if text {
        base.with_ansi(io::stderr().is_terminal() && colours(env::var_os("NO_COLOR"), env::var_os("TERM"))).try_init()
    } else {
        base.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    started.map_err(|error| LogError(error.to_string()))?;
    Ok(flush)
}

/// Whether a terminal is to be shown colours, as `--help` decides it too (<https://no-color.org>).
fn colours(no_color: Option<OsString>, term: Option<OsString>) -> bool {
    no_color.is_none_or(|value| value.is_empty()) && term.is_some_and(|term| term != "dumb")
}

/// So many log lines a second for what anybody can cause at will, so that no flood of requests fills the disk. Lines that are turned
/// away are counted, and the next line says how many there were.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    /// The second, times 2^16, plus how many asked within it; that count stops at the most that fits.
    asked: AtomicU64,
    unsaid: AtomicU64,
}

impl RateLimit {
    /// None asked for yet.
    pub(crate) const fn new() -> Self {
        Self { asked: AtomicU64::new(0), unsaid: AtomicU64::new(0) }
    }

    /// How many were turned away since the last that was let through; `None` for one that is turned away.
    pub(crate) fn admit(&self) -> Option<u64> {
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.admit_in(BEGUN.elapsed().as_secs())
    }

    fn admit_in(&self, second: u64) -> Option<u64> {
        let second = second << COUNT_BITS;
        let same = |asked: u64| asked >> COUNT_BITS == second >> COUNT_BITS;
        let next = |asked: u64| Some(if same(asked) { asked + u64::from(asked & MOST < MOST) } else { second | 1 });
        // Relaxed: the numbers guard nothing but themselves.
        let before = self.asked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|same| same);
        let earlier = if same(before) { before & MOST } else { 0 };
        if earlier < LINES {
            return Some(self.unsaid.swap(0, Ordering::Relaxed));
        }
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        None
    }
}

/// Log lines a second: enough to see what is going on, and at 200 octets a line 170 MB a day at the very most.
const LINES: u64 = 10;
const COUNT_BITS: u32 = 16;
const MOST: u64 = (1 << COUNT_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        for (no_color, term, expected) in [
            (None, Some("xterm"), true),
            (Some(""), Some("xterm"), true),
            (Some("1"), Some("xterm"), false),
            (None, Some("dumb"), false),
            (None, None, false),
        ] {
            assert_eq!(colours(no_color.map(Into::into), term.map(Into::into)), expected, "{no_color:?} {term:?}");
        }
    }

    #[test]
    fn a_flood_gets_ten_lines_a_second_and_the_next_says_how_many_it_was() {
        let rate_limit = RateLimit::new();
        let admitted = |second, times: u64| (0..times).filter_map(|_| rate_limit.admit_in(second)).collect::<Vec<_>>();
        assert_eq!(admitted(7, 3), [0; 3]);
        assert_eq!(admitted(7, 100_000), [0; 7]);
        assert_eq!(admitted(8, 100), [&[99_993][..], &[0; 9]].concat());
        assert_eq!(admitted(9, 1), [90]);
    }
}

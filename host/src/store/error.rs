//! What can be wrong with a store, and what to do about it.

use core::fmt;
use std::path::{Path, PathBuf};

/// Why a store did not do what it was asked to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// More commits are waiting than the queue holds; nothing was written. Try again shortly (503).
    Busy,
    /// No space is left on the disk; nothing was written (503). Reads go on, and writes as soon as there is space.
    Full,
    /// The disk refused a read or a write, or the store is closed (503). The text is the system's.
    Unavailable(String),
    /// Another process has the store open. Ask the running server instead.
    Locked(PathBuf),
    /// The file is no store, or not a whole one.
    Corrupt {
        /// Which file; empty for a backend that is no file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer program wrote the file.
    Newer {
        /// Which file; empty for a backend that is no file.
        path: PathBuf,
        /// The format it has.
        format: u64,
    },
    /// A backup is only restored where no store is.
    Occupied(PathBuf),
    /// A backup is cut, changed, or none at all; nothing of it was restored.
    BadBackup {
        /// Which file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

impl StoreError {
    pub(super) fn taken() -> Self {
        Self::Unavailable("an answer was taken twice".into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the store has too many commits waiting; try again"),
            Self::Full => f.write_str("no space is left for the store: free some; a running server then goes on by itself"),
            Self::Unavailable(cause) => write!(f, "the store cannot be reached: {cause}"),
            Self::Locked(path) => write!(f, "the store {} is open in another process", Named(path)),
            Self::Corrupt { path, reason } => write!(
                f,
                "the store {} is damaged: {reason}; nothing was changed: move it away and bring a backup back with \
                 `waxseal restore`",
                Named(path)
            ),
            Self::Newer { path, format } => write!(
                f,
                "the store {} has format {format}, which a newer waxseal wrote; run that version, or bring an older backup \
                 back with `waxseal restore`",
                Named(path)
            ),
            Self::Occupied(path) => {
                write!(
                    f,
                    "{} is there already; a backup is restored where there is nothing but a configuration: name another directory, \
                     or move what is there away while no server runs on it{}",
                    Named(path),
                    if path.ends_with("root.key") {
                        "; a root key that `waxseal init` has made opens nothing as long as no server was started"
                    } else {
                        ""
                    }
                )
            }
            Self::BadBackup { path, reason } => {
                write!(f, "the backup {} is damaged: {reason}; nothing was restored", Named(path))
            }
        }
    }
}

impl core::error::Error for StoreError {}

struct Named<'a>(&'a Path);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.as_os_str().is_empty() { f.write_str("(no file)") } else { write!(f, "`{}`", self.0.display()) }
    }
}

//! Whether the files of an open store still have their names: one that was moved, deleted or replaced goes on taking changes, which no
//! later start finds under that name.

use crate::{files::entry::identity, sync};
use core::fmt;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The names of the files that were opened.
pub(super) struct Names {
    store: Option<Name>,
    log: Option<Name>,
    /// What the log was told last.
    said: Mutex<Option<LostFile>>,
}

struct Name {
    path: PathBuf,
    file: (u64, u64),
}

/// A file of the store that is not found under its name any more; in words for the operator, without what to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LostFile {
    /// The store's own file, and with it the log, whatever has become of that.
    Store(PathBuf),
    /// The log alone.
    Log(PathBuf),
}

impl fmt::Display for LostFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Store(path) | Self::Log(path)) = self;
        write!(f, "`{}` was moved, deleted or replaced while the server runs: ", path.display())?;
        f.write_str(match self {
            Self::Store(_) => {
                "changes still go to the file that it has open, and are lost when it stops, unless that file is kept"
            }
            Self::Log(_) => "changes that are acknowledged right before a crash are lost",
        })
    }
}

impl Names {
    /// Of the store at `path` and its log, which are open. One that is not there has no name to lose.
    pub(super) fn of(path: &Path) -> Self {
        let name = |path: PathBuf| fs::metadata(&path).ok().map(|found| Name { path, file: identity(&found) });
        let log = path.with_extension(super::LOG_EXTENSION);
        Self { store: name(path.into()), log: name(log), said: Mutex::default() }
    }

    /// What is lost now.
    pub(super) fn lost(&self) -> Option<LostFile> {
        let gone = |name: &Option<Name>| name.as_ref().filter(|name| name.is_lost()).map(|name| name.path.clone());
        gone(&self.store).map(LostFile::Store).or_else(|| gone(&self.log).map(LostFile::Log))
    }

    /// Tells the log when a file is lost, and when it is back.
    pub(super) fn look(&self) {
        let lost = self.lost();
        let mut said = sync::lock(&self.said);
        if *said == lost {
            return;
        }
        match &lost {
            Some(lost @ LostFile::Store(_)) => tracing::error!("{lost}; make a backup before you stop it"),
            Some(lost @ LostFile::Log(_)) => tracing::error!("{lost}; restart the server, which makes another"),
            None => tracing::info!("the files of the store are back"),
        }
        *said = lost;
    }
}

impl Name {
    /// One that cannot be looked at counts as there.
    fn is_lost(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(found) => identity(&found) != self.file,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

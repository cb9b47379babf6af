//! The file of a store, and how it comes into being.

use super::{FILE_NAME, medium::Medium};
use crate::store::StoreError;
use redb::{
    StorageBackend,
    backends::{FileBackend, InMemoryBackend},
};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file that is there; `None` if there is none.
pub(super) fn existing(path: &Path) -> Result<Option<Arc<Medium>>, StoreError> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => lock(file, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(trouble(path, &error)),
    }
}

/// A file that gets its name only when the store in it is whole, so that an interrupted start leaves nothing half made.
pub(super) struct Fresh {
    pub(super) medium: Arc<Medium>,
    draft: PathBuf,
    path: PathBuf,
}

impl Fresh {
    /// An empty file in the directory `data`, which is made if it is missing; both for the owner only.
    pub(super) fn create(data: &Path) -> Result<Self, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| trouble(data, &error))?;
        let path = data.join(FILE_NAME);
        let draft = path.with_extension("new");
        // Not cut while it is opened: it may be another process's.
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&draft);
        let file = file.map_err(|error| trouble(&draft, &error))?;
        let emptied = file.try_clone().map_err(|error| trouble(&draft, &error))?;
        let medium = lock(file, &path)?;
        // Looked at after locking: whoever held the draft before may have published it.
        if path.exists() {
            return Err(StoreError::Locked(path));
        }
        emptied.set_len(0).map_err(|error| trouble(&draft, &error))?;
        Ok(Self { medium, draft, path })
    }

    /// Gives the file its name.
    pub(super) fn publish(self) -> Result<(), StoreError> {
        rename(&self.draft, &self.path).map_err(|error| trouble(&self.path, &error))
    }

    /// Takes the file away again.
    pub(super) fn discard(self) {
        // An empty draft is left behind at worst, and the next start takes it over.
        let _ = fs::remove_file(&self.draft);
    }
}

/// The log that is there, or a new one, and whether it is new. For the owner of the store's lock.
pub(super) fn log(path: &Path) -> Result<(Box<dyn StorageBackend>, bool), StoreError> {
    let failed = |error| trouble(path, &error);
    let made = !path.try_exists().map_err(failed)?;
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(failed)?;
    // What it is going to hold is worth nothing without its name. Also for one that is there: who made it may have been killed before
    // this line.
    sync_parent(path).map_err(failed)?;
    let backend = FileBackend::new(file).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok((Box::new(backend), made))
}

/// What the log holds, in memory, and whether there is none.
pub(super) fn copy_of_log(path: &Path) -> Result<(Box<dyn StorageBackend>, bool), StoreError> {
    let failed = |error| trouble(path, &error);
    let copy = InMemoryBackend::new();
    let missing = match fs::read(path) {
        Ok(octets) => {
            copy.set_len(octets.len() as u64).and_then(|()| copy.write(0, &octets)).map_err(failed)?;
            false
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(failed(error)),
    };
    Ok((Box::new(copy), missing))
}

/// Renames within a directory, durably.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_parent(to)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// An error of the system, said with the path it is about.
pub(super) fn trouble(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => StoreError::Full,
        _ if path.as_os_str().is_empty() => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Unavailable(format!("`{}`: {error}", path.display())),
    }
}

fn lock(file: File, path: &Path) -> Result<Arc<Medium>, StoreError> {
    let backend = FileBackend::new(file).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let medium = Medium::lock(Box::new(backend)).map_err(|error| trouble(path, &error))?;
    medium.ok_or_else(|| StoreError::Locked(path.into()))
}

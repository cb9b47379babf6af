//! The file of a store, and how it comes into being.

use super::{FILE_NAME, medium::Medium};
use crate::{
    files::{entry::sync_name, regular, write::make},
    store::StoreError,
};
use core::ops::Bound;
use redb::{
    BackendError, StorageBackend,
    backends::{FileBackend, InMemoryBackend},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file that is there; `None` if there is none.
pub(super) fn existing(path: &Path) -> Result<Option<Arc<Medium>>, StoreError> {
    locked(OpenOptions::new().read(true).write(true).open(path), path)
}

/// The same for whoever does not write, hence also where nobody can, as on a file system that is mounted read-only.
pub(super) fn existing_as_it_is(path: &Path) -> Result<Option<Arc<Medium>>, StoreError> {
    let unwritable = [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied];
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if unwritable.contains(&error.kind()) => {
            let file = File::open(path).map_err(|error| trouble(path, &error))?;
            lock_on(Unwritten(backend(file)?), path).map(Some)
        }
        opened => locked(opened, path),
    }
}

fn locked(opened: io::Result<File>, path: &Path) -> Result<Option<Arc<Medium>>, StoreError> {
    match opened {
        Ok(file) => lock_on(backend(file)?, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(trouble(path, &error)),
    }
}

/// A file that was opened for reading only, on which the system gives only a lock that other readers may share. That keeps a writer out
/// all the same.
#[derive(Debug)]
struct Unwritten(FileBackend);

impl StorageBackend for Unwritten {
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn write(&self, _offset: u64, _data: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
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
        make(data).map_err(|error| trouble(data, &error))?;
        let path = data.join(FILE_NAME);
        let draft = path.with_extension("new");
        // Not truncated when it is opened: it may be another process's.
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&draft);
        let file = file.map_err(|error| trouble(&draft, &error))?;
        let emptied = file.try_clone().map_err(|error| trouble(&draft, &error))?;
        let medium = lock_on(backend(file)?, &path)?;
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
    // What it is going to hold is worth nothing without its name. Done for a log that was there, too: whoever made it may have been
    // killed before this line.
    sync_name(path).map_err(failed)?;
    Ok((Box::new(backend(file)?), made))
}

/// A copy of the log in memory, and whether there is none.
pub(super) fn copy_of_log(path: &Path) -> Result<(Box<dyn StorageBackend>, bool), StoreError> {
    let failed = |error| trouble(path, &error);
    let copy = InMemoryBackend::new();
    let mut octets = Vec::new();
    let missing = match regular::open(path).and_then(|mut file| file.read_to_end(&mut octets)) {
        Ok(_) => {
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
    sync_name(to)
}

/// An error of the system, said with the path it is about.
pub(super) fn trouble(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => StoreError::Full,
        _ if path.as_os_str().is_empty() => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Unavailable(format!("`{}`: {error}", path.display())),
    }
}

fn backend(file: File) -> Result<FileBackend, StoreError> {
    FileBackend::new(file).map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn lock_on(backend: impl StorageBackend, path: &Path) -> Result<Arc<Medium>, StoreError> {
    let medium = Medium::lock(Box::new(backend)).map_err(|error| trouble(path, &error))?;
    medium.ok_or_else(|| StoreError::Locked(path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opened as where nobody can write, which root always can.
    #[test]
    fn who_cannot_write_is_kept_out_by_a_writer_and_keeps_him_out() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("store");
        fs::write(&path, "as it is").unwrap();
        let unwritten = || lock_on(Unwritten(backend(File::open(&path).unwrap()).unwrap()), &path);
        let locked = Some(StoreError::Locked(path.clone()));
        let writer = existing(&path).unwrap().unwrap();
        assert_eq!(unwritten().err(), locked);
        drop(writer);
        let readers = [unwritten().unwrap(), unwritten().unwrap()];
        assert_eq!(existing(&path).err(), locked);
        drop(readers);
        assert!(existing(&path).is_ok());
        assert_eq!(fs::read(&path).unwrap(), b"as it is");
    }
}

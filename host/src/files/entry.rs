//! The names of files: when a file is synced, it is on disk, except for its name, which belongs to the directory.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

/// The directory that the name is in.
pub(crate) fn above(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Which file it is, whatever it is called: no other one is while this one is open.
pub(crate) fn identity(found: &fs::Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// Puts the file's name on disk, or its absence.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    File::open(above(path))?.sync_all()
}

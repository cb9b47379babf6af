//! The names of files: when a file is synced, it is on disk, except for its name, which belongs to the directory.

use std::{fs::File, io, path::Path};

/// The directory that the name is in.
pub(crate) fn above(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts the file's name on disk, or its absence.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    File::open(above(path))?.sync_all()
}

//! The names of files: a file that is synced is on disk, but for its name, which the directory has.

use std::{fs::File, io, path::Path};

/// The directory that the name is in.
pub(crate) fn above(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts the name on disk, or that it is gone.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    File::open(above(path))?.sync_all()
}

//! Files that are read whole, and may have been replaced by something else.

use rustix::fs::OFlags;
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Opens the file at `path` to read it; `None` when a directory, a pipe or the like is there. Opening a pipe in the usual way would wait
/// for somebody who writes into it.
pub(crate) fn open(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let is_regular = file.metadata()?.is_file();
    Ok(Some(file).filter(|_| is_regular))
}

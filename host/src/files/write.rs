//! New files and directories: for their owner only unless said otherwise, and there as a whole or not at all.

use super::entry::{above, sync_name};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Makes the directory and those above it that are missing, for their owner only, and puts their names on disk: what is synced within a
/// directory is lost if a power cut takes the directory's name.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    // Asked before, as nobody can tell afterwards.
    let grown = grown_by(directory);
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    grown.into_iter().try_for_each(|above| File::open(above)?.sync_all())
}

/// Which directories get an entry when this one is made: that of each which is missing, up to one that is there.
fn grown_by(directory: &Path) -> Vec<&Path> {
    let missing = directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
    missing.map(above).collect()
}

/// Writes a file that is not there yet and that its owner alone can read; after a crash, or on a full disk, there is the whole file or none.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is one; any other when it cannot be written.
pub(crate) fn write_new(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    write_new_with(0o600, path, parts)
}

/// The same with other permissions.
pub(crate) fn write_new_with(mode: u32, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let unfinished = beside(path, "part");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
    let mut write = || {
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace what is there.
        fs::hard_link(&unfinished, path)?;
        sync_name(path)
    };
    let written = write();
    let _ = fs::remove_file(&unfinished);
    written
}

/// A name beside `path` that nobody else has, for what is not finished. The number of a process would not do: in a container every one may
/// have the same.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    let own = getrandom::u64().unwrap_or_else(|_| std::process::id().into());
    name.push(format!(".{what}.{own:016x}"));
    path.with_file_name(name)
}

/// Whether group or others have any right to it.
pub(crate) fn open_to_others(found: &fs::Metadata) -> bool {
    found.mode() & 0o077 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn every_directory_that_gets_an_entry_is_synced() {
        let home = tempfile::tempdir().unwrap();
        let (deep, at) = (home.path().join("a/b/c"), |name: &str| home.path().join(name));
        assert_eq!(grown_by(&deep), [at("a/b"), at("a"), home.path().into()]);
        fs::create_dir(at("a")).unwrap();
        assert_eq!(grown_by(&deep), [at("a/b"), at("a")]);
        make(&deep).unwrap();
        assert_eq!((grown_by(&deep), mode(&deep), mode(&at("a/b"))), (Vec::new(), 0o700, 0o700));
        assert_eq!(grown_by(Path::new("none of/these")), [Path::new("none of"), Path::new(".")]);
        make(&home.path().join("d/../e")).unwrap();
        assert!(at("e").is_dir());
    }

    #[test]
    fn nothing_that_lies_beside_a_new_file_is_touched() {
        let home = tempfile::tempdir().unwrap();
        let new = home.path().join("new");
        let others = [format!("new.{}", std::process::id()), "new.part".into()].map(|name| home.path().join(name));
        for other in &others {
            fs::write(other, "kept").unwrap();
        }
        write_new(&new, &[b"text"]).unwrap();
        assert!(write_new(&new, &[b"other"]).is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists));
        assert_eq!(fs::read(&new).unwrap(), b"text");
        assert!(others.iter().all(|other| fs::read(other).unwrap() == b"kept"));
        assert_eq!(home.path().read_dir().unwrap().count(), 3, "nothing is left behind");
    }
}

//! The data directory: what lies in it, and its root key.

use crate::{
    audit,
    files::{
        regular,
        write::{make, open_to_others, write_new},
    },
    text::{hex, shell::word},
};
use core::fmt;
use rustix::{
    fs::{Access, access},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The directory in which a server keeps everything. Only its owner may look into it (security S3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataDir(PathBuf);

/// The secret outside the store: 32 octets under which signing keys are sealed and tokens are derived.
pub type RootKey = Zeroizing<[u8; 32]>;

/// What is wrong with a data directory, and what to do about it: one line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataError(String);

impl DataDir {
    /// The directory at `path`; nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.0.join("store.redb")
    }

    /// A store that is being made. What is left of one is taken over.
    pub fn store_draft(&self) -> PathBuf {
        self.0.join("store.new")
    }

    /// The log of the store: the latest changes, which belong to it.
    pub fn store_log(&self) -> PathBuf {
        self.0.join("store.log")
    }

    /// The audit trail.
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit.log")
    }

    /// The file of the root key.
    pub fn root_key_file(&self) -> PathBuf {
        self.0.join("root.key")
    }

    /// The configuration that is read when no other is named.
    pub fn config(&self) -> PathBuf {
        self.0.join("waxseal.toml")
    }

    /// Whether there is a store, hence users.
    pub fn has_store(&self) -> bool {
        self.store().exists()
    }

    /// Whether the system would let this process change the store, unlike on a file system that is mounted read-only; also `true` where
    /// there is no store.
    pub fn is_writable(&self) -> bool {
        !matches!(access(self.store(), Access::WRITE_OK), Err(Errno::ROFS | Errno::ACCESS | Errno::PERM))
    }

    /// Checks that the store is not missing while other files of a server that had one are there. A first start makes the store before
    /// those.
    ///
    /// # Errors
    /// What is there and what to do: a new store in its place would have none of the users.
    pub fn check_store(&self) -> Result<(), DataError> {
        // In this order, as another process may be making them. The trail itself may have been moved away to begin a new one.
        let traces = [self.store_log(), self.audit(), audit::head_path(&self.audit())];
        let left = traces.into_iter().find(|path| path.exists());
        match left {
            Some(left) if !self.has_store() => Err(DataError(format!(
                "the store `{}` is missing, yet `{}` is there, so there was one: bring a backup back into an empty directory with \
                 `waxseal restore`, or move what is left in `{}` away to begin anew",
                self.store().display(),
                left.display(),
                self.0.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Makes the directory and those above it, for its owner only, unless it is there already.
    ///
    /// # Errors
    /// When it cannot be made, is something else, or is open to others.
    pub fn create(&self) -> Result<(), DataError> {
        match make(&self.0) {
            Ok(()) => self.check_mode(),
            Err(_) if self.0.exists() && !self.0.is_dir() => self.check(),
            Err(error) => Err(self.failed("made", &error)),
        }
    }

    /// Checks that the directory is there and that only its owner may look into it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), DataError> {
        match fs::metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(DataError(format!(
                "there is no data directory `{}`; name one with --data or WAXSEAL_DATA, or make one with `waxseal init`",
                self.0.display()
            ))),
            Err(error) => Err(self.failed("read", &error)),
            Ok(found) if !found.is_dir() => Err(DataError(format!("`{}` is not a directory", self.0.display()))),
            Ok(_) => self.check_mode(),
        }
    }

    fn check_mode(&self) -> Result<(), DataError> {
        let found = fs::metadata(&self.0).map_err(|error| self.failed("read", &error))?;
        if !open_to_others(&found) {
            return Ok(());
        }
        let is_ours = self.root_key_file().exists() || self.has_store() || self.config().exists();
        if !is_ours && self.0.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(DataError(format!(
                "`{}` is no data directory: it holds other things, and neither a root key nor a store; name another one with --data",
                self.0.display()
            )));
        }
        Err(DataError(format!(
            "the data directory `{}` has mode {:04o}, so others can look into it; run `chmod 700 {}`",
            self.0.display(),
            found.mode() & 0o7777,
            word(self.0.display())
        )))
    }

    /// The root key; makes one when there is none and no store yet that would need another.
    ///
    /// # Errors
    /// What is wrong with the file, see [`DataDir::root_key`].
    pub fn root_key_or_new(&self) -> Result<RootKey, DataError> {
        if !self.root_key_file().exists() && !self.has_store() {
            self.create_root_key()?;
        }
        self.root_key()
    }

    /// The root key.
    ///
    /// # Errors
    /// When it is missing, cannot be read, can be read by others (security S3) or is no root key.
    pub fn root_key(&self) -> Result<RootKey, DataError> {
        let path = self.root_key_file();
        let advice = "bring a backup back into an empty directory (`waxseal restore`): without it nobody can open the signing keys \
                      in the store";
        let fail = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound if !self.has_store() && self.check_store().is_ok() => DataError(format!(
                "there is no root key `{}` yet; `waxseal init` makes one, and so does the first `waxseal serve`",
                path.display()
            )),
            io::ErrorKind::NotFound => DataError(format!("the root key `{}` is missing; {advice}", path.display())),
            _ => DataError(format!("the root key `{}` cannot be read: {error}", path.display())),
        };
        let file = regular::open(&path).map_err(fail)?;
        let found = file.metadata().map_err(fail)?;
        if open_to_others(&found) {
            return Err(DataError(format!(
                "the root key `{}` has mode {:04o}, so others can read it; run `chmod 600 {}`, and rotate the signing keys \
                 if anybody may have",
                path.display(),
                found.mode() & 0o7777,
                word(path.display())
            )));
        }
        read_key(&file).map_err(fail)?.ok_or_else(|| {
            DataError(format!("the root key `{}` is not one line of 64 hexadecimal digits; {advice}", path.display()))
        })
    }

    /// Whether its file holds this root key, which it need not while a server runs that has read it before.
    pub fn holds(&self, key: &RootKey) -> bool {
        let found = regular::open(&self.root_key_file()).and_then(|file| read_key(&file));
        found.is_ok_and(|found| found.as_ref() == Some(key))
    }

    /// Makes a new root key. Never replaces one.
    ///
    /// # Errors
    /// When there is one, or it cannot be written.
    pub fn create_root_key(&self) -> Result<(), DataError> {
        let mut key: RootKey = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice())
            .map_err(|error| DataError(format!("the system gives no random numbers: {error}")))?;
        self.write_root_key(&key)
    }

    /// Writes a root key that was made elsewhere. Never replaces one; after a crash there is the whole file or none.
    ///
    /// # Errors
    /// When there is one, or it cannot be written.
    pub fn write_root_key(&self, key: &RootKey) -> Result<(), DataError> {
        let path = self.root_key_file();
        let written = write_new(&path, &[to_hex(key).as_bytes(), b"\n"]);
        written.map_err(|error| DataError(format!("the root key `{}` cannot be written: {error}", path.display())))
    }

    fn failed(&self, what: &str, error: &io::Error) -> DataError {
        DataError(format!("the data directory `{}` cannot be {what}: {error}", self.0.display()))
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for DataError {}

/// The root key in `file`; `None` if something else is.
fn read_key(file: &File) -> io::Result<Option<RootKey>> {
    let mut text = Zeroizing::new(String::with_capacity(128));
    match file.take(128).read_to_string(&mut text) {
        Err(error) if error.kind() != io::ErrorKind::InvalidData => Err(error),
        _ => Ok(from_hex(text.trim_end_matches(['\n', '\r']))),
    }
}

/// The text of a root key.
pub(crate) fn to_hex(key: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(hex::text(key))
}

/// The root key that [`to_hex`] has written; also in capitals, as others may have written it.
pub(crate) fn from_hex(text: &str) -> Option<RootKey> {
    let digits = Zeroizing::new(text.to_ascii_lowercase());
    hex::digest(digits.as_bytes()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    /// A data directory that is not there yet, and the one it is in, removed at the end.
    struct Scratch {
        data: DataDir,
        _home: TempDir,
    }

    impl Scratch {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            Self { data: DataDir::new(home.path().join("data")), _home: home }
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Otherwise whoever looks at it, as backups and `doctor` do, would wait for somebody who writes into it.
    #[test]
    fn a_pipe_in_the_place_of_the_root_key_is_refused_at_once() {
        let Scratch { data, _home } = Scratch::new();
        data.create().unwrap();
        mknodat(CWD, data.root_key_file(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let refused = data.root_key().unwrap_err().to_string();
        assert!(refused.contains("it is no regular file"), "{refused}");
        assert!(!data.holds(&Zeroizing::new([0; 32])));
    }

    #[test]
    fn directory_and_root_key_are_the_owners_only() {
        let scratch = Scratch::new();
        scratch.data.create().unwrap();
        let key = scratch.data.root_key_or_new().unwrap();
        assert_eq!((mode(scratch.data.path()), mode(&scratch.data.root_key_file())), (0o700, 0o600));
        assert_eq!(*scratch.data.root_key_or_new().unwrap(), *key);
        assert_eq!(fs::read_dir(scratch.data.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_root_key_is_never_replaced() {
        let scratch = Scratch::new();
        scratch.data.create().unwrap();
        scratch.data.create_root_key().unwrap();
        let before = scratch.data.root_key().unwrap();
        assert!(scratch.data.create_root_key().is_err());
        assert_eq!(*scratch.data.root_key().unwrap(), *before);
    }

    #[test]
    fn a_root_key_that_was_read_may_not_be_there_any_more() {
        let home = tempfile::tempdir().unwrap();
        let data = DataDir::new(home.path());
        data.create_root_key().unwrap();
        let key = data.root_key().unwrap();
        assert!(data.holds(&key));
        fs::write(data.root_key_file(), to_hex(&[7; 32]).as_bytes()).unwrap();
        assert!(!data.holds(&key));
        fs::write(data.root_key_file(), to_hex(&key).as_bytes()).unwrap();
        assert!(data.holds(&key));
        fs::remove_file(data.root_key_file()).unwrap();
        assert!(!data.holds(&key));
    }

    #[track_caller]
    fn refused(data: &DataDir, part: &str) {
        let error = data.root_key_or_new().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_root_key_that_others_can_read_or_that_is_none_is_refused() {
        let scratch = Scratch::new();
        let data = &scratch.data;
        data.create().unwrap();
        data.create_root_key().unwrap();
        for open in [0o640, 0o604, 0o660] {
            chmod(&data.root_key_file(), open);
            refused(data, "others can read it; run `chmod 600");
        }
        for text in ["", "00", "not a key", &"0".repeat(63), &"g".repeat(64), &"0".repeat(65), "\u{e9}\u{e9}"] {
            fs::write(data.root_key_file(), text).unwrap();
            chmod(&data.root_key_file(), 0o600);
            refused(data, "is not one line of 64 hexadecimal digits; bring a backup back into an empty directory");
        }
        fs::write(data.root_key_file(), [0xff; 64]).unwrap();
        refused(data, "is not one line of 64");
    }

    #[test]
    fn a_store_without_its_root_key_gets_no_new_one() {
        let scratch = Scratch::new();
        scratch.data.create().unwrap();
        fs::write(scratch.data.store(), "").unwrap();
        refused(&scratch.data, "is missing; bring a backup back into an empty directory");
    }

    #[test]
    fn where_nothing_was_yet_nothing_is_to_be_brought_back() {
        let scratch = Scratch::new();
        scratch.data.create().unwrap();
        let said = || scratch.data.root_key().unwrap_err().to_string();
        assert!(said().contains("`waxseal init` makes one") && !said().contains("backup"), "{}", said());
        fs::write(scratch.data.store_log(), "").unwrap();
        assert!(said().contains("bring a backup back"), "{}", said());
    }

    #[test]
    fn a_lost_store_is_no_first_start() {
        for left in ["store.log", "audit.log", "audit.log.head"] {
            let scratch = Scratch::new();
            scratch.data.create().unwrap();
            scratch.data.create_root_key().unwrap();
            assert_eq!(scratch.data.check_store(), Ok(()), "an interrupted first start has a root key at the most");
            fs::write(scratch.data.path().join(left), "").unwrap();
            let error = scratch.data.check_store().unwrap_err().to_string();
            assert!(error.contains(left) && error.contains("`waxseal restore`"), "{error}");
            fs::write(scratch.data.store(), "").unwrap();
            assert_eq!(scratch.data.check_store(), Ok(()));
        }
    }

    #[test]
    fn a_file_is_no_directory() {
        let scratch = Scratch::new();
        fs::write(scratch.data.path(), "").unwrap();
        assert!(scratch.data.create().unwrap_err().to_string().ends_with("is not a directory"));
    }

    #[test]
    fn an_open_directory_is_refused() {
        let scratch = Scratch::new();
        assert!(scratch.data.check().unwrap_err().to_string().contains("waxseal init"));
        scratch.data.create().unwrap();
        chmod(scratch.data.path(), 0o755);
        assert!(scratch.data.create().unwrap_err().to_string().contains("has mode 0755"));
        assert!(scratch.data.check().is_err());
    }
}

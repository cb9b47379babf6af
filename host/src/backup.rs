//! Backups: the store and the root key in one file, so that neither is kept without the other.
//!
//! ```text
//! waxseal archive 1\n   root key in 64 hexadecimal digits \n   the store's own backup   SHA-256 of all before, 32 octets
//! ```

use crate::{
    audit::{AuditTrail, head_path},
    clock::Clock,
    data_dir::{DataDir, RootKey},
    engine::{Audit as _, Occasion},
    files::{
        entry::{above, sync_name},
        hashing::Hashing,
        regular,
        write::beside,
    },
    request_id::RequestId,
    store::{Embedded, StoreError},
    sync,
};
use core::fmt;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{self, Path, PathBuf},
    sync::{Arc, Mutex},
};
use waxseal_core::seam::{Event, Outcome};
use zeroize::Zeroizing;

/// Why a backup was not made or not brought back.
#[derive(Debug)]
pub enum BackupError {
    /// The store's part.
    Store(StoreError),
    /// The data directory's part.
    Data(crate::data_dir::DataError),
    /// A file could not be read or written.
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is cut, changed, or no backup; nothing was restored.
    Damaged(PathBuf),
    /// There is a file already.
    Occupied(PathBuf),
    /// The process ends, and removes what there is of it.
    Abandoned(PathBuf),
    /// The audit trail takes no records, and so could not tell of it.
    Untold(PathBuf),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Data(error) => error.fmt(f),
            Self::Io { path, error } => write!(f, "cannot use `{}`: {error}", path.display()),
            Self::Damaged(path) => {
                write!(
                    f,
                    "`{}` is not a whole backup: cut, changed or something else; nothing was restored",
                    path.display()
                )
            }
            Self::Occupied(path) => write!(f, "`{}` is there already; nothing was changed", path.display()),
            Self::Untold(path) => {
                write!(f, "`{}` was not written, as the audit trail takes no records now", path.display())
            }
            Self::Abandoned(path) => write!(f, "`{}` was not finished, as the process ends", path.display()),
        }
    }
}

impl core::error::Error for BackupError {}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<crate::data_dir::DataError> for BackupError {
    fn from(error: crate::data_dir::DataError) -> Self {
        Self::Data(error)
    }
}

/// The files of backups that are being written or not yet recorded, so that a process that ends and waits no longer leaves none behind.
#[derive(Debug, Default)]
pub struct Unfinished(Mutex<Begun>);

#[derive(Debug, Default)]
struct Begun {
    files: Vec<PathBuf>,
    abandoned: bool,
}

impl Unfinished {
    /// None is finished from now on. Returns what is to be removed. Blocks while a file gets its name, which may hang.
    pub fn abandon(&self) -> Vec<PathBuf> {
        let mut begun = sync::lock(&self.0);
        begun.abandoned = true;
        begun.files.clone()
    }

    /// Whether none is finished any more.
    pub fn is_abandoned(&self) -> bool {
        sync::lock(&self.0).abandoned
    }
}

/// A whole backup that is removed again if nobody [keeps](Self::keep) it.
#[must_use]
pub struct Written<'a>(Scratch<'a>);

impl Written<'_> {
    /// Keeps it and has it `told`, both or none.
    ///
    /// # Errors
    /// [`BackupError::Abandoned`], and then it is not told.
    pub fn keep(mut self, tell: impl FnOnce()) -> Result<(), BackupError> {
        let mut begun = sync::lock(&self.0.unfinished.0);
        if begun.abandoned {
            return Err(BackupError::Abandoned(self.0.path.clone()));
        }
        tell();
        begun.files.retain(|file| *file != self.0.path);
        self.0.kept = true;
        Ok(())
    }
}

/// Writes the new file `to`, mode 0600, from one moment of the store, with the root key that opens its signing keys, whatever the data
/// directory holds by now. Changes go on meanwhile. What is not complete has another name, is among the `unfinished`, and is removed.
/// Blocks.
///
/// # Errors
/// [`BackupError`]; nothing is left behind then.
pub fn write<'a>(
    store: &Embedded,
    root: &RootKey,
    to: &Path,
    unfinished: &'a Unfinished,
) -> Result<Written<'a>, BackupError> {
    if to.exists() {
        return Err(BackupError::Occupied(to.into()));
    }
    // Checked here so that the error names the file that was given: what comes next has other names.
    above(to).read_dir().map_err(|error| BackupError::Io { path: to.into(), error })?;
    let (store_part, whole) = (Scratch::beside(to, "store", unfinished), Scratch::beside(to, "part", unfinished));
    let _draft = Scratch::new(Embedded::draft_of_backup(&store_part.path), unfinished);
    // Nobody removes a file that is made after that.
    let given_up = || if unfinished.is_abandoned() { Err(BackupError::Abandoned(to.into())) } else { Ok(()) };
    given_up()?;
    let failed = |error| BackupError::Io { path: to.into(), error };
    store.backup(&store_part.path).map_err(|error| match of_file(&store_part.path, &error) {
        Some(error) => failed(error),
        None => error.into(),
    })?;
    let file = create(&whole.path).map_err(failed)?;
    given_up()?;
    assemble(root, &store_part.path, file).map_err(failed)?;
    let written = whole.name(to)?;
    sync_name(to).map_err(failed)?;
    Ok(written)
}

/// Makes `data`, which has to be empty but for its configuration or missing, from the backup `from`.
///
/// # Errors
/// [`BackupError`]. A file that is not whole is refused before anything is written, and so is a directory that cannot be one of a
/// server; what else fails leaves nothing behind.
pub fn restore(from: &Path, data: &DataDir) -> Result<(), BackupError> {
    let failed = |error| BackupError::Io { path: from.into(), error };
    // It is read twice, and its end first.
    let mut file = regular::open(from).map_err(failed)?;
    let length = check(&mut file).map_err(failed)?.ok_or_else(|| BackupError::Damaged(from.into()))?;
    let root = read_head(&mut file).map_err(failed)?.ok_or_else(|| BackupError::Damaged(from.into()))?;
    let made = !data.path().exists();
    let restored = fill(file.take(length), from, &root, data);
    if restored.is_err() && made {
        // What is above it may stay. One that holds something stays too.
        let _ = fs::remove_dir(data.path());
    }
    restored
}

fn fill(store: impl Read, from: &Path, root: &RootKey, data: &DataDir) -> Result<(), BackupError> {
    data.create()?;
    vacant(data, &[])?;
    Embedded::restore(store, from, data.path())?;
    let mut made = vec![data.store(), data.store_log()];
    // That took its time, and a server may have started there.
    let rest = vacant(data, &made).and_then(|()| {
        made.extend([data.audit(), head_path(&data.audit())]);
        begin_trail(data, from).map_err(|error| BackupError::Io { path: data.audit(), error })?;
        // At the end: without it no server starts here.
        Ok(data.write_root_key(root)?)
    });
    rest.inspect_err(|_| {
        // A store without the key to it is of no use, and in the way of the next try.
        for file in made {
            let _ = fs::remove_file(file);
        }
    })
}

/// Begins the audit trail with what was restored: where there is a store and no trail, somebody has removed it.
fn begin_trail(data: &DataDir, from: &Path) -> io::Result<()> {
    let clock = Arc::new(Clock::system());
    let trail = AuditTrail::open(&data.audit(), true, Arc::clone(&clock), Arc::default())?;
    let event = Event {
        action: "backup.restore",
        actor: "local".into(),
        subject: "data".into(),
        detail: path::absolute(from).unwrap_or_else(|_| from.into()).display().to_string(),
        outcome: Outcome::Success,
        reason: "",
        dialect: "admin",
    };
    trail.record(Occasion { time: clock.now(), source: None, request: RequestId::NONE }, &[event]);
    trail.flush()
}

/// Checks that nothing is there but `made`, a configuration, the unfinished store of a restore that was killed while it read, and what a
/// file system has of its own at its root. Anything else may be what is left of another server.
fn vacant(data: &DataDir, made: &[PathBuf]) -> Result<(), BackupError> {
    let failed = |error| BackupError::Io { path: data.path().into(), error };
    let harmless = [data.config(), data.store_draft(), data.path().join("lost+found")];
    for entry in data.path().read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !harmless.contains(&path) && !made.contains(&path) {
            return Err(StoreError::Occupied(path).into());
        }
    }
    Ok(())
}

/// What is wrong with the file `part` rather than with the store, which is only read.
fn of_file(part: &Path, error: &StoreError) -> Option<io::Error> {
    match error {
        StoreError::Full => Some(io::ErrorKind::StorageFull.into()),
        StoreError::Unavailable(cause) => {
            let why = cause.strip_prefix(&format!("`{}`: ", part.display()));
            why.map(io::Error::other)
        }
        _ => None,
    }
}

fn assemble(root: &RootKey, store_part: &Path, whole: File) -> io::Result<()> {
    // The root key goes past every buffer, as none of them is cleared.
    let mut out = Hashing::new(whole);
    out.write_all(MAGIC)?;
    out.write_all(crate::data_dir::to_hex(root).as_bytes())?;
    out.write_all(b"\n")?;
    io::copy(&mut File::open(store_part)?, &mut out)?;
    let (mut file, sum) = out.finish();
    file.write_all(&sum)?;
    file.sync_all()
}

/// How long the store's part is; `None` if the file is not whole. Leaves the file at its beginning.
fn check(file: &mut File) -> io::Result<Option<u64>> {
    let Some(hashed) = file.metadata()?.len().checked_sub(DIGEST as u64) else { return Ok(None) };
    let mut digest = Sha256::new();
    // The root key goes through it.
    let mut buffer = Zeroizing::new(vec![0; 1 << 16]);
    let mut rest = Read::by_ref(file).take(hashed);
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => digest.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut stated = [0; DIGEST];
    file.seek(SeekFrom::Start(hashed))?;
    file.read_exact(&mut stated)?;
    file.rewind()?;
    let whole = digest.finalize().as_slice() == stated;
    Ok(hashed.checked_sub(HEAD as u64).filter(|_| whole))
}

/// The root key; leaves the file where the store's part begins.
fn read_head(file: &mut File) -> io::Result<Option<RootKey>> {
    let mut head = Zeroizing::new([0; HEAD]);
    file.read_exact(head.as_mut_slice())?;
    let line = head.strip_prefix(MAGIC).and_then(|rest| core::str::from_utf8(rest.strip_suffix(b"\n")?).ok());
    Ok(line.and_then(crate::data_dir::from_hex))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A file that is removed at the end, whatever happens. Its name is its own, also among backups that are made at the same time.
struct Scratch<'a> {
    path: PathBuf,
    unfinished: &'a Unfinished,
    kept: bool,
}

impl<'a> Scratch<'a> {
    fn new(path: PathBuf, unfinished: &'a Unfinished) -> Self {
        sync::lock(&unfinished.0).files.push(path.clone());
        Self { path, unfinished, kept: false }
    }

    fn beside(path: &Path, what: &str, unfinished: &'a Unfinished) -> Self {
        Self::new(beside(path, what), unfinished)
    }

    /// Gives it the name `to`, too, which stays until it is kept.
    fn name(&self, to: &Path) -> Result<Written<'a>, BackupError> {
        let mut begun = sync::lock(&self.unfinished.0);
        if begun.abandoned {
            return Err(BackupError::Abandoned(to.into()));
        }
        // Unlike a rename, a link does not replace what is there.
        fs::hard_link(&self.path, to).map_err(|error| BackupError::Io { path: to.into(), error })?;
        begun.files.push(to.into());
        Ok(Written(Self { path: to.into(), unfinished: self.unfinished, kept: false }))
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let _ = fs::remove_file(&self.path);
        sync::lock(&self.unfinished.0).files.retain(|file| *file != self.path);
    }
}

const MAGIC: &[u8] = b"waxseal archive 1\n";
const HEAD: usize = MAGIC.len() + 64 + 1;
const DIGEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::fs::PermissionsExt, sync::Arc, time::SystemTime};

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// A backup of an empty store.
        fn backup(&self) -> PathBuf {
            let (data, to) = (DataDir::new(self.at("data")), self.at("backup"));
            data.create().unwrap();
            data.create_root_key().unwrap();
            let store = Embedded::open(data.path(), Arc::default()).unwrap();
            let (root, unfinished) = (data.root_key().unwrap(), Unfinished::default());
            write(&store, &root, &to, &unfinished).and_then(|written| written.keep(|| {})).unwrap();
            to
        }

        fn names(&self) -> Vec<String> {
            let entries = self.0.path().read_dir().unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    /// However often: one of them makes the file, which is whole, and the others change nothing and leave nothing.
    #[test]
    fn backups_at_the_same_time_to_one_name_end_in_one_that_is_whole() {
        let home = Home::new();
        fs::remove_file(home.backup()).unwrap();
        let (data, to) = (DataDir::new(home.at("data")), home.at("backup"));
        let store = Embedded::open(data.path(), Arc::default()).unwrap();
        let (root, unfinished) = (data.root_key().unwrap(), Unfinished::default());
        let made = std::thread::scope(|scope| {
            let one = || write(&store, &root, &to, &unfinished).and_then(|written| written.keep(|| {})).is_ok();
            let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|one| one.join().unwrap()).filter(|made| *made).count()
        });
        assert_eq!(made, 1);
        assert_eq!(home.names(), ["backup", "data"]);
        assert!(unfinished.abandon().is_empty());
        restore(&to, &DataDir::new(home.at("back"))).unwrap();
    }

    /// The thread that writes one may hang longer than the process lives: then it removes nothing itself.
    #[test]
    fn nothing_stays_of_a_backup_that_is_abandoned() {
        let home = Home::new();
        fs::remove_file(home.backup()).unwrap();
        let (data, to, unfinished) = (DataDir::new(home.at("data")), home.at("backup"), Unfinished::default());
        let hanging = ["store", "part"].map(|what| Scratch::beside(&to, what, &unfinished));
        for scratch in &hanging {
            create(&scratch.path).unwrap();
        }
        let left = unfinished.abandon();
        assert_eq!(left, hanging.each_ref().map(|scratch| scratch.path.clone()));
        for file in &left {
            fs::remove_file(file).unwrap();
        }
        let store = Embedded::open(data.path(), Arc::default()).unwrap();
        let refused = write(&store, &data.root_key().unwrap(), &to, &unfinished).err().unwrap();
        assert!(refused.to_string().contains("the process ends"), "{refused}");
        assert_eq!(home.names(), ["data"]);
    }

    /// What the audit trail says of it is true, also where the process ends in between.
    #[test]
    fn a_backup_stays_only_if_it_is_told() {
        for abandoned in [false, true] {
            let home = Home::new();
            fs::remove_file(home.backup()).unwrap();
            let (data, to, unfinished) = (DataDir::new(home.at("data")), home.at("backup"), Unfinished::default());
            let store = Embedded::open(data.path(), Arc::default()).unwrap();
            let written = write(&store, &data.root_key().unwrap(), &to, &unfinished).unwrap();
            if abandoned {
                assert_eq!(unfinished.abandon(), [to]);
            }
            let mut told = false;
            assert_eq!(written.keep(|| told = true).is_ok(), !abandoned);
            assert_eq!((told, home.at("backup").exists()), (!abandoned, !abandoned));
        }
    }

    #[test]
    fn a_backup_is_restored_below_what_is_missing() {
        let home = Home::new();
        let data = DataDir::new(home.at("a/deep/er"));
        restore(&home.backup(), &data).unwrap();
        assert_eq!(*data.root_key().unwrap(), *DataDir::new(home.at("data")).root_key().unwrap());
        assert!(data.check_store().is_ok() && data.has_store());
        let trail = fs::read_to_string(data.audit()).unwrap();
        assert!(trail.lines().count() == 2 && trail.contains(&home.at("backup").display().to_string()), "{trail}");
        assert!(crate::audit::verify(&data.audit()).unwrap().end_checked);
        let again = restore(&home.at("backup"), &data).unwrap_err();
        assert!(again.to_string().contains("where there is nothing but a configuration"), "{again}");
    }

    #[test]
    fn a_configuration_may_be_there_first_and_nothing_else() {
        let home = Home::new();
        let (backup, data) = (home.backup(), DataDir::new(home.at("new")));
        data.create().unwrap();
        fs::write(data.config(), "# ours").unwrap();
        for left in ["audit.log", "root.key", "store.log", "other"] {
            fs::write(home.at("new").join(left), "").unwrap();
            let refused = restore(&backup, &data).unwrap_err();
            assert!(refused.to_string().contains(left), "{refused}");
            fs::remove_file(home.at("new").join(left)).unwrap();
        }
        fs::create_dir(home.at("new/lost+found")).unwrap();
        fs::write(data.store_draft(), "half").unwrap();
        restore(&backup, &data).unwrap();
        assert!(data.has_store() && fs::read(data.config()).unwrap() == b"# ours");
    }

    /// As of a service whose directory is made for it in one that is not its own.
    #[test]
    fn nothing_is_written_beside_the_directory() {
        let home = Home::new();
        let (backup, data) = (home.backup(), DataDir::new(home.at("new")));
        data.create().unwrap();
        let above = File::open(home.0.path()).unwrap();
        above.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        restore(&backup, &data).unwrap();
        assert!(data.has_store());
        assert_eq!(above.metadata().unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn a_directory_that_no_server_would_take_gets_nothing() {
        let home = Home::new();
        let (backup, open) = (home.backup(), home.at("open"));
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let error = restore(&backup, &DataDir::new(&open)).unwrap_err();
        assert!(error.to_string().contains("chmod 700"), "{error}");
        assert_eq!(open.read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_damaged_part_is_said_of_the_file_and_leaves_nothing() {
        let home = Home::new();
        let backup = home.backup();
        let mut octets = fs::read(&backup).unwrap();
        let end = octets.len() - DIGEST;
        octets[end - 1] ^= 1;
        let digest = Sha256::digest(&octets[..end]);
        octets[end..].copy_from_slice(&digest);
        fs::write(&backup, octets).unwrap();
        let error = restore(&backup, &DataDir::new(home.at("new"))).unwrap_err();
        assert!(error.to_string().starts_with(&format!("the backup `{}` is damaged", backup.display())), "{error}");
        assert_eq!(home.names(), ["backup", "data"]);
    }

    #[test]
    fn a_target_that_cannot_be_is_said_as_it_was_given() {
        let home = Home::new();
        home.backup();
        let data = DataDir::new(home.at("data"));
        let store = Embedded::open(data.path(), Arc::default()).unwrap();
        // With what is written first, whose name is longer still.
        let long = "b".repeat(240);
        for (to, part) in [
            ("backup", "is there already"),
            ("data", "is there already"),
            ("none/b", "No such file"),
            (long.as_str(), "File name too long"),
        ] {
            let root = data.root_key().unwrap();
            let unfinished = Unfinished::default();
            let error = write(&store, &root, &home.at(to), &unfinished).err().unwrap().to_string();
            assert!(error.contains(part) && error.contains(&format!("`{}`", home.at(to).display())), "{error}");
        }
        assert_eq!(home.names(), ["backup", "data"]);
    }
}

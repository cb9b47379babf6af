//! The embedded store on disks that lose power or fail.

use super::{Embedded, LostFile, Shared, writer::Writer};
use crate::{
    clock::Clock,
    store::{
        Committed, Store, StoreError,
        conforms::{del, key, put, show, writes},
    },
    sync,
};
use core::ops::ControlFlow;
use redb::StorageBackend;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Seek},
    sync::{Arc, Mutex, MutexGuard, mpsc::sync_channel},
    thread,
    time::Duration,
};
use waxseal_core::{
    seam::{Commit, Range},
    time::UnixTime,
};

/// A disk in memory that keeps apart what was synced and what was only written. Two files are on it.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<State>>);

/// The store's file, and its log.
type Image = [Vec<u8>; 2];

const FILES: [usize; 2] = [0, 1];

#[derive(Default)]
struct State {
    synced: Image,
    /// What was done since the last sync of its file, in order.
    unsynced: Vec<Change>,
    now: Image,
    watcher: Option<Watcher>,
    fault: Option<Fault>,
    /// What can be written no longer can be read no longer.
    blind: bool,
}

/// One file.
#[derive(Clone)]
struct File {
    disk: Disk,
    number: usize,
}

/// Called before each sync takes effect.
type Watcher = Box<dyn FnMut(&Image, &[Change]) + Send>;

#[derive(Clone)]
struct Change {
    file: usize,
    what: What,
}

#[derive(Clone)]
enum What {
    Write(u64, Vec<u8>),
    Length(u64),
}

/// From the `after`-th change on, every one fails; the first goes half way.
struct Fault {
    after: u64,
    kind: io::ErrorKind,
    /// The files it is about.
    files: &'static [usize],
}

impl core::fmt::Debug for File {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("File")
    }
}

impl Change {
    fn apply(&self, image: &mut Image) {
        let image = &mut image[self.file];
        match &self.what {
            What::Write(offset, data) => {
                let start = usize::try_from(*offset).unwrap();
                let end = start + data.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[start..end].copy_from_slice(data);
            }
            What::Length(length) => image.resize(usize::try_from(*length).unwrap(), 0),
        }
    }

    /// The change up to its `sectors`-th sector.
    fn torn(&self, sectors: usize) -> Self {
        let what = match &self.what {
            What::Write(offset, data) => What::Write(*offset, data[..data.len().min(sectors * SECTOR)].into()),
            What::Length(length) => What::Length(*length),
        };
        Self { what, ..*self }
    }
}

const SECTOR: usize = 512;

impl Disk {
    fn of(image: Image) -> Self {
        let disk = Self::default();
        disk.state().synced.clone_from(&image);
        disk.state().now = image;
        disk
    }

    fn open(&self) -> Result<Embedded, StoreError> {
        let [store, log] = self.files();
        Embedded::with_backends(store, log, clock())
    }

    fn files(&self) -> [File; 2] {
        FILES.map(|number| File { disk: self.clone(), number })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        sync::lock(&self.0)
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        if let Some(fault) = state.fault.as_mut().filter(|fault| fault.files.contains(&change.file)) {
            let Some(left) = fault.after.checked_sub(1) else {
                let half = change.torn(1);
                half.apply(&mut state.now);
                state.unsynced.push(half);
                return Err(fault.kind.into());
            };
            fault.after = left;
        }
        change.apply(&mut state.now);
        state.unsynced.push(change);
        Ok(())
    }
}

impl State {
    fn readable(&self, file: usize) -> io::Result<()> {
        match &self.fault {
            Some(Fault { after: 0, kind, files }) if self.blind && files.contains(&file) => Err((*kind).into()),
            _ => Ok(()),
        }
    }
}

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.readable(self.number)?;
        Ok(state.now[self.number].len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        state.readable(self.number)?;
        let start = usize::try_from(offset).unwrap();
        let found = state.now[self.number].get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.change(Change { file: self.number, what: What::Length(len) })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let state = &mut *state;
        if let Some(Fault { after: 0, kind, files }) = state.fault
            && files.contains(&self.number)
        {
            return Err(kind.into());
        }
        if let Some(watcher) = &mut state.watcher {
            watcher(&state.synced, &state.unsynced);
        }
        state.synced[self.number].clone_from(&state.now[self.number]);
        state.unsynced.retain(|change| change.file != self.number);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.change(Change { file: self.number, what: What::Write(offset, data.into()) })
    }
}

/// The `n`-th change of the history that every test writes: it tells its number, and leaves and takes records.
fn commit(n: u64) -> Commit {
    let text = n.to_string();
    let large = "x".repeat(usize::try_from(n * 97 % 3000).unwrap());
    writes([
        put("n", &text),
        put(&format!("a{}", n % 7), &large),
        put(&format!("b{}", n % 5), &text),
        del(&format!("b{}", (n + 2) % 5)),
    ])
}

/// What the store holds after `n` changes.
fn model(n: u64) -> BTreeMap<String, Vec<u8>> {
    let mut records = BTreeMap::new();
    for n in 1..=n {
        for write in commit(n).writes {
            match write.value {
                Some(value) => records.insert(write.key.as_str().to_owned(), value),
                None => records.remove(write.key.as_str()),
            };
        }
    }
    records
}

fn clock() -> Arc<Clock> {
    Arc::new(Clock::stopped_at(UnixTime::from_secs(1_000)))
}

fn content(store: &Embedded) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let all = store.range(&Range { prefix: String::new(), after: String::new(), limit: u32::MAX }).wait()?;
    Ok(all.into_iter().map(|(key, record)| (key.as_str().to_owned(), record.value)).collect())
}

/// How many changes the image holds; `Err` if it does not open, or holds what no number of changes leaves.
fn history(image: Image) -> Result<u64, String> {
    let store = Disk::of(image).open().map_err(|error| error.to_string())?;
    let found = content(&store).map_err(|error| error.to_string())?;
    let n = found.get("n").map_or(0, |n| String::from_utf8_lossy(n).parse().unwrap_or(u64::MAX));
    if n < 10_000 && found == model(n) { Ok(n) } else { Err(format!("it holds no state of the history ({n})")) }
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// What a disk may hold after a power cut: what was synced, and of the rest anything in any order, written whole or in part.
fn after_power_cut(synced: &Image, unsynced: &[Change], dice: &mut Dice) -> Vec<Image> {
    let with = |changes: &[Change]| {
        let mut image = synced.clone();
        for change in changes {
            change.apply(&mut image);
        }
        image
    };
    let mut images = vec![with(&[]), with(unsynced)];
    for _ in 0..2 {
        // Lengths come first: a disk that writes behind the end has grown before.
        let mut some: Vec<_> = unsynced.iter().filter(|_| dice.roll(2) == 0).cloned().collect();
        for at in (1..some.len()).rev() {
            some.swap(at, dice.roll(at + 1));
        }
        if let Some(last) = some.last_mut() {
            *last = last.torn(dice.roll(9));
        }
        for file in FILES {
            let longest = unsynced.iter().filter_map(|change| match change.what {
                What::Length(length) if change.file == file => Some(length),
                _ => None,
            });
            some.splice(0..0, longest.max().map(|length| Change { file, what: What::Length(length) }));
        }
        images.push(with(&some));
    }
    images
}

/// How many images were opened.
fn cut_power(changes: u64) -> usize {
    #[derive(Default)]
    struct Progress {
        issued: u64,
        acknowledged: u64,
        images: usize,
        wrong: Vec<String>,
    }
    let progress = Arc::new(Mutex::new(Progress::default()));
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let mut dice = Dice(changes);
    let shared = Arc::clone(&progress);
    disk.state().watcher = Some(Box::new(move |synced, unsynced| {
        let mut progress = shared.lock().unwrap();
        for image in after_power_cut(synced, unsynced, &mut dice) {
            progress.images += 1;
            let (least, most) = (progress.acknowledged, progress.issued);
            match history(image) {
                Ok(n) if (least..=most).contains(&n) => {}
                Ok(n) => progress.wrong.push(format!("{n} changes, though {least} were acknowledged and {most} made")),
                Err(why) => progress.wrong.push(format!("after {least} changes: {why}")),
            }
        }
    }));
    for n in 1..=changes {
        progress.lock().unwrap().issued = n;
        let committed = store.commit(commit(n)).wait().unwrap();
        assert!(matches!(committed, Committed::At(_)));
        progress.lock().unwrap().acknowledged = n;
        if n.is_multiple_of(16) {
            // Lets the writer seal the file, which is a commit of its own kind.
            thread::sleep(Duration::from_millis(80));
        }
    }
    drop(store);
    let progress = progress.lock().unwrap();
    assert!(
        progress.wrong.is_empty(),
        "{} of {} images:\n{}",
        progress.wrong.len(),
        progress.images,
        progress.wrong.join("\n")
    );
    progress.images
}

#[test]
fn a_power_cut_at_any_sync_leaves_a_prefix_of_the_history() {
    let images = cut_power(40);
    assert!(images >= 40 * 4, "{images} images");
}

/// Commits until one fails, from the `after`-th change of the medium on; then lets the medium work again. Sealed after each
/// commit the changes are those of the store's file too, else mostly the log's.
fn fail(after: u64, kind: io::ErrorKind, sealed: bool) {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    for n in 1..=5 {
        store.commit(commit(n)).wait().unwrap();
    }
    disk.state().fault = Some(Fault { after, kind, files: &FILES });
    let mut acknowledged = 5;
    let outcome = (6..40).try_for_each(|n| match store.commit(commit(n)).wait() {
        Ok(Committed::At(_)) => {
            acknowledged = n;
            if sealed {
                // When it fails, the next commit does.
                let _ = store.tidy().wait();
            }
            ControlFlow::Continue(())
        }
        Ok(Committed::Conflict) => panic!("nobody else writes"),
        Err(error) => ControlFlow::Break(error),
    });
    let ControlFlow::Break(error) = outcome else { panic!("{after}: the medium never failed") };
    let full = kind == io::ErrorKind::StorageFull;
    assert_eq!(error == StoreError::Full, full, "{after}: {error}");

    // Reads go on, of everything acknowledged and nothing else; so does refusing.
    for _ in 0..3 {
        assert_eq!(content(&store).unwrap(), model(acknowledged), "{after}");
        assert!(store.get(&[key("n")]).wait().unwrap()[0].is_some(), "{after}");
        assert!(store.commit(commit(acknowledged + 1)).wait().is_err(), "{after}");
    }
    // What the disk holds is whole, too.
    let synced = disk.state().synced.clone();
    let now = disk.state().now.clone();
    assert_eq!(history(synced), Ok(acknowledged), "{after}: synced");
    let written = history(now).unwrap_or_else(|why| panic!("{after}: written: {why}"));
    assert!((acknowledged..=acknowledged + 1).contains(&written), "{after}: {written} of {acknowledged}");

    // Without a restart, as soon as the medium works.
    disk.state().fault = None;
    for n in acknowledged + 1..acknowledged + 4 {
        assert!(matches!(store.commit(commit(n)).wait(), Ok(Committed::At(_))), "{after}");
    }
    assert_eq!(content(&store).unwrap(), model(acknowledged + 3), "{after}");
    drop(store);
    let image = disk.state().now.clone();
    assert_eq!(history(image), Ok(acknowledged + 3), "{after}: closed");
}

#[test]
fn a_medium_that_fails_costs_writes_only() {
    // Each point of the first commits in turn: writes of batches, pages and the header, and syncs.
    for sealed in [false, true] {
        for after in 0..24 {
            fail(after, io::ErrorKind::StorageFull, sealed);
        }
        for after in [0, 1, 2, 3, 5, 8, 13, 21, 34] {
            fail(after, io::ErrorKind::ReadOnlyFilesystem, sealed);
            fail(after, io::ErrorKind::Other, sealed);
        }
    }
}

/// A file that could not even be opened again after it has failed: what the log was told of it is no longer sure.
#[test]
fn a_file_that_is_gone_for_a_moment_costs_nothing() {
    for sealed in [0, 3] {
        for after in 0..40 {
            let disk = Disk::default();
            let store = disk.open().unwrap();
            for n in 1..=6 {
                store.commit(commit(n)).wait().unwrap();
                if n == sealed {
                    store.tidy().wait().unwrap();
                }
            }
            disk.state().blind = true;
            disk.state().fault = Some(Fault { after, kind: io::ErrorKind::Other, files: &[0] });
            let failed = store.tidy().wait().is_err();
            disk.state().fault = None;
            let mut acknowledged = 6;
            for n in 7..=9 {
                if matches!(store.commit(commit(n)).wait(), Ok(Committed::At(_))) {
                    assert_eq!(n, acknowledged + 1, "{after}");
                    acknowledged = n;
                    assert_eq!(content(&store).unwrap(), model(n), "{after}");
                }
            }
            assert_eq!(acknowledged, 9, "{after}: it works again ({failed})");
            let killed = disk.state().now.clone();
            assert_eq!(history(killed), Ok(9), "{after}: killed");
            assert_eq!(history(disk.state().synced.clone()), Ok(9), "{after}: cut off");
        }
    }
}

/// The lines that the log is told while `work` goes on on this thread.
fn told(work: impl FnOnce()) -> Vec<String> {
    let mut file = tempfile::tempfile().unwrap();
    // With one subscriber only, tracing asks the one of the thread that first comes to a line, and remembers the answer for all
    // threads; that may be the thread of another test, which has none.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let format = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false);
    let log = format.with_writer(Arc::new(file.try_clone().unwrap()));
    tracing::subscriber::with_default(log.finish(), work);
    file.rewind().unwrap();
    io::read_to_string(file).unwrap().lines().map(|line| line.trim().to_owned()).collect()
}

/// Not once for each commit that fails, of which strangers' failed logins are some.
#[test]
fn an_outage_is_told_when_it_begins_and_when_it_ends() {
    let disk = Disk::default();
    let [store, log] = disk.files();
    let (shared, log) = Shared::on_backends(store, log, clock()).unwrap();
    let mut writer = Writer::new(Arc::new(shared), log, sync_channel(1).1);
    let lines = told(|| {
        for _ in 0..2 {
            // Among these is a disk on which the store can be opened again, and then takes no commit.
            for after in [0, 3, 6, 9, 0, 3, 6, 9] {
                disk.state().fault = Some(Fault { after, kind: io::ErrorKind::StorageFull, files: &FILES });
                assert!(writer.write(&[commit(1)]).is_err(), "{after}");
            }
            disk.state().fault = None;
            assert!((0..3).all(|_| writer.write(&[commit(1)]).is_ok()));
        }
    });
    let levels: Vec<_> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    // The log is what fails first.
    assert_eq!(levels, ["WARN", "ERROR", "INFO"].repeat(2), "{lines:?}");
}

#[test]
fn a_file_that_is_lost_under_the_store_is_told_once() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let store = Embedded::open(home.path(), clock()).unwrap();
    let look = || told(|| (0..2).for_each(|_| store.shared.names.look()));
    assert_eq!((store.lost(), look()), (None, Vec::new()));
    for (name, lost) in [("store.log", LostFile::Log(at("store.log"))), ("store.redb", LostFile::Store(at("store.redb")))] {
        fs::rename(at(name), at("aside")).unwrap();
        assert_eq!(store.lost(), Some(lost.clone()));
        fs::copy(at("aside"), at(name)).unwrap();
        assert_eq!(store.lost(), Some(lost), "another file with the same content");
        let said = look();
        assert!(said.len() == 1 && said[0].starts_with("ERROR") && said[0].contains(name), "{said:?}");
        fs::rename(at("aside"), at(name)).unwrap();
        let said = look();
        assert!(store.lost().is_none() && said.len() == 1 && said[0].starts_with("INFO"), "{said:?}");
    }
}

#[test]
fn a_log_that_fails_costs_nothing() {
    for after in 0..4 {
        let disk = Disk::default();
        let store = disk.open().unwrap();
        let fault = Fault { after, kind: io::ErrorKind::Other, files: &[1] };
        disk.state().fault = Some(fault);
        for n in 1..=8 {
            assert!(matches!(store.commit(commit(n)).wait(), Ok(Committed::At(_))), "{after}: {n}");
            assert_eq!(history(disk.state().synced.clone()), Ok(n), "{after}");
        }
        disk.state().fault = None;
        for n in 9..=12 {
            assert!(matches!(store.commit(commit(n)).wait(), Ok(Committed::At(_))), "{after}: {n}");
            assert_eq!(history(disk.state().synced.clone()), Ok(n), "{after}");
        }
        assert_eq!(content(&store).unwrap(), model(12));
    }
}

/// Whatever others write meanwhile.
#[test]
fn what_is_acknowledged_is_read_at_once() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0..1500 {
                    store.commit(writes([put(&format!("other{}", n % 50), "x")])).wait().unwrap();
                }
            });
        }
        for n in 1..=500 {
            store.commit(commit(n)).wait().unwrap();
            let all = content(&store).unwrap();
            assert_eq!(all.get("n").map(Vec::as_slice), Some(n.to_string().as_bytes()));
            assert_eq!(show(&store, &["n"]).rsplit('=').next(), Some(n.to_string().as_str()));
        }
    });
}

/// Whichever part of it redb has taken in, the store reads the same: in whole, in part, and in a backup.
#[test]
fn what_the_log_has_lies_over_what_the_file_has() {
    let (disk, home) = (Disk::default(), tempfile::tempdir().unwrap());
    let store = disk.open().unwrap();
    let names = |n: u64, range: &Range| {
        let is_within = |name: &&String| name.starts_with(&range.prefix) && **name > range.after;
        let names = model(n).into_keys().collect::<Vec<_>>();
        names.iter().filter(is_within).take(range.limit.try_into().unwrap()).cloned().collect::<Vec<_>>()
    };
    for n in 1..=24 {
        store.commit(commit(n)).wait().unwrap();
        for sealed in [false, true] {
            if sealed && n.is_multiple_of(3) {
                store.tidy().wait().unwrap();
            }
            assert_eq!(content(&store).unwrap(), model(n), "{n} {sealed}");
            for (prefix, after) in [("", ""), ("", "a6"), ("a", ""), ("b", "b2"), ("b", "a"), ("n", ""), ("x", "")] {
                for limit in 0..8 {
                    let range = Range { prefix: prefix.into(), after: after.into(), limit };
                    let found = store.range(&range).wait().unwrap();
                    let found: Vec<_> = found.into_iter().map(|(key, _)| key.as_str().to_owned()).collect();
                    assert_eq!(found, names(n, &range), "{n} {sealed} {range:?}");
                }
            }
        }
        if n.is_multiple_of(8) {
            let (backup, data) = (home.path().join("backup"), home.path().join(n.to_string()));
            assert_eq!(store.backup(&backup).unwrap().0, n);
            let restored = Embedded::restore(fs::File::open(&backup).unwrap(), &backup, &data);
            assert_eq!(restored.unwrap().0, n);
            let restored = Embedded::open(&data, clock()).unwrap();
            assert_eq!((content(&restored).unwrap(), restored.revision().0), (model(n), n));
        }
    }
}

/// What the file has no room for stays in the log; once that is seen, changes are refused.
#[test]
fn a_file_that_cannot_grow_costs_the_change_only() {
    let large = |n: u64| writes([put("n", &n.to_string()), put(&format!("large{n}"), &"x".repeat(12_000))]);
    let holds = |store: &Embedded, n: u64| assert_eq!(content(store).unwrap()["n"], n.to_string().into_bytes());
    let grown = Disk::default();
    let store = grown.open().unwrap();
    let mut refused = 0;
    for n in 1..120 {
        store.commit(large(n)).wait().unwrap();
        let disk = Disk::of(grown.state().synced.clone());
        let store = disk.open().unwrap();
        disk.state().fault = Some(Fault { after: 0, kind: io::ErrorKind::StorageFull, files: &[0] });
        let held = n + u64::from(store.commit(large(n + 1)).wait().is_ok());
        refused += n + 1 - held;
        holds(&store, held);
        holds(&Disk::of(disk.state().synced.clone()).open().unwrap(), held);
        disk.state().fault = None;
        assert!(matches!(store.commit(large(held + 1)).wait(), Ok(Committed::At(_))));
        holds(&store, held + 1);
    }
    assert!(refused > 0);
}

/// What a kill leaves after so many changes, of which the store's file has none.
fn only_logged(changes: u64) -> Image {
    let killed = (0..100).find_map(|_| {
        let disk = Disk::default();
        let store = disk.open().unwrap();
        let unsealed = disk.state().synced[0].clone();
        for n in 1..=changes {
            store.commit(commit(n)).wait().unwrap();
        }
        assert!(store.doubts().is_empty());
        let killed = disk.state().synced.clone();
        // If the file differs, the machine was busy, and the writer has found time to seal it: another try.
        (killed[0] == unsealed).then_some(killed)
    });
    killed.expect("changes that do not touch the store's file")
}

/// What is in the log and not yet in the store's file is there after a kill, however often.
#[test]
fn a_start_takes_in_the_log() {
    let disk = Disk::of(only_logged(6));
    for more in 0..3 {
        let store = disk.open().unwrap();
        assert_eq!(content(&store).unwrap(), model(6 + more));
        store.commit(commit(7 + more)).wait().unwrap();
        let killed = disk.state().synced.clone();
        drop(store);
        *disk.state() = State { synced: killed.clone(), now: killed, ..State::default() };
    }
    assert_eq!(history(disk.state().now.clone()), Ok(9));
}

/// Whether a machine stopped while it wrote or the disk has damaged it, the store starts without it and says so.
#[test]
fn a_last_batch_that_is_not_whole_is_a_doubt() {
    let [file, mut log] = only_logged(3);
    let last = log.iter().rposition(|octet| *octet != 0).unwrap();
    log[last] ^= 0xff;
    let store = Disk::of([file, log]).open().unwrap();
    assert_eq!(content(&store).unwrap(), model(2));
    assert_eq!(store.doubts(), [super::LOG_TORN]);
}

/// A file too large to be verified before the start is read while the store works, and what is found ends that.
#[tokio::test]
async fn damage_is_found_in_a_large_file_too() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let filler = "x".repeat(1 << 20);
    store.commit(writes([put("known", "a value of its own")])).wait().unwrap();
    for n in 0..20 {
        store.commit(writes([put(&format!("large {n}"), &filler)])).wait().unwrap();
    }
    drop(store);
    let [mut file, log] = disk.state().now.clone();

    let whole = Disk::of([file.clone(), log.clone()]).open().unwrap();
    let patience = Duration::from_secs(2);
    assert!(tokio::time::timeout(patience, whole.damaged()).await.is_err(), "nothing is damaged");
    assert_eq!(whole.intact(), Ok(()));

    let found: Vec<_> = file.windows(18).enumerate().filter(|(_, window)| window == b"a value of its own").collect();
    let places: Vec<_> = found.into_iter().map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        file[at] ^= 1;
    }
    let store = Disk::of([file, log]).open().unwrap();
    let error = tokio::time::timeout(Duration::from_mins(1), store.damaged()).await.unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(store.intact(), Err(error));
    assert!(store.get(&[key("large 1")]).wait().is_err());
}

#[test]
fn a_closed_store_is_whole_without_its_log() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    store.commit(commit(1)).wait().unwrap();
    drop(store);
    let [file, _] = disk.state().now.clone();
    assert_eq!(history([file, Vec::new()]), Ok(1));
}

#[test]
fn the_log_of_another_store_is_not_taken_in() {
    let other = Disk::default();
    let store = other.open().unwrap();
    store.commit(commit(1)).wait().unwrap();
    let [_, log] = other.state().now.clone();
    assert_eq!(history([Vec::new(), log.clone()]), Ok(0));

    // Nor does a store of the format without a log take it for its own.
    drop(store);
    let [file, _] = other.state().now.clone();
    let disk = Disk::of([file, Vec::new()]);
    let meta = redb::TableDefinition::<'_, &str, u64>::new("meta");
    let database = redb::Builder::new().create_with_backend(File { disk: disk.clone(), number: 0 }).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(meta).unwrap();
    table.insert("format", 1).unwrap();
    table.remove("log").unwrap();
    drop(table);
    transaction.commit().unwrap();
    drop(database);
    let [file, _] = disk.state().now.clone();
    let disk = Disk::of([file, log]);
    let store = disk.open().unwrap();
    assert_eq!(content(&store).unwrap(), model(1));
    store.commit(commit(2)).wait().unwrap();
    assert_eq!(history(disk.state().synced.clone()), Ok(2));
}

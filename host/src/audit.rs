//! The audit trail: one JSON record a line, numbered and chained, so that a cut or changed record is found (security L4).
//!
//! ```text
//! {"n":7,"time":"…","request":"…","source":"…","action":"login",…,"hash":"H7"}
//!        H7 = SHA-256(H6 ‖ the line up to `,"hash":`)      H0 = 32 zero octets
//! ```
//!
//! Beside the trail stands its head, `audit.log.head`: number and hash of a record that is safely on disk, and whether the trail was
//! closed in order. Without it, a cut at the end would leave a shorter, faultless trail. An answer does not wait for its records, so
//! when a process is killed, its last records may be missing: the next start notes that. The chain is not keyed: it reveals careless
//! and accidental changes, and deliberate ones to whoever keeps a head elsewhere ([`verify_since`]).

mod chain;
#[cfg(test)]
mod tests;
mod verify;

pub use verify::{Flaw, Verdict, VerifyError, Whole, verify, verify_since};

use self::chain::{HEADLESS, LOST, Line, Link, OPEN, REPAIR, Record, UNCLEAN, digest};
use crate::{
    clock::Clock,
    engine::{Audit, Due, Occasion},
    files::{
        entry::{identity, sync_name},
        write::open_to_others,
    },
    metrics::Metrics,
    text::hex,
};
use core::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Instant,
};
use waxseal_core::{seam::Event, time::UnixTime};

/// Requests whose records may wait for the disk.
const QUEUE: usize = 8192;
/// Requests whose records are written together at most.
const BATCH: usize = 256;
/// How long the trail rests when it has written some: under load, the records of that while are written at once, and nobody has to
/// wake its thread for each.
const REST: Duration = Duration::from_millis(2);
/// How often the trail is forced to disk and its head moved on.
const SYNC: Duration = Duration::from_secs(1);
/// How often the file is looked for under its name, when there is something to write.
const LOOK: Duration = Duration::from_mins(1);
/// How far from its end the last whole record of a trail is looked for at first, and how far at most. Records are far shorter; those
/// of earlier builds held whatever text a user had sent.
const TAIL: u64 = if cfg!(test) { 4096 } else { 1024 * 1024 };
const LONGEST_TAIL: u64 = 256 * TAIL;
/// How many octets of a name are kept in a record: longer ones, which users may have sent, are cut, and end with [`CUT`].
const LONGEST_TEXT: usize = 256;
/// The same of the detail. A change of every rule at once fits.
const LONGEST_DETAIL: usize = 16 * 1024;
/// Octets of the head, and what stands behind it once the trail was closed in order.
const HEAD: usize = 85;
const CLOSED: &[u8; 7] = b"closed\n";
const CUT: &str = "\u{2026}";

/// The open audit trail. A thread of its own writes it; what it cannot write is counted and noted in the trail once it can.
pub struct AuditTrail {
    queue: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    lost: Arc<Losses>,
}

enum Message {
    Events {
        occasion: Occasion,
        events: Vec<Event>,
    },
    /// The file has been moved away: begin a new one.
    Reopen(Sender<io::Result<()>>),
    /// Everything before this is on disk once it is answered.
    Flush(Sender<io::Result<()>>),
    /// Nothing comes after this.
    Close(Sender<io::Result<()>>),
}

impl AuditTrail {
    /// Opens the trail at `path`, or makes it with mode 0600, and goes on where it ended. A last line that a crash has torn is
    /// closed and noted, and so is a trail that is gone without a trace where this is not the `first` time that it is opened.
    ///
    /// # Errors
    /// When the file cannot be written, or holds no record at its end.
    pub fn open(path: &Path, first: bool, clock: Arc<Clock>, metrics: Arc<Metrics>) -> io::Result<Self> {
        let lost = Arc::new(Losses::new(metrics));
        let trail = Trail::open(path, first, clock, Arc::clone(&lost))?;
        let (queue, messages) = sync_channel(QUEUE);
        let writer = thread::Builder::new().name("audit".into()).spawn(move || trail.run(&messages))?;
        Ok(Self { queue: Some(queue), writer: Some(writer), lost })
    }

    /// Closes the file and opens what is at its path now, a new one if there is none. May block.
    ///
    /// # Errors
    /// When that fails; the next record tries again.
    pub fn reopen(&self) -> io::Result<()> {
        self.ask(Message::Reopen)
    }

    /// Returns once every record so far is on disk. May block.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> io::Result<()> {
        self.ask(Message::Flush)
    }

    /// Closes the trail in order, also when somebody who hangs still holds it. What is recorded from then on is lost. May block.
    pub fn close(&self) {
        self.lost.closed.store(true, Ordering::SeqCst);
        // A writer that has ended has closed it.
        let _ = self.ask(Message::Close);
    }

    fn ask(&self, message: impl FnOnce(Sender<io::Result<()>>) -> Message) -> io::Result<()> {
        let (reply, answer) = channel();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.queue.as_ref().ok_or_else(gone)?.send(message(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

impl Audit for AuditTrail {
    fn record(&self, occasion: Occasion, events: &[Event]) {
        for event in events {
            self.lost.metrics.logins.count(event);
        }
        let count = events.len() as u64;
        let events: Vec<Event> = events.iter().map(short).collect();
        let message = Message::Events { occasion, events };
        let queued = self.queue.as_ref().is_some_and(|queue| queue.try_send(message).is_ok());
        if !queued {
            self.lost.add(count, &"the queue is full");
        }
    }

    fn due(&self) -> Option<Due> {
        // In this order: either whoever closes the trail sees that something is due, or this sees that it is closed.
        let due = Due::counted(&self.lost.due);
        if self.lost.closed.load(Ordering::SeqCst) {
            due.settled();
            return None;
        }
        Some(due)
    }

    fn takes_records(&self) -> bool {
        !self.lost.outage.load(Ordering::Relaxed)
    }

    fn token_refused(&self, occasion: Occasion, reason: &'static str) {
        self.lost.metrics.token_refusals.note(occasion, reason);
    }
}

/// The event with its texts cut to [`LONGEST_TEXT`] and [`LONGEST_DETAIL`].
fn short(event: &Event) -> Event {
    let cut = |text: &str, most: usize| {
        if text.len() <= most {
            return text.into();
        }
        let (kept, _) = text.split_at(text.floor_char_boundary(most - CUT.len()));
        format!("{kept}{CUT}")
    };
    Event {
        actor: cut(&event.actor, LONGEST_TEXT),
        subject: cut(&event.subject, LONGEST_TEXT),
        detail: cut(&event.detail, LONGEST_DETAIL),
        ..*event
    }
}

impl Drop for AuditTrail {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // It has nothing to return; a panic has been reported already.
            let _ = writer.join();
        }
    }
}

/// Records that could not be written.
struct Losses {
    metrics: Arc<Metrics>,
    /// How many of them the trail does not mention yet.
    unnoted: AtomicU64,
    /// Whether the log has been told that some were lost, and none has been written since.
    said: AtomicBool,
    /// Whether the last try to write some has failed.
    outage: AtomicBool,
    /// Changes whose records are still to come, and those of which they never came.
    due: Arc<AtomicU64>,
    /// Nothing is recorded any more.
    closed: AtomicBool,
}

impl Losses {
    fn new(metrics: Arc<Metrics>) -> Self {
        let [said, outage, closed] = [const { AtomicBool::new(false) }; 3];
        Self { metrics, unnoted: AtomicU64::new(0), said, outage, due: Arc::default(), closed }
    }

    fn add(&self, count: u64, why: &dyn fmt::Display) {
        self.metrics.audit_lost.inc_by(count);
        self.unnoted.fetch_add(count, Ordering::Relaxed);
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::error!(%why, "audit records are being lost");
        }
    }
}

/// The writer's side.
struct Trail {
    path: PathBuf,
    clock: Arc<Clock>,
    /// The last record written by this process.
    chain: Option<Link>,
    file: Option<File>,
    head: Option<File>,
    lost: Arc<Losses>,
    /// Something may not be on disk yet.
    dirty: bool,
    /// When forcing it there was last tried.
    tried: Instant,
    /// When the file was last looked for under its name.
    looked: Instant,
    /// The last try has failed, and the log has been told.
    failing: bool,
    /// A sync has failed: the system reports that once, and what that sync was for may be missing although a later one succeeds.
    unsure: bool,
}

impl Trail {
    fn open(path: &Path, first: bool, clock: Arc<Clock>, lost: Arc<Losses>) -> io::Result<Self> {
        let mut trail = Self {
            path: path.into(),
            clock,
            chain: None,
            file: None,
            head: None,
            lost,
            dirty: false,
            tried: Instant::now(),
            looked: Instant::now(),
            failing: false,
            unsure: false,
        };
        trail.attach(first)?;
        Ok(trail)
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            match messages.recv_timeout(self.until_due()) {
                Ok(first) => {
                    if self.take(first, messages) {
                        return;
                    }
                    thread::sleep(REST);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.until_due().is_zero() {
                self.do_due();
            }
        }
        self.close();
    }

    /// How long until what was written is to be forced to disk, or what was lost to be noted; both are tried again if that has failed. A
    /// trail that is not open has nothing to force: the next record opens it.
    fn until_due(&self) -> Duration {
        let is_due = self.is_out() || self.dirty && self.file.is_some();
        if is_due { SYNC.saturating_sub(self.tried.elapsed()) } else { Duration::from_hours(1) }
    }

    fn do_due(&mut self) {
        if self.is_out() {
            self.write(&[]);
        } else {
            self.sync_or_say();
        }
        self.tried = Instant::now();
    }

    /// Whether the last try to write has failed.
    fn is_out(&self) -> bool {
        self.lost.outage.load(Ordering::Relaxed)
    }

    /// Leaves everything on disk, and says so in the head if that is sure.
    fn close(&mut self) {
        let sure = self.sync_or_say() && !self.unsure;
        let missing = self.lost.unnoted.load(Ordering::Relaxed) + self.lost.due.load(Ordering::SeqCst);
        if let (true, Some(head), 0) = (sure, &self.head, missing) {
            // Without it, the next start says that something may be missing.
            let _ = head.write_all_at(CLOSED, HEAD as u64);
        }
    }

    /// Handles `first` and what waits behind it. Whether the trail was closed.
    fn take(&mut self, first: Message, messages: &Receiver<Message>) -> bool {
        let mut batch = Vec::new();
        for message in core::iter::once(first).chain(messages.try_iter().take(BATCH - 1)) {
            match message {
                Message::Events { occasion, events } => batch.push((occasion, events)),
                Message::Reopen(reply) => {
                    self.write(&core::mem::take(&mut batch));
                    self.sync_or_say();
                    self.file = None;
                    // Nobody waits any more if this fails.
                    let _ = reply.send(self.attach(false));
                }
                Message::Flush(reply) => {
                    self.write(&core::mem::take(&mut batch));
                    let _ = reply.send(self.sync());
                }
                Message::Close(reply) => {
                    self.write(&batch);
                    self.close();
                    let _ = reply.send(Ok(()));
                    return true;
                }
            }
        }
        self.write(&batch);
        false
    }

    /// Writes the records of some requests and how many were lost before, or counts them as lost.
    fn write(&mut self, batch: &[(Occasion, Vec<Event>)]) {
        if batch.is_empty() && !self.is_out() {
            return;
        }
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            if self.is_elsewhere() {
                tracing::error!(
                    "`{}` was moved, deleted or replaced while the server runs: a new one is begun",
                    self.path.display()
                );
                self.sync_or_say();
                self.file = None;
            }
        }
        let unnoted = self.lost.unnoted.swap(0, Ordering::Relaxed);
        let written = self.try_write(batch, unnoted);
        self.lost.outage.store(written.is_err(), Ordering::Relaxed);
        if let Err(error) = written {
            // What stands at the end of the file now is seen when it is opened again.
            self.file = None;
            self.lost.unnoted.fetch_add(unnoted, Ordering::Relaxed);
            self.lost.add(batch.iter().map(|(_, events)| events.len() as u64).sum(), &error);
        } else if self.lost.said.swap(false, Ordering::Relaxed) {
            tracing::warn!("audit records are being written again");
        }
    }

    /// Whether what is open is not what its name leads to. What cannot be looked at counts as there.
    fn is_elsewhere(&self) -> bool {
        let Some(open) = self.file.as_ref().and_then(|file| file.metadata().ok()) else { return false };
        match fs::metadata(&self.path) {
            Ok(found) => identity(&found) != identity(&open),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    fn try_write(&mut self, batch: &[(Occasion, Vec<Event>)], unnoted: u64) -> io::Result<()> {
        if self.file.is_none() {
            self.attach(false)?;
        }
        let mut records = Vec::new();
        if unnoted > 0 {
            records.push(Record::Lost { time: self.time(), action: LOST, count: unnoted });
        }
        for (occasion, events) in batch {
            let (time, request) = (rfc_3339(occasion.time), occasion.request.to_string());
            records.extend(events.iter().map(|event| Record::Event {
                time: time.clone(),
                request: request.clone(),
                source: occasion.source,
                event,
            }));
        }
        self.append(&records)
    }

    fn append(&mut self, records: &[Record<'_>]) -> io::Result<()> {
        let mut link = self.chain.unwrap_or(Link::START);
        let mut lines = Vec::new();
        for record in records {
            let (octets, next) = link.append(record)?;
            lines.extend(octets);
            link = next;
        }
        self.dirty = true;
        append_whole(self.file.as_mut().ok_or(io::ErrorKind::NotConnected)?, &lines)?;
        self.chain = Some(link);
        Ok(())
    }

    /// Opens the file, finds out where its chain goes on, and notes what was found. Only the `first` time there need be no head.
    fn attach(&mut self, first: bool) -> io::Result<()> {
        let mut file = owners(OpenOptions::new().append(true), &self.path)?;
        let head = head_path(&self.path);
        let of_head = |error: io::Error| io::Error::new(error.kind(), format!("its head, `{}`: {error}", head.display()));
        let head = owners(OpenOptions::new().write(true), &head).map_err(of_head)?;
        let noted = read_head(&head);
        let known = later(self.chain, noted);
        let (last, torn) = mended_tail(&mut file)?;
        // A running server that opens its file again has written all it had.
        let begins = self.chain.is_none() && noted.is_some();
        let unclean = begins && !was_closed(&head)?;
        let headless = known.is_none() && (last.is_some() || !first);
        let link = self.goes_on(last, known);
        let records = self.findings(&torn, unclean, headless);
        self.chain = Some(link);
        self.head = Some(head);
        self.file = Some(file);
        let opened = self.append(&records).and_then(|()| {
            let prev = hex::text(&self.chain.unwrap_or(Link::START).hash);
            self.append(&[Record::Open { time: self.time(), action: OPEN, prev }])
        });
        // From the beginning there is a head: one that is missing has been taken away.
        let opened = opened.and_then(|()| if noted.is_none() { self.begin_head() } else { Ok(()) });
        if opened.is_err() {
            self.file = None;
            if let (true, false, Some(head)) = (begins, unclean, &self.head) {
                // It was closed in order, and nobody has opened it: so the next start finds it.
                let _ = head.write_all_at(CLOSED, HEAD as u64);
            }
        }
        opened
    }

    /// The record behind which the chain goes on, where the file ends with `last` and is known to have come as far as `known`.
    fn goes_on(&self, last: Option<Link>, known: Option<Link>) -> Link {
        match (last, known) {
            (Some(last), Some(known)) if last.n < known.n || last.n == known.n && last != known => {
                tracing::error!(last = last.n, expected = known.n, "records have been cut from the end of the audit trail");
                known
            }
            (Some(last), _) => last,
            (None, Some(known)) => {
                // At a start; where a running server opens a new file, the old one was moved away.
                if self.chain.is_none() {
                    tracing::error!(
                        records = known.n,
                        "the records of the audit trail are gone, or were moved away while no server ran; it goes on behind them"
                    );
                }
                known
            }
            (None, None) => Link::START,
        }
    }

    /// Tells the log what is wrong with the file, and gives what the trail has to say of it.
    fn findings(&self, torn: &[u8], unclean: bool, headless: bool) -> Vec<Record<'static>> {
        let mut records = Vec::new();
        if !torn.is_empty() {
            tracing::warn!(octets = torn.len(), "the last line of the audit trail was torn; it has been closed");
            let (time, octets) = (self.time(), torn.len());
            records.push(Record::Repair { time, action: REPAIR, torn: hex::text(&digest(&[torn])), octets });
        }
        if unclean {
            tracing::warn!("the server was not stopped in order: the last records of the audit trail may be missing");
            records.push(Record::Unclean { time: self.time(), action: UNCLEAN });
        }
        if headless {
            tracing::warn!(
                "the head of the audit trail, audit.log.head, is missing: nobody can tell whether records were cut from its end"
            );
            records.push(Record::Headless { time: self.time(), action: HEADLESS });
        }
        records
    }

    /// Puts a new head on disk for good, under its name too: a power cut must not look as if somebody had taken it away.
    fn begin_head(&mut self) -> io::Result<()> {
        self.sync()?;
        self.head.as_ref().ok_or(io::ErrorKind::NotConnected)?.sync_all()?;
        sync_name(&self.path)
    }

    fn sync(&mut self) -> io::Result<()> {
        let (Some(file), Some(head), Some(link)) = (&self.file, &self.head, self.chain) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        file.sync_data().inspect_err(|_| self.unsure = true)?;
        head.write_all_at(format!("{:020} {}\n", link.n, hex::text(&link.hash)).as_bytes(), 0)?;
        self.dirty = false;
        Ok(())
    }

    /// Syncs, and says whether that has succeeded. The log is told when syncing begins to fail, and when it works again.
    fn sync_or_say(&mut self) -> bool {
        let synced = self.sync();
        match &synced {
            Err(error) if !self.failing => tracing::error!(%error, "cannot force the audit trail to disk"),
            Ok(()) if self.failing => tracing::warn!("the audit trail is being forced to disk again"),
            _ => {}
        }
        self.failing = synced.is_err();
        !self.failing
    }

    fn time(&self) -> String {
        rfc_3339(self.clock.now())
    }
}

/// Puts all of `lines` at the end, or none, so that no record counted as lost is in the file. A file that cannot be cut back keeps a
/// part.
fn append_whole(file: &mut impl Cut, lines: &[u8]) -> io::Result<()> {
    let end = file.end()?;
    file.write_all(lines).inspect_err(|_| {
        // If this fails, whoever opens the file next goes on behind the last whole record.
        let _ = file.cut(end);
    })
}

/// What is written at its end and can be cut back.
trait Cut: Write {
    fn end(&self) -> io::Result<u64>;

    fn cut(&mut self, end: u64) -> io::Result<()>;
}

impl Cut for File {
    fn end(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, end: u64) -> io::Result<()> {
        self.set_len(end)
    }
}

/// The one with the higher number.
fn later(one: Option<Link>, other: Option<Link>) -> Option<Link> {
    [one, other].into_iter().flatten().max_by_key(|link| link.n)
}

/// A file that only its owner may read, made if need be.
fn owners(how: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = how.read(true).create(true).mode(0o600).open(path)?;
    if open_to_others(&file.metadata()?) {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

pub(crate) fn head_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".head");
    name.into()
}

/// Whether the last writer of this head was stopped in order. Takes that mark away, and syncs, as a power cut would bring it back.
fn was_closed(head: &File) -> io::Result<bool> {
    let mut text = [0; CLOSED.len()];
    let closed = head.read_exact_at(&mut text, HEAD as u64).is_ok() && text == *CLOSED;
    head.set_len(HEAD as u64)?;
    head.sync_all()?;
    Ok(closed)
}

/// `None` when there is none yet, or none that can be read.
fn read_head(file: &File) -> Option<Link> {
    let mut text = [0; HEAD];
    file.read_exact_at(&mut text, 0).ok()?;
    head_of(&text)
}

/// What the octets of a head say.
fn head_of(text: &[u8]) -> Option<Link> {
    let (n, hash) = core::str::from_utf8(text).ok()?.split_once(' ')?;
    Some(Link { n: n.parse().ok()?, hash: hex::digest(hash.as_bytes())? })
}

/// The place of the last whole record, `None` if there is none yet, and what stands behind it.
fn tail(file: &mut File) -> io::Result<(Option<Link>, Vec<u8>)> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut reach = TAIL;
    let end = loop {
        file.seek(SeekFrom::Start(length.saturating_sub(reach)))?;
        let mut end = Vec::new();
        Read::by_ref(file).take(reach).read_to_end(&mut end)?;
        let mut behind = end.len();
        for line in end.split_inclusive(|octet| *octet == b'\n').rev() {
            if let Some(record) = Line::read(line) {
                return Ok((Some(record.link()), end.split_off(behind)));
            }
            behind -= line.len();
        }
        if reach >= length.min(LONGEST_TAIL) {
            break end;
        }
        reach *= 4;
    };
    // The very first record may have been torn; anything else is somebody else's file.
    if length < TAIL && !end.contains(&b'\n') {
        return Ok((None, end));
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "there is no audit record at the end of the file"))
}

/// As [`tail`], with the last line closed: whatever is torn then ends with a line end, which may be all that a whole record lacked.
fn mended_tail(file: &mut File) -> io::Result<(Option<Link>, Vec<u8>)> {
    let (last, mut torn) = tail(file)?;
    if torn.is_empty() || torn.ends_with(b"\n") {
        return Ok((last, torn));
    }
    file.write_all(b"\n")?;
    torn.push(b'\n');
    Ok(match Line::read(&torn) {
        Some(whole) => (Some(whole.link()), Vec::new()),
        None => (last, torn),
    })
}

/// With milliseconds.
fn rfc_3339(time: UnixTime) -> String {
    let text = time.to_string();
    format!("{}.{:03}Z", text.trim_end_matches('Z'), time.as_millis() % 1000)
}

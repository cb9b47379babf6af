//! The audit trail: one JSON record a line, numbered and chained, so that a cut or changed record is found (security L4).
//!
//! ```text
//! {"n":7,"time":"…","request":"…","source":"…","action":"login",…,"hash":"H7"}
//!        H7 = SHA-256(H6 ‖ the line up to `,"hash":`)      H0 = 32 zero octets
//! ```
//!
//! Beside the trail stands its head, `audit.log.head`: number and hash of a record that is safely on disk. Without it, a cut
//! at the end would leave a shorter, faultless trail. The chain is not keyed: it reveals careless and accidental changes, and
//! deliberate ones to whoever keeps a head elsewhere.

use crate::{
    clock::Clock,
    engine::{Audit, Occasion},
    http::RequestId,
    metrics::Metrics,
};
use core::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
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
/// How often the trail is forced to disk and its head moved on.
const SYNC: Duration = Duration::from_secs(1);
/// How far from its end the last whole record of a trail is looked for at first, and how far at most. Records are far shorter; those
/// of earlier builds held whatever text a user had sent.
const TAIL: u64 = if cfg!(test) { 4096 } else { 1024 * 1024 };
const LONGEST_TAIL: u64 = 256 * TAIL;
/// Octets that stay of a text in a record: longer ones are cut, and end with [`CUT`].
const LONGEST_TEXT: usize = 256;
const CUT: &str = "\u{2026}";

/// The open audit trail. A thread of its own writes it; what it cannot write is counted and noted in the trail once it can.
pub struct AuditTrail {
    queue: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    lost: Arc<Lost>,
}

enum Message {
    Events {
        occasion: Occasion,
        request: RequestId,
        events: Vec<Event>,
    },
    /// The file has been moved away: begin a new one.
    Reopen(Sender<io::Result<()>>),
    /// Everything before this is on disk once it is answered.
    Flush(Sender<io::Result<()>>),
}

impl AuditTrail {
    /// Opens the trail at `path`, or makes it with mode 0600, and goes on where it ended. A last line that a crash has torn is
    /// closed and noted.
    ///
    /// # Errors
    /// When the file cannot be written, or holds no record at its end.
    pub fn open(path: &Path, clock: Arc<Clock>, metrics: Arc<Metrics>) -> io::Result<Self> {
        let lost = Arc::new(Lost { metrics, unnoted: AtomicU64::new(0), said: AtomicBool::new(false) });
        let mut trail = Trail { path: path.into(), clock, chain: None, file: None, head: None, lost: Arc::clone(&lost) };
        trail.attach()?;
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
        let request = RequestId::present().unwrap_or_else(|| occasion.request.into());
        let count = events.len() as u64;
        let events: Vec<Event> = events.iter().map(short).collect();
        let message = Message::Events { occasion, request, events };
        let queued = self.queue.as_ref().is_some_and(|queue| queue.try_send(message).is_ok());
        if !queued {
            self.lost.add(count, &"the queue is full");
        }
    }

    fn token_refused(&self, occasion: Occasion, reason: &'static str) {
        self.lost.metrics.token_refusals.note(occasion, reason);
    }
}

/// The event with its texts, which users may have sent, no longer than they need to be.
fn short(event: &Event) -> Event {
    let cut = |text: &str| {
        if text.len() <= LONGEST_TEXT {
            return text.into();
        }
        let (kept, _) = text.split_at(text.floor_char_boundary(LONGEST_TEXT - CUT.len()));
        format!("{kept}{CUT}")
    };
    Event { actor: cut(&event.actor), subject: cut(&event.subject), ..*event }
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
struct Lost {
    metrics: Arc<Metrics>,
    /// How many of them the trail does not mention yet.
    unnoted: AtomicU64,
    /// Whether the log has been told of the present outage.
    said: AtomicBool,
}

impl Lost {
    fn add(&self, count: u64, why: &dyn fmt::Display) {
        self.metrics.audit_lost.inc_by(count);
        self.unnoted.fetch_add(count, Ordering::Relaxed);
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::error!(%why, "audit records are being lost");
        }
    }
}

/// A place in the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Link {
    n: u64,
    hash: Hash,
}

type Hash = [u8; 32];

impl Link {
    const START: Self = Self { n: 0, hash: [0; 32] };

    /// The line of the next record, with its LF, and its place.
    fn append(self, record: &Record<'_>) -> io::Result<(Vec<u8>, Self)> {
        let n = self.n + 1;
        let mut line = serde_json::to_vec(&Numbered { n, record })?;
        line.pop();
        let hash = digest(&[&self.hash, &line]);
        line.extend_from_slice(HASH);
        line.extend_from_slice(hex(&hash).as_bytes());
        line.extend_from_slice(b"\"}\n");
        Ok((line, Self { n, hash }))
    }
}

/// What stands between a record and its hash.
const HASH: &[u8] = b",\"hash\":\"";

#[derive(Serialize)]
struct Numbered<'a> {
    n: u64,
    #[serde(flatten)]
    record: &'a Record<'a>,
}

/// One record. Serde writes JSON that escapes every control character, so a record is one line whatever a user sent.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Event {
        time: String,
        request: String,
        source: Option<IpAddr>,
        #[serde(flatten)]
        event: &'a Event,
    },
    /// The file was opened; `prev` is the hash that the chain goes on from.
    Open { time: String, action: &'static str, prev: String },
    /// What stands before it, up to the last record, was torn by a crash; its digest and length.
    Repair { time: String, action: &'static str, torn: String, octets: usize },
    /// So many records before this one were lost.
    Lost { time: String, action: &'static str, count: u64 },
}

const OPEN: &str = "audit.open";
const REPAIR: &str = "audit.repair";
const LOST: &str = "audit.lost";

/// The writer's side.
struct Trail {
    path: PathBuf,
    clock: Arc<Clock>,
    /// The last record written by this process.
    chain: Option<Link>,
    file: Option<File>,
    head: Option<File>,
    lost: Arc<Lost>,
}

impl Trail {
    fn run(mut self, messages: &Receiver<Message>) {
        let mut synced = Instant::now();
        let mut dirty = true;
        loop {
            let wait = if dirty { SYNC.saturating_sub(synced.elapsed()) } else { Duration::from_hours(1) };
            match messages.recv_timeout(wait) {
                Ok(first) => {
                    dirty = true;
                    self.take(first, messages);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if dirty && synced.elapsed() >= SYNC {
                self.sync_or_say();
                (synced, dirty) = (Instant::now(), false);
            }
        }
        self.sync_or_say();
    }

    /// Handles `first` and what waits behind it.
    fn take(&mut self, first: Message, messages: &Receiver<Message>) {
        let mut batch = Vec::new();
        for message in core::iter::once(first).chain(messages.try_iter().take(BATCH)) {
            match message {
                Message::Events { occasion, request, events } => batch.push((occasion, request, events)),
                Message::Reopen(reply) => {
                    self.write(&core::mem::take(&mut batch));
                    self.sync_or_say();
                    self.file = None;
                    // Nobody waits any more if this fails.
                    let _ = reply.send(self.attach());
                }
                Message::Flush(reply) => {
                    self.write(&core::mem::take(&mut batch));
                    let _ = reply.send(self.sync());
                }
            }
        }
        self.write(&batch);
    }

    /// Writes the records of some requests, or counts them as lost.
    fn write(&mut self, batch: &[(Occasion, RequestId, Vec<Event>)]) {
        if batch.is_empty() {
            return;
        }
        let unnoted = self.lost.unnoted.swap(0, Ordering::Relaxed);
        if let Err(error) = self.try_write(batch, unnoted) {
            // What stands at the end of the file now is seen when it is opened again.
            self.file = None;
            self.lost.unnoted.fetch_add(unnoted, Ordering::Relaxed);
            self.lost.add(batch.iter().map(|(.., events)| events.len() as u64).sum(), &error);
        } else if self.lost.said.swap(false, Ordering::Relaxed) {
            tracing::warn!("audit records are being written again");
        }
    }

    fn try_write(&mut self, batch: &[(Occasion, RequestId, Vec<Event>)], unnoted: u64) -> io::Result<()> {
        if self.file.is_none() {
            self.attach()?;
        }
        let mut records = Vec::new();
        if unnoted > 0 {
            records.push(Record::Lost { time: self.time(), action: LOST, count: unnoted });
        }
        for (occasion, request, events) in batch {
            let (time, request) = (rfc_3339(occasion.time), request.to_string());
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
        self.file.as_mut().ok_or(io::ErrorKind::NotConnected)?.write_all(&lines)?;
        self.chain = Some(link);
        Ok(())
    }

    /// Opens the file and finds out where its chain goes on.
    fn attach(&mut self) -> io::Result<()> {
        let mut file = owners(OpenOptions::new().append(true), &self.path)?;
        let head = owners(OpenOptions::new().write(true), &head_path(&self.path))?;
        let noted = read_head(&head);
        let known = self.chain.max_by_number(noted);
        let (mut last, mut torn) = tail(&mut file)?;
        if !torn.is_empty() && !torn.ends_with(b"\n") {
            file.write_all(b"\n")?;
            torn.push(b'\n');
            if let Some(whole) = Line::read(&torn) {
                // Only its line end was missing.
                last = Some(whole.link());
                torn.clear();
            }
        }
        if last.is_some() && known.is_none() {
            tracing::warn!(
                "the head of the audit trail, audit.log.head, is missing: nobody can tell whether records were cut from its end"
            );
        }
        let link = match (last, known) {
            (Some(last), Some(known)) if last.n < known.n || last.n == known.n && last != known => {
                tracing::error!(last = last.n, expected = known.n, "records have been cut from the end of the audit trail");
                known
            }
            (Some(last), _) => last,
            (None, Some(known)) => known,
            (None, None) => Link::START,
        };
        self.chain = Some(link);
        self.head = Some(head);
        let mut records = Vec::new();
        if !torn.is_empty() {
            tracing::warn!(octets = torn.len(), "the last line of the audit trail was torn; it has been closed");
            records.push(Record::Repair {
                time: self.time(),
                action: REPAIR,
                torn: hex(&digest(&[&torn])),
                octets: torn.len(),
            });
        }
        self.file = Some(file);
        let opened = self.append(&records).and_then(|()| {
            let prev = hex(&self.chain.unwrap_or(Link::START).hash);
            self.append(&[Record::Open { time: self.time(), action: OPEN, prev }])
        });
        // From the beginning there is a head: one that is missing has been taken away.
        let opened = opened.and_then(|()| if noted.is_none() { self.sync() } else { Ok(()) });
        if opened.is_err() {
            self.file = None;
        }
        opened
    }

    fn sync(&mut self) -> io::Result<()> {
        let (Some(file), Some(head), Some(link)) = (&self.file, &self.head, self.chain) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        file.sync_data()?;
        head.write_all_at(format!("{:020} {}\n", link.n, hex(&link.hash)).as_bytes(), 0)
    }

    fn sync_or_say(&mut self) {
        if let Err(error) = self.sync() {
            tracing::error!(%error, "cannot force the audit trail to disk");
        }
    }

    fn time(&self) -> String {
        rfc_3339(self.clock.now())
    }
}

trait MaxByNumber {
    fn max_by_number(self, other: Self) -> Self;
}

impl MaxByNumber for Option<Link> {
    fn max_by_number(self, other: Self) -> Self {
        [self, other].into_iter().flatten().max_by_key(|link| link.n)
    }
}

/// A file that only its owner may read, made if need be.
fn owners(how: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = how.read(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

fn head_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".head");
    name.into()
}

/// `None` when there is none yet, or none that can be read.
fn read_head(file: &File) -> Option<Link> {
    let mut text = [0; 85];
    file.read_exact_at(&mut text, 0).ok()?;
    let (n, hash) = core::str::from_utf8(&text).ok()?.split_once(' ')?;
    Some(Link { n: n.parse().ok()?, hash: unhex(hash.as_bytes())? })
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

/// A line that looks like a record.
struct Line<'a> {
    /// What the hash covers besides the one before.
    content: &'a [u8],
    hash: Hash,
    fields: Fields,
}

/// What a check needs to know of a record.
#[derive(Deserialize)]
struct Fields {
    n: u64,
    action: String,
    #[serde(default)]
    prev: String,
    #[serde(default)]
    torn: String,
}

impl<'a> Line<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let json = line.strip_suffix(b"\n")?;
        let (content, rest) = json.split_at_checked(json.len().checked_sub(HASH.len() + 64 + 2)?)?;
        let hash = unhex(rest.strip_prefix(HASH)?.strip_suffix(b"\"}")?)?;
        Some(Self { content, hash, fields: serde_json::from_slice(json).ok()? })
    }

    fn link(&self) -> Link {
        Link { n: self.fields.n, hash: self.hash }
    }
}

/// The first line of an audit trail that is not as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flaw {
    /// Its number, from 1; one more than there are lines when the end is missing.
    pub line: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A trail that holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Whole {
    /// How many records there are.
    pub records: u64,
    /// Whether a head stood beside it, so that nothing was cut off at its end. A trail that was moved away or copied has none.
    pub end_checked: bool,
}

/// Why a trail could not be verified.
#[derive(Debug)]
pub enum VerifyError {
    /// There is none.
    Missing,
    /// It was changed.
    Flaw(Flaw),
    /// It could not be read.
    Io(io::Error),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Flaw(flaw) => flaw.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for VerifyError {}

impl From<io::Error> for VerifyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Checks every record of the trail at `path`, and its end against its head if that stands beside it. A trail that was moved away
/// begins with the hash it goes on from. Works on a stopped server's trail; that of a
/// running one may end in the middle of a line.
///
/// # Errors
/// [`VerifyError::Flaw`] names the first line that was changed, or behind which lines are missing.
pub fn verify(path: &Path) -> Result<Whole, VerifyError> {
    let head = match File::open(head_path(path)) {
        Ok(file) => read_head(&file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let mut file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VerifyError::Missing),
        Err(error) => return Err(error.into()),
    };
    let end_checked = head.is_some();
    let mut check = Verification { line: 0, count: 0, last: None, torn: None, head };
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            let records = check.end().map_err(VerifyError::Flaw)?;
            return Ok(Whole { records, end_checked });
        }
        check.line += 1;
        check.take(&line).map_err(VerifyError::Flaw)?;
    }
}

struct Verification {
    /// The present line, from 1.
    line: u64,
    count: u64,
    last: Option<Link>,
    /// The first of the lines before that are no records, and the digest of them all; they wait for their note.
    torn: Option<(u64, Sha256)>,
    head: Option<Link>,
}

impl Verification {
    fn take(&mut self, line: &[u8]) -> Result<(), Flaw> {
        let flaw = |line, what| Err(Flaw { line, what });
        let Some(record) = Line::read(line) else {
            let (_, torn) = self.torn.get_or_insert_with(|| (self.line, Sha256::new()));
            torn.update(line);
            return Ok(());
        };
        let noted = if record.fields.action == REPAIR { unhex(record.fields.torn.as_bytes()) } else { None };
        match self.torn.take().map(|(first, torn)| (first, torn.finalize().into())) {
            Some((first, torn)) if noted != Some(torn) => return flaw(first, "not a record"),
            None if noted.is_some() => return flaw(self.line, "the torn line before it is missing"),
            _ => {}
        }
        let last = match self.last {
            Some(last) => last,
            // The beginning of the whole trail, or of a file that goes on where another ended.
            None if record.fields.n == 1 => Link::START,
            None => match unhex(record.fields.prev.as_bytes()).filter(|_| record.fields.action == OPEN) {
                Some(hash) => Link { n: record.fields.n.wrapping_sub(1), hash },
                None => return flaw(self.line, "records before it are missing"),
            },
        };
        if record.fields.n != last.n.wrapping_add(1) {
            return flaw(self.line, "records before it are missing, or it is out of place");
        }
        if digest(&[&last.hash, record.content]) != record.hash {
            return flaw(self.line, "changed");
        }
        let place = record.link();
        if self.head.is_some_and(|head| head.n == place.n && head != place) {
            return flaw(self.line, "the trail up to here is not the one that was written");
        }
        self.last = Some(place);
        self.count += 1;
        Ok(())
    }

    fn end(self) -> Result<u64, Flaw> {
        let end = self.line + 1;
        match (self.torn, self.head, self.last) {
            (Some((line, _)), ..) => Err(Flaw { line, what: "not a record" }),
            (None, Some(head), Some(last)) if head.n > last.n => {
                Err(Flaw { line: end, what: "records are missing at the end" })
            }
            (None, Some(_), None) => Err(Flaw { line: end, what: "all records are missing" }),
            _ => Ok(self.count),
        }
    }
}

fn digest(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
}

fn hex(octets: &[u8]) -> String {
    use fmt::Write;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut digits, octet| {
        // Writing to a string does not fail.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

fn unhex(digits: &[u8]) -> Option<Hash> {
    let mut out = [0; 32];
    if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    for (octet, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = core::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())?;
    }
    Some(out)
}

/// With milliseconds.
fn rfc_3339(time: UnixTime) -> String {
    let text = time.to_string();
    format!("{}.{:03}Z", text.trim_end_matches('Z'), time.as_millis() % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use waxseal_core::seam::Outcome;

    struct Home {
        directory: tempfile::TempDir,
        metrics: Arc<Metrics>,
    }

    impl Home {
        fn new() -> Self {
            Self { directory: tempfile::tempdir().unwrap(), metrics: Arc::default() }
        }

        fn path(&self) -> PathBuf {
            self.directory.path().join("audit.log")
        }

        fn open(&self) -> AuditTrail {
            let clock = Arc::new(Clock::stopped_at(UnixTime::from_millis(1_001)));
            AuditTrail::open(&self.path(), clock, Arc::clone(&self.metrics)).unwrap()
        }

        /// Writes one record for each actor and closes the trail.
        fn write(&self, actors: &[&str]) {
            let trail = self.open();
            for actor in actors {
                record(&trail, actor);
            }
        }

        fn lines(&self) -> Vec<String> {
            fs::read_to_string(self.path()).unwrap().lines().map(String::from).collect()
        }

        /// The number of records, or of the first bad line.
        fn verify(&self) -> Result<u64, u64> {
            verify(&self.path()).map(|whole| whole.records).map_err(|error| match error {
                VerifyError::Flaw(flaw) => flaw.line,
                other => panic!("{other}"),
            })
        }

        /// Changes the text of the trail.
        fn tamper(&self, change: impl FnOnce(&mut Vec<String>)) {
            let mut lines = self.lines();
            change(&mut lines);
            fs::write(self.path(), lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>()).unwrap();
        }
    }

    fn event(actor: &str) -> Event {
        Event {
            action: "login",
            actor: actor.into(),
            subject: actor.into(),
            outcome: Outcome::Refused,
            reason: "bad_credentials",
            dialect: "redis",
        }
    }

    fn record(trail: &AuditTrail, actor: &str) {
        let source = Some(IpAddr::from([192, 0, 2, 1]));
        trail.record(Occasion { time: UnixTime::from_millis(2_500), source, request: 255 }, &[event(actor)]);
    }

    #[test]
    fn a_record_says_when_who_what_and_how() {
        let home = Home::new();
        home.write(&["alice"]);
        let line: serde_json::Value = serde_json::from_str(&home.lines()[1]).unwrap();
        for (member, value) in [
            ("time", "1970-01-01T00:00:02.500Z"),
            ("request", "00000000000000ff"),
            ("source", "192.0.2.1"),
            ("action", "login"),
            ("actor", "alice"),
            ("outcome", "refused"),
            ("reason", "bad_credentials"),
            ("dialect", "redis"),
        ] {
            assert_eq!(line[member], value);
        }
        assert_eq!(fs::metadata(home.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_record_is_one_line_whatever_a_user_is_called() {
        let home = Home::new();
        home.write(&["a\nb\r\u{2028}\0\",\"hash\":\"", "\u{1b}[2J"]);
        assert_eq!(home.lines().len(), 3);
        assert_eq!(home.verify(), Ok(3));
    }

    #[test]
    fn texts_are_cut_where_they_are_written() {
        let home = Home::new();
        home.write(&[&"\u{e9}".repeat(300_000), &"x".repeat(256)]);
        let lines = home.lines();
        let cut = format!("{}\u{2026}", "\u{e9}".repeat(126));
        for (line, actor) in [(1, cut), (2, "x".repeat(256))] {
            let line: serde_json::Value = serde_json::from_str(&lines[line]).unwrap();
            assert_eq!((&line["actor"], &line["subject"]), (&actor.as_str().into(), &actor.as_str().into()));
        }
        assert_eq!(home.verify(), Ok(3));
    }

    /// An earlier build wrote whatever it was sent.
    #[test]
    fn a_long_last_record_does_not_keep_a_trail_from_being_opened() {
        let home = Home::new();
        home.write(&["a"]);
        let last = Line::read(format!("{}\n", home.lines()[1]).as_bytes()).unwrap().link();
        let event = Event { actor: "x".repeat(100_000), ..event("a") };
        let record = Record::Event { time: String::new(), request: String::new(), source: None, event: &event };
        let (line, _) = last.append(&record).unwrap();
        OpenOptions::new().append(true).open(home.path()).unwrap().write_all(&line).unwrap();
        home.write(&["b"]);
        assert_eq!(home.verify(), Ok(5));
    }

    #[test]
    fn without_a_head_the_end_is_not_checked() {
        let home = Home::new();
        assert!(matches!(verify(&home.path()), Err(VerifyError::Missing)));
        let trail = home.open();
        assert_eq!(
            verify(&home.path()).unwrap(),
            Whole { records: 1, end_checked: true },
            "a fresh one has a head at once"
        );
        drop(trail);
        fs::write(head_path(&home.path()), "").unwrap();
        assert_eq!(verify(&home.path()).unwrap(), Whole { records: 1, end_checked: false });
        fs::remove_file(head_path(&home.path())).unwrap();
        assert_eq!(verify(&home.path()).unwrap(), Whole { records: 1, end_checked: false });
    }

    #[test]
    fn the_chain_goes_on_after_a_restart() {
        let home = Home::new();
        home.write(&["a", "b"]);
        home.write(&["c"]);
        assert_eq!(home.verify(), Ok(5));
    }

    #[test]
    fn every_change_is_found() {
        let check = |change: fn(&mut Vec<String>), line: u64| {
            let home = Home::new();
            home.write(&["a", "b", "c", "d"]);
            home.tamper(change);
            assert_eq!(home.verify(), Err(line));
        };
        check(|lines| lines[2] = lines[2].replace("\"b\"", "\"x\""), 3);
        check(|lines| drop(lines.remove(2)), 3);
        check(|lines| lines.swap(2, 3), 3);
        check(|lines| lines.insert(3, lines[2].clone()), 4);
        check(|lines| drop(lines.remove(0)), 1);
        check(|lines| drop(lines.pop()), 5);
        check(|lines| lines.truncate(1), 2);
        check(Vec::clear, 1);
        check(|lines| lines.push("{}".into()), 6);
        check(|lines| lines[1].insert(1, ' '), 2);
        check(|lines| lines[4] = lines[4].replace("192.0.2.1", "192.0.2.2"), 5);
    }

    #[test]
    fn a_trail_written_anew_does_not_match_its_head() {
        let (home, other) = (Home::new(), Home::new());
        home.write(&["a", "b"]);
        other.write(&["x", "b"]);
        fs::copy(other.path(), home.path()).unwrap();
        assert_eq!(home.verify(), Err(3));
    }

    #[test]
    fn a_cut_trail_does_not_heal() {
        let home = Home::new();
        home.write(&["a", "b"]);
        home.tamper(|lines| drop(lines.pop()));
        home.write(&["c"]);
        assert_eq!(home.verify(), Err(3));
    }

    /// Every length at which a crash can tear the last record.
    #[test]
    fn a_torn_line_is_closed_and_noted() {
        let home = Home::new();
        home.write(&["a", "b"]);
        let whole = fs::read(home.path()).unwrap();
        let last = home.lines()[2].len();
        for torn in (1..=last).step_by(7).chain([last - 1, last]) {
            // The head is moved on once a second, so a crash finds it behind.
            let _ = fs::remove_file(head_path(&home.path()));
            fs::write(home.path(), &whole[..whole.len() - 1 - last + torn]).unwrap();
            assert_eq!(home.verify(), Err(3), "torn after {torn}");
            home.write(&["c"]);
            let noted = home.lines().iter().any(|line| line.contains("\"action\":\"audit.repair\""));
            assert_eq!((noted, home.verify()), (torn < last, Ok(5)), "torn after {torn}");
        }
    }

    #[test]
    fn a_torn_line_cannot_hide_a_record() {
        let home = Home::new();
        home.write(&["a", "b"]);
        let _ = fs::remove_file(head_path(&home.path()));
        let mut octets = fs::read(home.path()).unwrap();
        octets.truncate(octets.len() - 20);
        fs::write(home.path(), octets).unwrap();
        home.write(&[]);
        assert_eq!(home.verify(), Ok(4));
        home.tamper(|lines| lines[2] = "{}".into());
        assert_eq!(home.verify(), Err(3));
    }

    #[test]
    fn a_foreign_file_is_left_alone() {
        let home = Home::new();
        fs::write(home.path(), "a\nb\n").unwrap();
        let opened = AuditTrail::open(&home.path(), Arc::default(), Arc::clone(&home.metrics));
        assert_eq!(opened.err().map(|error| error.kind()), Some(io::ErrorKind::InvalidData));
    }

    #[test]
    fn a_moved_trail_goes_on_in_a_new_file() {
        let home = Home::new();
        let trail = home.open();
        record(&trail, "a");
        trail.flush().unwrap();
        let old = home.directory.path().join("audit.log.1");
        fs::rename(home.path(), &old).unwrap();
        record(&trail, "b");
        trail.reopen().unwrap();
        record(&trail, "c");
        drop(trail);
        assert_eq!(verify(&old).unwrap(), Whole { records: 3, end_checked: false });
        assert_eq!(home.verify(), Ok(2));
        assert!(home.lines()[0].contains("\"n\":4,") && home.lines()[0].contains("audit.open"));
        home.tamper(|lines| drop(lines.remove(0)));
        assert_eq!(home.verify(), Err(1));
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_noted() {
        let home = Home::new();
        let trail = home.open();
        record(&trail, "a");
        trail.flush().unwrap();
        fs::rename(home.path(), home.directory.path().join("aside")).unwrap();
        fs::create_dir(home.path()).unwrap();
        assert!(trail.reopen().is_err());
        record(&trail, "b");
        assert!(trail.flush().is_err());
        assert_eq!(home.metrics.audit_lost.get(), 1);
        fs::remove_dir(home.path()).unwrap();
        fs::rename(home.directory.path().join("aside"), home.path()).unwrap();
        record(&trail, "c");
        drop(trail);
        assert_eq!(home.verify(), Ok(5));
        assert!(home.lines()[3].contains("\"action\":\"audit.lost\",\"count\":1"), "{:?}", home.lines());
    }
}

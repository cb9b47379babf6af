//! Checks a trail from its file alone.

use super::{
    HEAD,
    chain::{HEADLESS, LOST, Line, Link, OPEN, REPAIR, UNCLEAN, digest},
    head_of, head_path, read_head,
};
use crate::text::hex;
use core::{fmt, time::Duration};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    thread,
};

/// The first line of an audit trail that is not as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flaw {
    /// Its number, from 1; one more than there are lines when the end is missing.
    pub line: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, records, lost, unclean, .. } = self;
        match (first, records) {
            (_, 0) => f.write_str("no records"),
            (0 | 1, 1) => f.write_str("1 record, from the beginning"),
            (0 | 1, _) => write!(f, "{records} records, from the beginning"),
            _ => write!(f, "records {first} to {}, those before them are elsewhere", first.saturating_add(records - 1)),
        }?;
        if *lost > 0 {
            write!(f, "; {lost} more could not be written (`audit.lost` says when)")?;
        }
        match unclean {
            0 => Ok(()),
            1 => f.write_str("; before 1 start, which `audit.unclean` marks, the last records may be missing"),
            _ => write!(f, "; before {unclean} starts, which `audit.unclean` marks, the last records may be missing"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A trail that holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Whole {
    /// The number of its first record; above 1 where earlier ones were moved away, and 0 if there is none.
    pub first: u64,
    /// How many records there are.
    pub records: u64,
    /// Whether a head stood beside it, so that nothing was cut off at its end. A trail that was moved away or copied has none.
    pub end_checked: bool,
    /// The number of the first record that says that there was no head when the trail was opened: records before it may have been
    /// cut off without a trace.
    pub headless: Option<u64>,
    /// How many records could not be written, as later ones say.
    pub lost: u64,
    /// How often it was opened after its writer was not stopped in order, by kill -9 or a power cut: the records of the moment before
    /// may never have been written.
    pub unclean: u64,
}

impl Whole {
    /// What can be said of it.
    pub fn verdict(&self) -> Verdict {
        match *self {
            Self { records: 0, .. } => Verdict::Empty,
            Self { headless: Some(n), .. } => Verdict::Headless(n),
            Self { end_checked: false, .. } => Verdict::NoHead,
            Self { .. } => Verdict::Whole,
        }
    }
}

/// Whether a trail that holds has lost records, as far as anybody can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It has no records: they are gone, or could not be written.
    Empty,
    /// None are missing.
    Whole,
    /// Its head was missing when this record was written: some before it may have been cut off.
    Headless(u64),
    /// Its head is missing: some may have been cut off at its end.
    NoHead,
}

/// Why a trail could not be verified.
#[derive(Debug)]
pub enum VerifyError {
    /// There is none.
    Missing,
    /// It was changed.
    Flaw(Flaw),
    /// What was kept is no head.
    NoHead,
    /// What was kept could not be read.
    Kept(io::Error),
    /// The record that was kept is in a file before this one.
    Earlier {
        /// Its number.
        kept: u64,
        /// That of the first record here.
        first: u64,
    },
    /// The record that was kept may be in a file after this one, which has no head.
    Later {
        /// Its number.
        kept: u64,
        /// That of the last record here.
        last: u64,
    },
    /// It could not be read.
    Io(io::Error),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Flaw(flaw) => flaw.fmt(f),
            Self::NoHead => f.write_str("what was kept is not the head of an audit trail"),
            Self::Kept(error) => write!(f, "the head that was kept cannot be read: {error}"),
            Self::Earlier { kept, first } => {
                write!(
                    f,
                    "it begins with record {first}, and the head that was kept is of record {kept}: check the file before it"
                )
            }
            Self::Later { kept, last } => {
                write!(
                    f,
                    "it ends with record {last}, and the head that was kept is of record {kept}, which is in the file after it, or was cut \
                     off together with the head"
                )
            }
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
/// begins with the hash it goes on from. The last line of a running server's trail may be half written yet, and is waited for.
///
/// # Errors
/// [`VerifyError::Flaw`] names the first line that was changed, or behind which lines are missing.
pub fn verify(path: &Path) -> Result<Whole, VerifyError> {
    check(path, None)
}

/// As [`verify`], and that the trail goes on from the one whose head, at the time, was copied to `kept`. The chain has no key, so whoever
/// can write to the data directory can write another one that holds, with its head, or put back old copies of both; but none that goes on
/// from a head out of their reach.
///
/// # Errors
/// As [`verify`]; [`VerifyError::Kept`], [`VerifyError::NoHead`], [`VerifyError::Earlier`] and [`VerifyError::Later`] where `kept` says
/// nothing of this trail.
pub fn verify_since(path: &Path, kept: &Path) -> Result<Whole, VerifyError> {
    let mut text = Vec::new();
    File::open(kept).and_then(|file| file.take(HEAD as u64).read_to_end(&mut text)).map_err(VerifyError::Kept)?;
    check(path, Some(head_of(&text).ok_or(VerifyError::NoHead)?))
}

fn check(path: &Path, kept: Option<Link>) -> Result<Whole, VerifyError> {
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
    let mut check = Verification {
        line: 0,
        first: 0,
        count: 0,
        last: None,
        torn: None,
        headless: None,
        lost: 0,
        unclean: 0,
        head,
        kept,
        goes_on: false,
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            let (headless, lost, unclean) = (check.headless, check.lost, check.unclean);
            let (first, records) = check.end()?;
            return Ok(Whole { first, records, end_checked, headless, lost, unclean });
        }
        if check.may_go_on() {
            read_on(&mut file, &mut line)?;
        }
        check.line += 1;
        check.take(&line).map_err(VerifyError::Flaw)?;
    }
}

/// Reads the rest of a line that somebody may be writing. What a crash has torn stays as it is.
fn read_on(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    for _ in 0..READINGS {
        if line.ends_with(b"\n") {
            break;
        }
        thread::sleep(PAUSE);
        file.read_until(b'\n', line)?;
    }
    Ok(())
}

/// How often, and after how long each time, the end of a line is looked for.
const READINGS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

struct Verification {
    /// The present line, from 1.
    line: u64,
    first: u64,
    count: u64,
    last: Option<Link>,
    /// The first of the lines before that are no records, and the digest of them all; they wait for their note.
    torn: Option<(u64, Sha256)>,
    headless: Option<u64>,
    lost: u64,
    unclean: u64,
    head: Option<Link>,
    /// The record that somebody has noted elsewhere, and whether it is in this trail, or right before it.
    kept: Option<Link>,
    goes_on: bool,
}

impl Verification {
    fn take(&mut self, line: &[u8]) -> Result<(), Flaw> {
        let flaw = |line, what| Err(Flaw { line, what });
        let Some(record) = Line::read(line) else {
            let (_, torn) = self.torn.get_or_insert_with(|| (self.line, Sha256::new()));
            torn.update(line);
            return Ok(());
        };
        let noted = if record.fields.action == REPAIR { hex::digest(record.fields.torn.as_bytes()) } else { None };
        match self.torn.take().map(|(first, torn)| (first, torn.finalize().into())) {
            Some((first, torn)) if noted != Some(torn) => return flaw(first, "not a record"),
            None if noted.is_some() => return flaw(self.line, "the torn line before it is missing"),
            _ => {}
        }
        let last = match self.last {
            Some(last) => last,
            // The beginning of the whole trail, or of a file that goes on where another ended.
            None if record.fields.n == 1 => Link::START,
            None if record.fields.n == 0 => return flaw(self.line, "records count from 1"),
            None => match hex::digest(record.fields.prev.as_bytes()).filter(|_| record.fields.action == OPEN) {
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
        if self.last.is_none() {
            self.first = place.n;
        }
        if self.head.is_some_and(|head| head.n == place.n && head != place) {
            return flaw(self.line, "the trail up to here is not the one that was written");
        }
        for place in [last, place] {
            match self.kept {
                Some(kept) if kept == place => self.goes_on = true,
                Some(kept) if kept.n == place.n => {
                    return flaw(self.line, "the trail up to here is not the one whose head was kept");
                }
                _ => {}
            }
        }
        match record.fields.action.as_str() {
            HEADLESS => drop(self.headless.get_or_insert(place.n)),
            UNCLEAN => self.unclean += 1,
            LOST => self.lost = self.lost.saturating_add(record.fields.count),
            _ => {}
        }
        self.last = Some(place);
        self.count += 1;
        Ok(())
    }

    /// Whether all that is surely on disk has been read, so that what comes may be on its way there.
    fn may_go_on(&self) -> bool {
        self.head.is_some_and(|head| self.last.is_some_and(|last| head.n <= last.n))
    }

    fn end(self) -> Result<(u64, u64), VerifyError> {
        let end = self.line + 1;
        let flaw = |line, what| Err(VerifyError::Flaw(Flaw { line, what }));
        match (self.torn, self.head, self.last) {
            (Some((line, _)), ..) => return flaw(line, "not a record"),
            (None, Some(head), Some(last)) if head.n > last.n => return flaw(end, "records are missing at the end"),
            (None, Some(_), None) => return flaw(end, "all records are missing"),
            _ => {}
        }
        match (self.kept, self.last) {
            (Some(kept), Some(last)) if self.head.is_none() && kept.n > last.n => {
                Err(VerifyError::Later { kept: kept.n, last: last.n })
            }
            (Some(kept), _) if !self.goes_on && kept.n < self.first => {
                Err(VerifyError::Earlier { kept: kept.n, first: self.first })
            }
            (Some(_), _) if !self.goes_on => flaw(end, "the record whose head was kept is missing at the end"),
            _ => Ok((self.first, self.count)),
        }
    }
}

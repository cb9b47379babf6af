//! The trail as a whole: what is written, what is found to be wrong.

use super::*;
use crate::{request_id::RequestId, text::is_deceptive};
use core::net::IpAddr;
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
        self.open_as(true)
    }

    fn open_as(&self, first: bool) -> AuditTrail {
        let clock = Arc::new(Clock::stopped_at(UnixTime::from_millis(1_001)));
        AuditTrail::open(&self.path(), first, clock, Arc::clone(&self.metrics)).unwrap()
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
        detail: String::new(),
        outcome: Outcome::Refused,
        reason: "bad_credentials",
        dialect: "redis",
    }
}

fn record(trail: &AuditTrail, actor: &str) {
    let source = Some(IpAddr::from([192, 0, 2, 1]));
    trail.record(Occasion { time: UnixTime::from_millis(2_500), source, request: RequestId::from(255) }, &[event(actor)]);
}

/// A backup that hangs holds the trail beyond the end of the server.
#[test]
fn it_is_closed_in_order_though_somebody_still_holds_it() {
    let home = Home::new();
    let held = home.open();
    record(&held, "alice");
    held.close();
    record(&held, "bob");
    held.close();
    drop(home.open_as(false));
    let lines = home.lines();
    assert!(!lines.iter().any(|line| line.contains(UNCLEAN) || line.contains("bob")), "{lines:?}");
    assert_eq!(home.verify(), Ok(3));
}

#[test]
fn a_head_that_cannot_be_opened_is_named() {
    let home = Home::new();
    fs::create_dir(head_path(&home.path())).unwrap();
    let error = AuditTrail::open(&home.path(), true, Arc::default(), Arc::default()).err().unwrap();
    assert!(error.to_string().contains("audit.log.head`: "), "{error}");
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
    let names = ["a\nb\r\u{2028}\0\",\"hash\":\"", "\u{1b}[2J", "\u{9b}2J\u{85}\u{7f}\u{202e}\u{e0041}", "\u{e9}"];
    home.write(&names);
    let lines = home.lines();
    assert!(!lines.iter().any(|line| line.contains(is_deceptive)), "{lines:?}");
    let record = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
    assert!(lines[1..].iter().map(record).map(|line| line["actor"].clone()).eq(names), "{lines:?}");
    assert_eq!(home.verify(), Ok(5));
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
    let details = [(16 * 1024, "x".repeat(16 * 1024)), (16 * 1024 + 1, format!("{}\u{2026}", "x".repeat(16 * 1024 - 3)))];
    let occasion = Occasion { time: UnixTime::from_millis(2_500), source: None, request: RequestId::from(255) };
    for (length, kept) in details {
        home.open().record(occasion, &[Event { detail: "x".repeat(length), ..event("a") }]);
        let line: serde_json::Value = serde_json::from_str(home.lines().last().unwrap()).unwrap();
        assert_eq!(line["detail"], kept.as_str());
    }
    assert_eq!(home.verify(), Ok(7));
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
        Whole { first: 1, records: 1, end_checked: true, headless: None, lost: 0, unclean: 0 },
        "a fresh one has a head at once"
    );
    drop(trail);
    fs::write(head_path(&home.path()), "").unwrap();
    assert_eq!(
        verify(&home.path()).unwrap(),
        Whole { first: 1, records: 1, end_checked: false, headless: None, lost: 0, unclean: 0 }
    );
    fs::remove_file(head_path(&home.path())).unwrap();
    assert_eq!(
        verify(&home.path()).unwrap(),
        Whole { first: 1, records: 1, end_checked: false, headless: None, lost: 0, unclean: 0 }
    );
}

/// By whoever may write in the data directory and knows how: only what is kept elsewhere shows it.
#[test]
fn a_trail_that_was_put_back_or_written_anew_does_not_go_on_from_a_head_that_was_kept() {
    let home = Home::new();
    let copy = |name: &str| {
        let to = home.path().with_file_name(name);
        fs::copy(head_path(&home.path()), &to).unwrap();
        to
    };
    home.write(&["a"]);
    let (old_trail, old_head) = (fs::read(home.path()).unwrap(), fs::read(head_path(&home.path())).unwrap());
    let monday = copy("monday");
    home.write(&["b", "c"]);
    let tuesday = copy("tuesday");
    home.write(&["d"]);
    let since = |kept: &Path| verify_since(&home.path(), kept).map(|whole| whole.records);
    assert_eq!((since(&monday).unwrap(), since(&tuesday).unwrap()), (7, 7));

    fs::write(home.path(), &old_trail).unwrap();
    fs::write(head_path(&home.path()), &old_head).unwrap();
    assert_eq!(home.verify(), Ok(2), "it holds");
    assert_eq!(since(&monday).unwrap(), 2);
    assert!(matches!(since(&tuesday), Err(VerifyError::Flaw(Flaw { line: 3, .. }))));

    fs::remove_file(home.path()).unwrap();
    fs::remove_file(head_path(&home.path())).unwrap();
    AuditTrail::open(&home.path(), true, Arc::default(), Arc::default()).unwrap();
    home.write(&["a", "x", "y", "z"]);
    assert_eq!(home.verify(), Ok(6), "it holds");
    for kept in [&monday, &tuesday] {
        let found = since(kept);
        assert!(matches!(found, Err(VerifyError::Flaw(_))), "{found:?}");
    }

    let rotated = home.path().with_file_name("rotated");
    fs::rename(home.path(), &rotated).unwrap();
    home.write(&["e"]);
    let later = verify_since(&rotated, &head_path(&home.path()));
    assert!(matches!(later, Err(VerifyError::Later { kept: 8, last: 6 })), "{later:?}");
    assert!(matches!(since(&copy("before the last")), Ok(2)));
    assert!(matches!(since(&monday), Err(VerifyError::Earlier { kept: 2, first: 7 })));
    assert!(matches!(since(&home.path()), Err(VerifyError::NoHead)));
    assert!(matches!(since(&home.path().with_file_name("none")), Err(VerifyError::Kept(_))));
    assert!(matches!(since(home.directory.path()), Err(VerifyError::Kept(_))));
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

/// Without the head a shorter trail is as good as the whole one; what is left of it says so for good.
#[test]
fn a_cut_trail_without_its_head_does_not_pass_for_whole() {
    let home = Home::new();
    home.write(&["a", "b"]);
    home.tamper(|lines| lines.truncate(2));
    fs::remove_file(head_path(&home.path())).unwrap();
    for _ in 0..2 {
        home.write(&["c"]);
        let whole = verify(&home.path()).unwrap();
        assert_eq!((whole.end_checked, whole.headless), (true, Some(3)));
    }
}

/// With its head too, nothing is left that would miss it but the store beside it.
#[test]
fn a_trail_that_is_gone_with_its_head_is_noted() {
    let home = Home::new();
    home.write(&["a"]);
    for file in [home.path(), head_path(&home.path())] {
        fs::remove_file(file).unwrap();
    }
    for headless in [None, Some(1)] {
        drop(home.open_as(headless.is_none()));
        let whole = verify(&home.path()).unwrap();
        assert_eq!((whole.first, whole.headless), (1, headless));
        drop(home.open_as(false));
        assert_eq!(verify(&home.path()).unwrap().headless, headless, "the next start finds a head");
        for file in [home.path(), head_path(&home.path())] {
            fs::remove_file(file).unwrap();
        }
    }
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
        assert_eq!((noted, home.verify()), (torn < last, Ok(6)), "torn after {torn}");
    }
}

/// As a running server may leave it for a moment.
#[test]
fn a_last_line_that_is_half_written_is_waited_for() {
    let home = Home::new();
    home.write(&["a"]);
    let head = fs::read(head_path(&home.path())).unwrap();
    home.write(&["b", "c"]);
    let whole = fs::read(home.path()).unwrap();
    let (before, rest) = whole.split_at(whole.len() - 150);
    // It is moved on once a second.
    fs::write(head_path(&home.path()), head).unwrap();
    fs::write(home.path(), before).unwrap();
    assert_eq!(home.verify(), Err(5), "nobody writes on");
    thread::scope(|scope| {
        let mut file = OpenOptions::new().append(true).open(home.path()).unwrap();
        scope.spawn(move || {
            for part in rest.chunks(50) {
                thread::sleep(Duration::from_millis(30));
                file.write_all(part).unwrap();
            }
        });
        assert_eq!(home.verify(), Ok(5));
    });
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
    assert_eq!(home.verify(), Ok(5));
    home.tamper(|lines| lines[2] = "{}".into());
    assert_eq!(home.verify(), Err(3));
}

#[test]
fn a_foreign_file_is_left_alone() {
    let home = Home::new();
    fs::write(home.path(), "a\nb\n").unwrap();
    let opened = AuditTrail::open(&home.path(), true, Arc::default(), Arc::clone(&home.metrics));
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
    assert_eq!(
        verify(&old).unwrap(),
        Whole { first: 1, records: 3, end_checked: false, headless: None, lost: 0, unclean: 0 }
    );
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
    let whole = verify(&home.path()).unwrap();
    assert_eq!((whole.lost, whole.to_string().contains("; 1 more could not be written")), (1, true), "{whole}");
}

/// A disk on which so much room is left.
struct Narrow {
    file: File,
    room: usize,
}

impl Write for Narrow {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match octets.get(..self.room.min(octets.len())) {
            None | Some([]) => Err(io::ErrorKind::StorageFull.into()),
            Some(fits) => {
                self.room -= fits.len();
                self.file.write(fits)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Cut for Narrow {
    fn end(&self) -> io::Result<u64> {
        Cut::end(&self.file)
    }

    fn cut(&mut self, end: u64) -> io::Result<()> {
        self.file.cut(end)
    }
}

/// Records that fit before the disk was full are lost with the rest, so that as many are noted as are missing.
#[test]
fn what_counts_as_lost_is_not_in_the_trail() {
    let home = Home::new();
    home.write(&["a"]);
    let before = home.lines();
    let lines = before.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>().into_bytes();
    for room in [0, 1, before[0].len() + 1, lines.len() - 1] {
        let file = OpenOptions::new().append(true).open(home.path()).unwrap();
        let error = append_whole(&mut Narrow { file, room }, &lines).unwrap_err();
        assert_eq!((error.kind(), home.lines()), (io::ErrorKind::StorageFull, before.clone()), "{room}");
    }
    let mut file = OpenOptions::new().append(true).open(home.path()).unwrap();
    append_whole(&mut file, &lines).unwrap();
    assert_eq!(home.lines(), [before.clone(), before].concat());
}

/// An answer does not wait for its records, so after a kill nobody knows whether all of them got here.
#[test]
fn a_trail_that_was_not_closed_in_order_says_so() {
    let home = Home::new();
    home.write(&["a"]);
    home.write(&["b"]);
    let unclean = || verify(&home.path()).unwrap().unclean;
    assert_eq!(unclean(), 0);
    let head = head_path(&home.path());
    let closed = fs::read(&head).unwrap();
    fs::write(&head, &closed[..HEAD]).unwrap();
    home.write(&["c"]);
    assert_eq!((unclean(), home.verify()), (1, Ok(7)));
    home.write(&[]);
    assert_eq!(unclean(), 1, "closed in order again");
    let shown = verify(&home.path()).unwrap().to_string();
    assert!(shown.ends_with("before 1 start, which `audit.unclean` marks, the last records may be missing"), "{shown}");
}

/// A request that is cut off may have changed something that no record tells of.
#[test]
fn a_change_that_was_cut_off_before_its_record_is_noted() {
    for (cut_off, unclean) in [(false, 0), (true, 1)] {
        let home = Home::new();
        let trail = home.open();
        let due = trail.due().unwrap();
        if cut_off {
            drop(due);
        } else {
            due.settled();
        }
        trail.close();
        assert!(trail.due().is_none(), "no change may be made that cannot be recorded");
        drop(trail);
        home.write(&["a"]);
        assert_eq!(verify(&home.path()).unwrap().unclean, unclean);
    }
}

/// As a rotation of logs does that tells nobody.
#[test]
fn a_file_that_was_taken_away_is_begun_anew() {
    let home = Home::new();
    let mut trail = Trail::open(&home.path(), true, Arc::default(), Arc::new(Losses::new(Arc::default()))).unwrap();
    let occasion = Occasion { time: UnixTime::from_millis(2_500), source: None, request: RequestId::from(255) };
    let write = |trail: &mut Trail, after_a_while: bool| {
        if after_a_while {
            trail.looked = Instant::now().checked_sub(LOOK).unwrap();
        }
        trail.write(&[(occasion, vec![event("a")])]);
        home.lines().len()
    };
    assert_eq!(write(&mut trail, true), 2, "it is there");
    for other in [None, Some("")] {
        fs::remove_file(home.path()).unwrap();
        if let Some(other) = other {
            fs::write(home.path(), other).unwrap();
        }
        assert_eq!(write(&mut trail, true), 2, "opened, and the record");
        assert_eq!(write(&mut trail, false), 3);
    }
    trail.close();
    assert_eq!(home.verify(), Ok(3));
}

/// A start that the disk refuses does not make an orderly stop look like another.
#[test]
fn a_start_that_fails_leaves_the_end_in_order() {
    let home = Home::new();
    home.write(&["a"]);
    let path = home.path();
    let head = fs::read(head_path(&path)).unwrap();
    let (content, aside) = (fs::read(&path).unwrap(), home.directory.path().join("aside"));
    fs::rename(&path, &aside).unwrap();
    // Every write to it fails, as on a full disk; and it is empty.
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    assert!(AuditTrail::open(&path, true, Arc::default(), Arc::default()).is_err());
    assert_eq!(fs::read(head_path(&path)).unwrap(), head);
    fs::remove_file(&path).unwrap();
    fs::write(&path, content).unwrap();
    home.write(&["b"]);
    assert_eq!(verify(&path).unwrap().unclean, 0);
}

/// As on a full disk: until a record can be written again, which nobody has to send for that.
#[test]
fn while_records_are_lost_no_change_may_be_made() {
    let home = Home::new();
    let lost = Arc::new(Losses::new(Arc::default()));
    let mut trail = Trail::open(&home.path(), true, Arc::default(), Arc::clone(&lost)).unwrap();
    let audit = AuditTrail { queue: None, writer: None, lost };
    assert!(audit.takes_records());
    let aside = home.directory.path().join("aside");
    fs::rename(home.path(), &aside).unwrap();
    std::os::unix::fs::symlink("/dev/full", home.path()).unwrap();
    trail.file = Some(OpenOptions::new().append(true).open("/dev/full").unwrap());
    let occasion = Occasion { time: UnixTime::from_millis(2_500), source: None, request: RequestId::from(255) };
    trail.write(&[(occasion, vec![event("a")])]);
    for _ in 0..2 {
        assert!(!audit.takes_records() && trail.until_due() <= SYNC);
        trail.do_due();
    }
    fs::remove_file(home.path()).unwrap();
    fs::rename(aside, home.path()).unwrap();
    trail.do_due();
    // A queue that is full for a moment loses records, and takes others: whoever fills it keeps nobody from going on.
    record(&audit, "b");
    assert!(audit.takes_records());
    trail.write(&[(occasion, vec![event("c")])]);
    trail.close();
    assert_eq!(verify(&home.path()).unwrap().lost, 2);
}

/// A disk that takes nothing for a while is asked again although nobody has done anything meanwhile.
#[test]
fn what_could_not_be_forced_to_disk_is_tried_again() {
    let home = Home::new();
    let lost = Losses::new(Arc::default());
    let mut trail = Trail::open(&home.path(), true, Arc::default(), Arc::new(lost)).unwrap();
    let occasion = Occasion { time: UnixTime::from_millis(2_500), source: None, request: RequestId::from(255) };
    trail.write(&[(occasion, vec![event("a")])]);
    let cannot_be_synced = OpenOptions::new().write(true).open("/dev/null").unwrap();
    let file = trail.file.replace(cannot_be_synced);
    for _ in 0..2 {
        assert!(!trail.sync_or_say());
        assert!(trail.until_due() <= SYNC);
    }
    trail.file = file;
    assert!(trail.sync_or_say());
    assert!(trail.until_due() > SYNC, "there is nothing left to do");
}

/// What a sync has failed for may be missing, although the next one succeeds.
#[test]
fn a_trail_that_is_not_surely_on_disk_is_not_closed_in_order() {
    for (fails_at_the_end, unclean) in [(None, 0), (Some(true), 1), (Some(false), 1)] {
        let home = Home::new();
        let lost = Losses::new(Arc::default());
        let mut trail = Trail::open(&home.path(), true, Arc::default(), Arc::new(lost)).unwrap();
        // It takes whatever is written, and cannot be synced.
        let failing = fails_at_the_end.map(|_| OpenOptions::new().write(true).open("/dev/null").unwrap());
        let file = failing.and_then(|failing| trail.file.replace(failing));
        if fails_at_the_end == Some(false) {
            assert!(trail.sync().is_err());
            trail.file = file;
        }
        trail.close();
        drop(trail);
        home.write(&["a"]);
        assert_eq!(verify(&home.path()).unwrap().unclean, unclean, "{fails_at_the_end:?}");
    }
}

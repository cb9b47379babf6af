//! `waxseal doctor`.

use super::{
    Failure, Target,
    admin::Admin,
    assembled::Assembled,
    module, serve,
    terminal::{cell, plain, say, say_json, table},
    user::schemes,
};
use crate::{
    audit::{self, Verdict, VerifyError},
    clock::Clock,
    config::Config,
    data_dir::DataDir,
    files::write::open_to_others,
    http::{
        Astray, admin_socket, is_exposed,
        tls::{SOON, Tls, Validity},
    },
    serve::TOLERATED_SECS,
    text::shell::word,
};
use rustix::{
    fs::{Access, access, statvfs},
    io::Errno,
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
};
use waxseal_core::{seam::Method, settings::PolicyName, time::UnixTime};

/// How to tell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It looks and changes nothing, whether the server runs or is stopped. The exit status is 1 when there is a \
problem; a note does not count as one.")]
pub(super) struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, target: &Target) -> Result<(), Failure> {
    let mut findings = Findings::default();
    examine(target, &mut findings);
    let problems = findings.0.iter().filter(|finding| finding.grade == Grade::Problem).count();
    let said = if args.json {
        let told: Vec<Value> = findings
            .0
            .iter()
            .map(|finding| json!({ "check": finding.check, "grade": finding.grade.word(), "text": finding.text }))
            .collect();
        say_json(&json!({ "problems": problems, "findings": told }))
    } else {
        let rows: Vec<[String; 3]> = findings
            .0
            .iter()
            .map(|finding| [finding.grade.word().into(), finding.check.into(), plain(&finding.text)])
            .collect();
        say(&table(["", "CHECK", "FOUND"], &rows))
    };
    if problems == 0 { said } else { Err(Failure::no(said)) }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Grade {
    Good,
    /// Worth knowing.
    Note,
    /// Worth mending.
    Problem,
}

impl Grade {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

struct Finding {
    check: &'static str,
    grade: Grade,
    text: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, check: &'static str, grade: Grade, text: impl Into<String>) {
        self.0.push(Finding { check, grade, text: text.into() });
    }

    /// Adds a finding, whether it went well or badly; returns what was found, to go on with, if it went well.
    fn judge<T>(&mut self, check: &'static str, found: Result<T, impl ToString>, good: &str) -> Option<T> {
        match found {
            Ok(found) => {
                self.add(check, Grade::Good, good);
                Some(found)
            }
            Err(error) => {
                self.add(check, Grade::Problem, error.to_string());
                None
            }
        }
    }
}

fn examine(target: &Target, findings: &mut Findings) {
    let data = target.data();
    let config = target.load().map_err(words);
    if let Some(loaded) = findings.judge("configuration", config, "in order") {
        transport(&loaded.config, target, findings);
        if loaded.config.host.engine.module.is_some() {
            findings.judge("module", module::check(&loaded), "the one that the configuration names, and it runs here");
        }
        settings(&loaded.config, findings);
    }
    if findings
        .judge("data directory", data.check(), &format!("{}, open to its owner only", data.path().display()))
        .is_none()
    {
        return;
    }
    room(data.path(), findings);
    let admin = Admin::look(target);
    let astray = admin.as_ref().map(Admin::astray).unwrap_or_default();
    root_key(&data, &astray, findings);
    for path in [data.store(), data.store_log(), data.audit(), data.config()] {
        permissions(&path, findings);
    }
    owners(data.path(), findings);
    in_the_way(&data, findings);
    if !admin.as_ref().is_ok_and(Admin::is_running) {
        writable(&data, findings);
    }
    store(admin, &astray, findings);
    trail(&data, findings);
}

fn root_key(data: &DataDir, astray: &Astray, findings: &mut Findings) {
    match &astray.root_key {
        Some(astray) => findings.add("root key", Grade::Problem, format!("{astray}; {RESCUE}")),
        None => {
            findings.judge("root key", data.root_key(), "there, open to its owner only");
        }
    }
}

/// The store, who has it open, and what is in it.
fn store(admin: Result<Admin, Failure>, astray: &Astray, findings: &mut Findings) {
    let admin = match (admin, &astray.store, &astray.store_log) {
        (Ok(admin), Some(astray), _) => {
            findings.add("store", Grade::Problem, format!("{astray}; {RESCUE}"));
            Some(admin)
        }
        (Ok(admin), None, Some(astray)) => {
            findings.add("store", Grade::Problem, format!("{astray}; restart the server, which makes another"));
            Some(admin)
        }
        (admin, ..) => findings.judge("store", admin.map_err(words), "opens"),
    };
    let Some(admin) = admin else { return };
    let running = if admin.is_running() { "runs on this data" } else { "none runs on this data" };
    findings.add("server", Grade::Good, running);
    for doubt in admin.here().map_or(&[][..], Assembled::doubts) {
        findings.add("latest changes", Grade::Note, *doubt);
    }
    let behind = admin.here().map_or(astray.clock_secs_behind, |here| here.clock.secs_behind());
    inside(&admin, behind, findings);
}

fn trail(data: &DataDir, findings: &mut Findings) {
    let (grade, text) = match audit::verify(&data.audit()) {
        Ok(whole) => {
            let doubt = |head| (Grade::Problem, format!("{whole}; {head}: nobody can tell whether the end was cut off"));
            match whole.verdict() {
                Verdict::Empty => {
                    (Grade::Problem, "audit.log is empty: its records are gone, or could not be written".into())
                }
                Verdict::Whole => (Grade::Good, format!("{whole}; the chain is whole")),
                Verdict::Headless(n) => doubt(format!("audit.log.head was missing when record {n} was written")),
                Verdict::NoHead => doubt("audit.log.head is missing or empty".into()),
            }
        }
        Err(VerifyError::Missing) if audit::head_path(&data.audit()).exists() => (
            Grade::Note,
            "audit.log is missing: that is normal while log rotation moves it away; otherwise somebody has removed it"
                .into(),
        ),
        Err(VerifyError::Missing) if data.has_store() => {
            (Grade::Problem, "audit.log and its head are missing: somebody has removed them".into())
        }
        Err(VerifyError::Missing) => return,
        Err(error) => (Grade::Problem, error.to_string()),
    };
    findings.add("audit trail", grade, text);
}

fn transport(config: &Config, target: &Target, findings: &mut Findings) {
    let loopback = !is_exposed(&config.host.server.listen);
    let opened = serve::options(&config.host, target).tls.map(Tls::open).transpose();
    match (opened, loopback) {
        (Err(error), _) => findings.add("transport", Grade::Problem, error.to_string()),
        (Ok(Some(tls)), _) => {
            let (grade, text) = is_valid(tls.validity(), Clock::system().now());
            findings.add("transport", grade, format!("TLS{text}"));
        }
        (_, true) => findings.add("transport", Grade::Good, "plain HTTP, on this machine only"),
        _ => findings.add("transport", Grade::Note, "plain HTTP beyond this machine: a proxy in front has to do TLS"),
    }
}

/// The grade of certificates that are valid then.
fn is_valid(Validity { from, until }: Validity, now: UnixTime) -> (Grade, String) {
    const WHICH: &str = "; a certificate of `server.tls_cert`";
    match (from, until) {
        (_, Some(until)) if until <= now => {
            (Grade::Problem, format!("{WHICH} expired at {until}: clients may refuse to connect"))
        }
        (Some(from), _) if from > now => {
            (Grade::Problem, format!("{WHICH} is not valid before {from}: clients may refuse to connect"))
        }
        (_, Some(until)) if until <= now.plus_secs(SOON.as_secs()) => {
            (Grade::Note, format!("{WHICH} expires soon, at {until}"))
        }
        (_, Some(until)) => (Grade::Good, format!("; no certificate of `server.tls_cert` expires before {until}")),
        (_, None) => (Grade::Good, String::new()),
    }
}

fn settings(config: &Config, findings: &mut Findings) {
    match config.settings.passwords.policy {
        PolicyName::Open => {
            findings.add(
                "password policy",
                Grade::Note,
                "`open`: any password will do; passwords.policy = \"nist\" is the strict one",
            );
        }
        PolicyName::Redis => findings.add("password policy", Grade::Good, "redis"),
        PolicyName::Nist => findings.add("password policy", Grade::Good, "nist"),
    }
    if config.settings.dialects.elasticsearch && config.settings.elasticsearch.password_grant {
        let text = "on; elasticsearch.password_grant = false switches it off (RFC 9700, 2.4)";
        findings.add("password grant", Grade::Note, text);
    }
}

fn permissions(path: &Path, findings: &mut Findings) {
    let Ok(found) = fs::metadata(path) else { return };
    if open_to_others(&found) {
        let (path, mode) = (path.display(), found.mode() & 0o7777);
        let text = format!("{path} has mode {mode:04o}; run `chmod 600 {}`", word(&path));
        findings.add("permissions", Grade::Problem, text);
    }
}

/// Whether a server that is started by this user may write what it has to.
fn writable(data: &DataDir, findings: &mut Findings) {
    let files = [data.store(), data.store_log(), data.audit(), audit::head_path(&data.audit())];
    let files = files.map(|file| (file, Access::READ_OK | Access::WRITE_OK));
    let directory = (data.path().into(), Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK);
    for (path, needed) in [directory].into_iter().chain(files) {
        if let Err(error @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) = access(&path, needed) {
            let text =
                format!("this user cannot start a server here: {} cannot be read and written: {error}", path.display());
            findings.add("permissions", Grade::Problem, text);
        }
    }
}

/// Whoever runs a command as another user than the server leaves files there that the server cannot open.
fn owners(data: &Path, findings: &mut Findings) {
    let (Ok(directory), Ok(entries)) = (fs::metadata(data), data.read_dir()) else { return };
    let (uid, gid) = (directory.uid(), directory.gid());
    for entry in entries.flatten() {
        let Some(file) = entry.metadata().ok().filter(|file| file.is_file() && file.uid() != uid) else { continue };
        let (path, owner) = (entry.path(), file.uid());
        let path = path.display();
        let text = format!(
            "{path} belongs to user {owner}, the directory to {uid}; run `chown {uid}:{gid} {}` if the server runs as {uid}",
            word(&path)
        );
        findings.add("owner", Grade::Problem, text);
    }
}

/// What lets no server start, as it stands in the place of one of its files.
fn in_the_way(data: &DataDir, findings: &mut Findings) {
    for path in [data.store(), data.store_log(), data.audit(), audit::head_path(&data.audit())] {
        if path.is_symlink() && !path.exists() {
            let text = format!("{} is a link that leads nowhere; bring back what it led to, or remove it", path.display());
            findings.add("links", Grade::Problem, text);
        }
    }
    let socket = admin_socket::path(data.path());
    if fs::symlink_metadata(&socket).is_ok_and(|found| !found.file_type().is_socket()) {
        let text = format!("{} is no socket, so that no server can start; move it away", socket.display());
        findings.add("server", Grade::Problem, text);
    }
}

/// What is left of the file system under the data; without any, changes are refused (security S2).
fn room(path: &Path, findings: &mut Findings) {
    let Ok(found) = statvfs(path) else { return };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let (grade, text) = is_enough(free);
    findings.add("disk", grade, format!("{} MB free{text}", free >> 20));
}

/// The grade of so many free octets.
const fn is_enough(free: u64) -> (Grade, &'static str) {
    const TOO_LITTLE: u64 = 16 << 20;
    const LITTLE: u64 = 256 << 20;
    match free {
        ..TOO_LITTLE => (Grade::Problem, ": changes are refused with 503 once nothing is left; make room"),
        TOO_LITTLE..LITTLE => (Grade::Note, ": that is little for a store that grows"),
        _ => (Grade::Good, ""),
    }
}

/// What the engine tells, where the system's clock is `behind` by so many seconds.
fn inside(admin: &Admin, behind: u64, findings: &mut Findings) {
    let status = admin.ask(Method::Get, "/admin/status", None).map_err(words);
    if let Some(status) = findings.judge("records", status, "can be read") {
        if status.get("bootstrapped") == Some(&Value::Bool(false)) {
            let text = "no start has completed yet; the next `waxseal serve` makes an administrator and a key";
            findings.add("users", Grade::Problem, text);
            return;
        }
        match status.get("admins").and_then(Value::as_u64) {
            Some(0) | None => {
                let text = "there is none; `waxseal user set NAME --role admin` makes somebody one";
                findings.add("administrators", Grade::Problem, text);
            }
            Some(count) => findings.add("administrators", Grade::Good, count.to_string()),
        }
        if let Some(older) = older_hashes(&status) {
            findings.add("password hashes", Grade::Note, older);
        }
    }
    let Ok(listed) = admin.ask(Method::Get, "/admin/keys", None) else { return };
    let keys: Vec<&Value> = listed.get("keys").and_then(Value::as_array).into_iter().flatten().collect();
    let signing = keys.iter().find(|key| key.get("state") == Some(&"signs".into()));
    match signing {
        Some(key) => {
            findings.add("signing key", Grade::Good, format!("{} since {}", cell(key, "kid"), cell(key, "created")));
        }
        None => {
            findings.add("signing key", Grade::Problem, "there is none, so no token is issued; run `waxseal key rotate`");
        }
    }
    let others = keys.iter().filter(|key| key.get("state") != Some(&"signs".into()));
    for key in others.filter(|key| key.get("until").is_some_and(Value::is_string)) {
        findings.add("older key", Grade::Good, format!("{} verifies until {}", cell(key, "kid"), cell(key, "until")));
    }
    let (grade, text) = is_right(Clock::system().now(), behind, &keys);
    findings.add("clock", grade, text);
}

/// The grade of a clock that says `now`, so many seconds `behind` what the store has seen, given these keys. A clock that is behind what it
/// was before gives tokens a longer life than they should have. Being behind may also be right, after it was ahead: whoever has replaced
/// the key that was made then has said so.
fn is_right(now: UnixTime, behind: u64, keys: &[&Value]) -> (Grade, String) {
    let text = now.to_string();
    // RFC 3339 in UTC and of one length sorts by time.
    let mut later: Vec<_> = keys.iter().filter(|key| cell(key, "created") > text).collect();
    later.sort_by_key(|key| key.get("until").is_some_and(Value::is_string));
    match later.first() {
        Some(key) => {
            let (kid, created, until) = (cell(key, "kid"), cell(key, "created"), key.get("until").and_then(Value::as_str));
            let (grade, replaced) = match until {
                Some(until) => (Grade::Note, format!("that key has been replaced, and is gone after {until}")),
                None => (Grade::Problem, "replace that key: `waxseal key rotate`".into()),
            };
            (
                grade,
                format!(
                    "it says {text}, but the key {kid} was made at {created}; set it right, or if it is right, {replaced}"
                ),
            )
        }
        None if behind > TOLERATED_SECS => (
            Grade::Problem,
            format!(
                "it says {text}, {behind} seconds less than the server has seen, which goes by that; set it right, or if it is right, \
                 wait: until it has caught up, time passes for the server at half its pace"
            ),
        ),
        None if now < UnixTime::from_secs(EARLIEST) => (Grade::Problem, format!("it says {text}; set it right")),
        None => (Grade::Good, text),
    }
}

/// Schemes that some passwords still have besides the one for new ones.
fn older_hashes(status: &Value) -> Option<String> {
    let current = status.get("scheme")?;
    let current = schemes(Some(&Value::from_iter([current.clone()])));
    let mut older = schemes(status.get("schemes"));
    older.retain(|scheme| !current.contains(scheme));
    (!older.is_empty()).then(|| {
        format!(
            "some may still be {}; each is redone at the next good login, and `waxseal user prune-schemes` forgets a scheme that \
             none has any more",
            older.join(" and ")
        )
    })
}

fn words(failure: Failure) -> String {
    match failure {
        Failure::Refused { text, .. } => text,
        Failure::Usage(lines) => lines.join("; "),
        _ => "failed".into(),
    }
}

/// What helps as long as the server runs.
const RESCUE: &str = "the running server has what is missing: make a backup before you stop it (`waxseal backup`), and bring that back \
                      into an empty directory (`waxseal restore`)";

/// 2025-01-01: no server of this version was built before.
const EARLIEST: u64 = 1_735_689_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_of_before_it_expires() {
        let now = UnixTime::from_secs(EARLIEST);
        let days = |days: u64| Some(now.plus_secs(days * 86_400));
        for (from, until, expected) in [
            (None, Some(now), Grade::Problem),
            (None, days(1), Grade::Note),
            (None, days(14), Grade::Note),
            (None, days(15), Grade::Good),
            (None, None, Grade::Good),
            (Some(now), days(15), Grade::Good),
            (days(1), days(15), Grade::Problem),
            (days(1), days(2), Grade::Problem),
        ] {
            assert_eq!(is_valid(Validity { from, until }, now).0, expected, "{from:?} {until:?}");
        }
    }

    #[test]
    fn a_clock_is_behind_until_the_key_is_replaced_that_says_so() {
        let now = UnixTime::from_secs(EARLIEST);
        let key = |kid: &str, created: UnixTime, until: Option<UnixTime>| json!({ "kid": kid, "created": created.to_string(), "until": until.map(|until| until.to_string()) });
        let later = now.plus_secs(86_400);
        let (first, early) = (key("first", now, None), key("early", later, None));
        let replaced = key("replaced", later, Some(later));
        for (keys, grade, part) in [
            (&[&first][..], Grade::Good, ""),
            (
                &[&first, &early],
                Grade::Problem,
                "the key early was made at 2025-01-02T00:00:00Z; set it right, or if it is right",
            ),
            (&[&replaced, &early], Grade::Problem, "replace that key: `waxseal key rotate`"),
            (&[&first, &replaced], Grade::Note, "that key has been replaced, and is gone after"),
        ] {
            let (found, text) = is_right(now, 0, keys);
            assert!(found == grade && text.contains(part), "{text}");
        }
        assert_eq!(is_right(UnixTime::from_secs(EARLIEST - 1), 0, &[]).0, Grade::Problem);
        assert_eq!(is_right(now, 60, &[&first]).0, Grade::Good);
        let (found, text) = is_right(now, 61, &[&first]);
        assert!(found == Grade::Problem && text.contains("61 seconds less than the server has seen"), "{text}");
    }

    #[test]
    fn a_disk_is_told_of_before_it_is_full() {
        for (megabytes, expected) in [
            (0, Grade::Problem),
            (15, Grade::Problem),
            (16, Grade::Note),
            (255, Grade::Note),
            (256, Grade::Good),
            (u64::MAX >> 20, Grade::Good),
        ] {
            assert_eq!(is_enough(megabytes << 20).0, expected, "{megabytes} MB");
        }
    }
}

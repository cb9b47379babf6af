//! `waxseal audit`.

use super::{
    Failure, Target,
    admin::{Admin, AdminAnswer, segment},
    terminal::{cell, complain, plain, say, say_json, table},
};
use crate::{
    audit::{self, Verdict, VerifyError, Whole},
    text::harmless,
};
use core::{cell::RefCell, net::IpAddr};
use serde_json::{Value, json};
use std::{
    collections::{HashSet, VecDeque},
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
};
use waxseal_core::seam::Method;

/// What to do with the audit trail.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show the latest records; `waxseal user show` tells whose uid a number is
    #[command(after_help = "\
Examples:
  waxseal audit show --last 100
  waxseal audit show --about ada                         what she did, and what was done to her
                                                         and to her tokens
  waxseal audit show --about 192.0.2.7 --action login    logins from one address
  waxseal audit show --last 100000 --json | jq .         whole records, one per line")]
    Show {
        /// The trail [default: audit.log in the data directory]
        file: Option<PathBuf>,
        /// How many records at the most
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
        /// Only those with this actor, subject, source or request: a user, an address, the id of a token or a request
        #[arg(long, value_name = "WHAT", allow_hyphen_values = true)]
        about: Option<String>,
        /// Only this action, or all that begin with it and a dot: `login`, `user`, `token.issue`
        #[arg(long)]
        action: Option<String>,
        /// One JSON object per line, with every member
        #[arg(long)]
        json: bool,
    },
    /// Check that no record was changed, cut out or moved; exit status 1 if one was, or if that cannot be told
    #[command(after_help = "\
The trail's head, FILE.head beside it, tells whether records were cut off at the end. A trail that \
log rotation has moved away has no head: --no-head leaves its end unchecked. The next trail begins \
with the hash that the one before it ended with.

Whoever can write to the data directory can write a trail anew, or put back an older one, with a head \
that fits. So keep copies of the head where they cannot: --kept-head checks that the trail goes on from one.

Examples:
  waxseal audit verify
  cat DIR/audit.log.head                                 to be kept elsewhere, now and then
  waxseal audit verify --kept-head audit.log.head.monday")]
    Verify {
        /// The trail [default: audit.log in the data directory]
        file: Option<PathBuf>,
        /// For a trail that was moved away or copied without its head: leave its end unchecked
        #[arg(long)]
        no_head: bool,
        /// A copy of its head that was kept elsewhere: the trail must go on from there
        #[arg(long, value_name = "FILE")]
        kept_head: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command, target: &Target) -> Result<(), Failure> {
    let path = |file: &Option<PathBuf>| file.clone().unwrap_or_else(|| target.data().audit());
    match command {
        Command::Show { file, last, about, action, json } => {
            let path = path(file);
            let failed =
                |error| Failure::refused(format_args!("the audit trail `{}` cannot be read: {error}", path.display()));
            let mut trail = Trail::open(&path).map_err(failed)?;
            let mut about = about.as_deref().map(|about| known_as(about, target));
            if let Some(about) = about.as_mut() {
                about.learn_tokens(&mut trail).map_err(failed)?;
            }
            let wanted = Wanted { about, action: action.as_deref() };
            let (records, others) = trail.records(*last, &|record| wanted.takes(record)).map_err(failed)?;
            show(&records, others, *json)
        }
        Command::Verify { file, no_head, kept_head, json } => verify(&path(file), *no_head, kept_head.as_deref(), *json),
    }
}

/// What the trail may call whoever or whatever is asked about: a user by uid, and by what was typed where a login failed.
fn known_as(about: &str, target: &Target) -> About {
    let mut known = About { texts: HashSet::from([about.to_owned()]), uid: None };
    if !target.data().has_store() {
        return known;
    }
    let path = format!("/admin/users/{}", segment(about));
    match Admin::look(target).and_then(|admin| admin.send(Method::Get, &path, None)) {
        // Whoever asks for an address or an id means no user.
        Ok(AdminAnswer { status: 404, .. }) if about.len() < SHORTEST_ID && about.parse::<IpAddr>().is_err() => {
            complain(&format!(
                "nobody is called `{about}` now, and the trail has no names but those typed at logins; a user that was deleted is found by \
                 number, see `waxseal audit show --action user.delete`"
            ));
        }
        Ok(AdminAnswer { status: 404, .. }) => {}
        Ok(AdminAnswer { status, body }) => {
            let told: Value = serde_json::from_slice(&body).unwrap_or_default();
            if status == 200 {
                let names = ["name", "email"].into_iter().filter_map(|member| told.get(member)?.as_str());
                known.texts.extend(names.filter(|name| !name.is_empty()).map(Into::into));
                known.uid = told.get("uid").map(ToString::to_string);
            } else {
                complain(&format!("could not look up a user for `{about}`: {}", cell(&told, "message")));
            }
        }
        Err(failure) => {
            complain(&format!("could not look up a user for `{about}`:"));
            failure.report();
        }
    }
    known
}

/// How short the ids of requests are; those of tokens are longer.
const SHORTEST_ID: usize = 16;

/// What a record may call whoever or whatever is asked about.
struct About {
    /// What may stand in any member.
    texts: HashSet<String>,
    /// What stands for the user, except where anybody may have typed it, or where it is a count.
    uid: Option<String>,
}

impl About {
    /// Adds the ids of the tokens that the user was issued, as other records that name one do not say whose it is.
    fn learn_tokens(&mut self, trail: &mut Trail) -> io::Result<()> {
        let Some(uid) = &self.uid else { return Ok(()) };
        let ids = RefCell::new(Vec::new());
        let learn = |record: &Value| {
            let member = |name| record.get(name).and_then(Value::as_str);
            if member("action") == Some("token.issue") && member("actor") == Some(uid) {
                ids.borrow_mut().extend(member("subject").filter(|id| id.len() >= SHORTEST_ID).map(String::from));
            }
            false
        };
        trail.records(0, &learn)?;
        self.texts.extend(ids.into_inner());
        Ok(())
    }
}

/// Which records are asked for.
struct Wanted<'a> {
    about: Option<About>,
    action: Option<&'a str>,
}

impl Wanted<'_> {
    fn takes(&self, record: &Value) -> bool {
        let member = |name| record.get(name).and_then(Value::as_str);
        let named = ["actor", "subject", "source", "request"].map(member);
        // One whose password was right is known.
        let is_typed = (member("action"), member("outcome")) == (Some("login"), Some("refused"))
            && member("reason") != Some("password_expired");
        let has_uids = !is_typed && member("action") != Some("schemes.prune");
        let about = |About { texts, uid }: &About| {
            let is_uid = |named: &str| has_uids && uid.as_deref() == Some(named);
            named.into_iter().flatten().any(|named| texts.contains(named) || is_uid(named))
        };
        let action = |wanted| {
            let rest = member("action").and_then(|action| action.strip_prefix(wanted));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.about.as_ref().is_none_or(about) && self.action.is_none_or(action)
    }
}

/// A record with the line that it stands in.
type Line = (Vec<u8>, Value);

/// A trail that may be read more than once.
enum Trail {
    File(File),
    /// What came out of a pipe.
    Octets(Vec<u8>),
}

impl Trail {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if file.rewind().is_ok() {
            return Ok(Self::File(file));
        }
        let mut octets = Vec::new();
        file.read_to_end(&mut octets)?;
        Ok(Self::Octets(octets))
    }

    /// The last of the records that are `wanted`, and how many lines are no records.
    fn records(&mut self, last: usize, wanted: &dyn Fn(&Value) -> bool) -> io::Result<(VecDeque<Line>, u64)> {
        let octets: &mut dyn Read = match self {
            Self::File(file) => {
                file.rewind()?;
                file
            }
            Self::Octets(octets) => &mut octets.as_slice(),
        };
        let (mut records, mut others) = (VecDeque::new(), 0_u64);
        for line in BufReader::new(octets).split(b'\n') {
            let line = line?;
            // What a crash has torn may end in the middle of a character.
            match serde_json::from_slice::<Value>(&line) {
                Ok(record) if record.is_object() => {
                    if wanted(&record) {
                        records.push_back((line, record));
                        if records.len() > last {
                            records.pop_front();
                        }
                    }
                }
                _ => others += 1,
            }
        }
        Ok((records, others))
    }
}

fn show(records: &VecDeque<Line>, others: u64, json: bool) -> Result<(), Failure> {
    if others > 0 {
        complain(&format!("lines that are not records: {others}; `waxseal audit verify` says whether one was changed"));
    }
    if json {
        return records.iter().try_for_each(|(line, _)| say(&harmless(&String::from_utf8_lossy(line))));
    }
    let row = |record: &Value| {
        let [time, action, actor, subject, source] =
            ["time", "action", "actor", "subject", "source"].map(|name| cell(record, name));
        let said = |name| record.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(plain);
        let outcome = said("reason").or_else(|| said("outcome")).unwrap_or_else(|| "-".into());
        let detail =
            said("detail").or_else(|| record.get("count").and_then(Value::as_u64).map(|count| format!("{count} records")));
        [time, action, outcome, actor, subject, source, detail.unwrap_or_default()]
    };
    let rows: Vec<_> = records.iter().map(|(_, record)| row(record)).collect();
    say(&table(["TIME", "ACTION", "OUTCOME", "ACTOR", "SUBJECT", "SOURCE", "DETAIL"], &rows))
}

fn verify(path: &Path, no_head: bool, kept_head: Option<&Path>, json: bool) -> Result<(), Failure> {
    let shown = path.display();
    let verdict = kept_head.map_or_else(|| audit::verify(path), |kept| audit::verify_since(path, kept));
    if json {
        let found = verdict.as_ref().ok();
        let (flaw, error) = match &verdict {
            Ok(_) => (None, None),
            Err(VerifyError::Flaw(flaw)) => (Some(flaw.to_string()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let said = say_json(&json!({
            "file": shown.to_string(),
            "whole": found.is_some_and(|found| found.records > 0),
            "first": found.map(|found| found.first),
            "records": found.map(|found| found.records),
            "end_checked": found.is_some_and(|found| found.end_checked),
            "headless": found.and_then(|found| found.headless),
            "lost": found.map(|found| found.lost),
            "unclean": found.map(|found| found.unclean),
            "kept_head_checked": found.is_some() && kept_head.is_some(),
            "flaw": flaw,
            "error": error,
        }));
        let holds = match found.map(Whole::verdict) {
            Some(Verdict::Whole) => true,
            Some(Verdict::Headless(_) | Verdict::NoHead) => no_head,
            Some(Verdict::Empty) | None => false,
        };
        return if holds { said } else { Err(Failure::no(said)) };
    }
    let whole = verdict.map_err(|error| match error {
        VerifyError::Missing => Failure::refused(format_args!("there is no audit trail `{shown}`")),
        error @ VerifyError::Io(_) => Failure::refused(format_args!("the audit trail `{shown}` cannot be read: {error}")),
        error @ VerifyError::Flaw(_) => Failure::refused(format_args!("the audit trail `{shown}` does not hold: {error}")),
        error @ (VerifyError::NoHead | VerifyError::Kept(_) | VerifyError::Earlier { .. } | VerifyError::Later { .. }) => {
            Failure::refused(format_args!("the audit trail `{shown}` was not checked: {error}"))
        }
    })?;
    match whole.verdict() {
        Verdict::Empty => Err(Failure::refused(format_args!(
            "the audit trail `{shown}` is empty: its records are gone, or could not be written"
        ))),
        Verdict::Whole => say(&format!("{shown}: {whole}; the chain is whole")),
        Verdict::Headless(_) | Verdict::NoHead if no_head => {
            say(&format!("{shown}: {whole}; the chain is whole; whether records were cut off at its end is not checked"))
        }
        Verdict::Headless(n) => Err(Failure::refused(format_args!(
            "the audit trail `{shown}` holds ({whole}), but its head was missing when record {n} was written, so nobody can tell \
             whether records were cut off before that; --no-head leaves that unchecked"
        ))),
        Verdict::NoHead => Err(Failure::refused(format_args!(
            "the audit trail `{shown}` holds ({whole}), but its head `{shown}.head` is missing or empty, so nobody can tell whether \
             records were cut off at the end; --no-head leaves that unchecked"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_nobody_where_it_was_typed_or_counted() {
        let wanted =
            Wanted { about: Some(About { texts: HashSet::from(["ann".into()]), uid: Some("1".into()) }), action: None };
        let takes = |action: &str, outcome: &str, subject: &str| {
            wanted.takes(&json!({ "action": action, "outcome": outcome, "actor": "local", "subject": subject }))
        };
        assert!(
            takes("login", "success", "1") && takes("login", "refused", "ann") && takes("user.disable", "success", "1")
        );
        assert!(
            !takes("login", "refused", "1") && !takes("schemes.prune", "success", "1") && !takes("login", "success", "2")
        );
        let expired = json!({ "action": "login", "outcome": "refused", "reason": "password_expired", "subject": "1" });
        assert!(wanted.takes(&expired), "the password was right, so that nobody can have typed the number");
    }

    #[test]
    fn text_of_others_does_nothing_to_a_terminal() {
        let hostile = json!({ "actor": "a\u{9b}31m\u{202e}b\u{7f}c\u{e9}\u{e0041}" });
        let text = hostile.to_string();
        let shown = harmless(&text);
        assert_eq!(shown, r#"{"actor":"a\u009b31m\u202eb\u007fcé\udb40\udc41"}"#);
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), hostile);
        assert_eq!(plain(hostile["actor"].as_str().unwrap()), "a\u{fffd}31m\u{fffd}b\u{fffd}cé\u{fffd}");
    }
}

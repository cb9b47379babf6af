//! `waxseal audit`.

use super::{
    Failure, Place,
    terminal::{say, say_json},
};
use crate::audit::{self, VerifyError, Whole};
use serde_json::json;
use std::path::PathBuf;

/// What to do with the audit trail.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check that no record was changed, cut out or moved; exit status 1 if one was, or if that cannot be told
    #[command(after_help = "\
The trail's head, FILE.head beside it, tells whether records were cut off at the end. A trail that
log rotation has moved away has no head: --no-head leaves its end unchecked. The next trail begins
with the hash that the one before it ended with.")]
    Verify {
        /// The trail [default: audit.log in the data directory]
        file: Option<PathBuf>,
        /// For a trail that was moved away or copied without its head: leave its end unchecked
        #[arg(long)]
        no_head: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command, place: &Place) -> Result<(), Failure> {
    let Command::Verify { file, no_head, json } = command;
    let path = file.clone().unwrap_or_else(|| place.data().audit());
    let shown = path.display();
    let verdict = audit::verify(&path);
    if *json {
        let found = verdict.as_ref().ok();
        let flaw = verdict.as_ref().err().map(ToString::to_string);
        say_json(&json!({
            "file": shown.to_string(),
            "whole": found.is_some_and(|found| found.records > 0),
            "first": found.map(|found| found.first),
            "records": found.map(|found| found.records),
            "end_checked": found.is_some_and(|found| found.end_checked),
            "headless": found.and_then(|found| found.headless),
            "flaw": flaw,
        }))?;
        return if found
            .is_some_and(|found| found.records > 0 && (found.end_checked && found.headless.is_none() || *no_head))
        {
            Ok(())
        } else {
            Err(Failure::No)
        };
    }
    match verdict {
        Ok(Whole { records: 0, .. }) => Err(Failure::refused(format_args!(
            "the audit trail `{shown}` is empty: its records are gone, or could not be written"
        ))),
        Ok(whole @ Whole { end_checked: true, headless: None, .. }) => {
            say(&format!("{shown}: {whole}; the chain is whole"))
        }
        Ok(whole) if *no_head => {
            say(&format!("{shown}: {whole}; the chain is whole; whether records were cut off at its end is not checked"))
        }
        Ok(Whole { headless: Some(n), .. }) => Err(Failure::refused(format_args!(
            "the audit trail `{shown}` holds, but its head was missing when record {n} was written, so nobody can tell whether \
             records were cut off before that; --no-head leaves that unchecked"
        ))),
        Ok(whole) => Err(Failure::refused(format_args!(
            "the audit trail `{shown}` holds ({whole}), but its head `{shown}.head` is missing or empty, so nobody can tell whether \
             records were cut off at the end; --no-head leaves that unchecked"
        ))),
        Err(VerifyError::Missing) => Err(Failure::refused(format_args!("there is no audit trail `{shown}`"))),
        Err(error @ VerifyError::Io(_)) => {
            Err(Failure::refused(format_args!("the audit trail `{shown}` cannot be read: {error}")))
        }
        Err(error) => Err(Failure::refused(format_args!("the audit trail `{shown}` does not hold: {error}"))),
    }
}

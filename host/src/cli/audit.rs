//! `waxseal audit`.

use super::{
    Failure, Place,
    terminal::{say, say_json},
};
use crate::audit;
use serde_json::json;
use std::path::PathBuf;

/// What to do with the audit trail.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check that no record was changed, cut out or moved; exit status 1 if one was
    Verify {
        /// The trail [default: audit.log in the data directory]
        file: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command, place: &Place) -> Result<(), Failure> {
    let Command::Verify { file, json } = command;
    let path = file.clone().unwrap_or_else(|| place.data().audit());
    let shown = path.display();
    let verdict = audit::verify(&path);
    if *json {
        let (whole, records) = (verdict.is_ok(), verdict.as_ref().ok());
        let flaw = verdict.as_ref().err().map(ToString::to_string);
        say_json(&json!({ "file": shown.to_string(), "whole": whole, "records": records, "flaw": flaw }))?;
        return verdict.map(drop).map_err(|_| Failure::No);
    }
    match verdict {
        Ok(records) => say(&format!("{shown}: {records} records, the chain is whole")),
        Err(error) => Err(Failure::refused(format_args!("the audit trail `{shown}` does not hold: {error}"))),
    }
}

//! `waxseal init`: a data directory with a production configuration.

use super::{Failure, Target, terminal::say};
use crate::{
    config::{PRODUCTION, is_named},
    files::write::write_new,
    text::shell::word,
};
use std::io::ErrorKind;

/// Makes what is missing; replaces nothing.
pub(super) fn run(target: &Target) -> Result<(), Failure> {
    let data = target.data();
    let config = target.config.clone().unwrap_or_else(|| data.config());
    let shown = config.display();
    if let Some(set) = target.set.first() {
        return Err(Failure::usage(format_args!(
            "--set {set}: `init` does not write settings given as options; put it into `{shown}` afterwards"
        )));
    }
    let there = || Failure::refused(format_args!("`{shown}` is there already; nothing was changed"));
    if is_named(&config) {
        return Err(there());
    }
    // A new root key would open nothing of a store that is brought back.
    data.check_store()?;
    let in_use = data.has_store();
    data.create()?;
    data.root_key_or_new()?;
    // A file that a full disk has cut short would be in force.
    let written = write_new(&config, &[PRODUCTION.as_bytes()]);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(there());
        }
        written => written.map_err(|error| Failure::refused(format_args!("cannot write `{shown}`: {error}")))?,
    }
    let (path, at) = (data.path().display(), word(data.path().display()));
    let named = if target.config.is_some() { format!(" --config {}", word(config.display())) } else { String::new() };
    if in_use {
        return say(&format!(
            "Wrote the configuration {shown} (0600). {path} is in use already and otherwise as it was: it counts from the next \
             start of `waxseal serve --data {at}{named}` on, and most of it from the next reload (`waxseal reload`, SIGHUP)."
        ));
    }
    say(&format!(
        "Made {path} (mode 0700) with the root key root.key (0600), and the configuration {shown} (0600).

Next:
  1. Read {shown}; `waxseal config check --data {at}{named}` says whether it is in order.
  2. Name the first administrator: WAXSEAL_ADMIN_NAME and WAXSEAL_ADMIN_PASSWORD_FILE. Without, `admin` gets a
     password that is shown once.
  3. Run `waxseal serve --data {at}{named}`.
  4. Keep a backup: `waxseal backup --data {at} --to FILE`. Without root.key nobody can open the store."
    ))
}

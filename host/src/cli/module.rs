//! `waxseal module`, and the module that a configuration names.

use super::{
    Failure,
    assembled::module_limits,
    terminal::{absolute, say, say_json},
};
use crate::{
    config::{Host, Loaded, StatedBy},
    engine::{Code, Module},
    files::write::write_new_with,
    text::hex,
};
use rustix::process::geteuid;
use serde_json::json;
use std::{fs, os::unix::fs::MetadataExt, path::PathBuf};

/// What to do with modules.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write the module of this binary into a file, and print the settings with which another server runs it
    #[command(after_help = "\
Example, to give a running server the rules of a newer build without a restart:
  waxseal-new module export --to /etc/waxseal/rules.module
  (put what it prints into waxseal.toml; if there is an [engine] already, the two settings there)
  waxseal reload

Both builds need the same version of wasmtime; a module that does not fit is refused and changes \
nothing. Without the two settings the next reload goes back to the rules in the binary; take them \
out before the binary is replaced by a newer one. Commands on the data of a stopped server run the \
rules in their own binary.")]
    Export {
        /// The new file; an existing file is never replaced
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Print the settings as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Export { to, json } = command;
    let to = absolute(to, "a module")?;
    let (code, shown) = (Code::built_in(), to.display());
    let path = to
        .to_str()
        .ok_or_else(|| Failure::refused(format_args!("`{shown}` is not UTF-8, as a configuration has to be")))?;
    let failed = |error| Failure::refused(format_args!("cannot write `{shown}`: {error}"));
    // It is no secret, and the server may run as another user.
    write_new_with(0o644, &to, &[code.octets()]).map_err(failed)?;
    let sha256 = hex::text(&code.sha256());
    if *json {
        return say_json(&json!({ "engine.module": path, "engine.module_sha256": sha256 }));
    }
    let path = toml::Value::from(path);
    say(&format!("# {shown} is written. In waxseal.toml:\n[engine]\nmodule = {path}\nmodule_sha256 = \"{sha256}\""))
}

/// The code that the configuration names; `None` stands for that of this binary.
///
/// # Errors
/// The file cannot be read, or its SHA-256 is another one. Names the setting.
pub(super) fn named(host: &Host) -> Result<Option<Code>, String> {
    let (Some(path), Some(sha256)) = (&host.engine.module, &host.engine.module_sha256) else { return Ok(None) };
    Code::read(path, sha256).map(Some).map_err(|error| format!("engine.module: `{}`: {error}", path.display()))
}

/// Refuses a module that is named in a file which others can write: it is not for them to have machine code run as this user.
///
/// # Errors
/// Others than root and this user can write the file.
pub(super) fn check_author(loaded: &Loaded) -> Result<(), String> {
    let StatedBy::File { path, line } = loaded.origin("engine.module_sha256") else { return Ok(()) };
    let found = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let ours = found.uid() == 0 || found.uid() == geteuid().as_raw();
    if ours && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(format!(
        "engine.module_sha256 ({}:{line}): that names machine code to run, so nobody but root and the user who runs it may be able to \
         write the file; it belongs to user {} and has mode {:04o}",
        path.display(),
        found.uid(),
        found.mode() & 0o7777
    ))
}

/// Whether the code that the configuration names can be run here.
///
/// # Errors
/// As [`check_author`] and [`named`], and when this machine or this build cannot run it.
pub(super) fn check(loaded: &Loaded) -> Result<(), String> {
    check_author(loaded)?;
    let host = &loaded.config.host;
    let Some(code) = named(host)? else { return Ok(()) };
    let module = Module::load(&code, module_limits(host));
    module.map(drop).map_err(|error| format!("engine.module: it cannot be run here: {error:#}"))
}

//! `waxseal module`, and the module that a configuration names.

use super::{
    Failure,
    terminal::{say, say_json},
};
use crate::{
    config::Host,
    data_dir::write_new,
    engine::{Code, Limits, Module},
    hex,
};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{self, PathBuf},
};

/// What to do with modules.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write the module of this binary into a file, and print the settings with which another server runs it
    #[command(after_help = "\
Example, to give a running server the rules of a newer build without a restart:
  waxseal-new module export --to /etc/waxseal/rules.module
  (put the two lines it prints into waxseal.toml)
  kill -HUP PID

Both builds need the same version of wasmtime; a module that does not fit is refused and changes
nothing. Without the two settings the next reload goes back to the rules in the binary. Commands
on the data of a stopped server run the rules in their own binary.")]
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
    let to = path::absolute(to).map_err(Failure::refused)?;
    let (code, shown) = (Code::built_in(), to.display());
    let path = to
        .to_str()
        .ok_or_else(|| Failure::refused(format_args!("`{shown}` is not UTF-8, as a configuration has to be")))?;
    let failed = |error| Failure::refused(format_args!("cannot write `{shown}`: {error}"));
    write_new(&to, &[code.octets()]).map_err(failed)?;
    // It is no secret, and the server may be somebody else.
    fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).map_err(failed)?;
    let sha256 = hex::text(&code.sha256());
    if *json {
        return say_json(&json!({ "engine.module": path, "engine.module_sha256": sha256 }));
    }
    let path = toml::Value::from(path);
    say(&format!("wrote {shown}; to have a server run it:\n\n[engine]\nmodule = {path}\nmodule_sha256 = \"{sha256}\""))
}

/// The code that the configuration names; none: that of this binary.
///
/// # Errors
/// The file cannot be read, or is another one. Names the setting.
pub(super) fn named(host: &Host) -> Result<Option<Code>, String> {
    let engine = &host.engine;
    let (Some(path), Some(sha256)) = (&engine.module, &engine.module_sha256) else { return Ok(None) };
    let failed = |error: &dyn core::fmt::Display| format!("engine.module: `{}`: {error}", path.display());
    let sha256 = hex::digest(sha256.as_bytes()).ok_or_else(|| failed(&"its SHA-256 is none"))?;
    Code::read(path, &sha256).map(Some).map_err(|error| failed(&error))
}

/// Whether the code that the configuration names can be run here.
///
/// # Errors
/// As [`named`], and when this machine or this build cannot run it.
pub(super) fn check(host: &Host) -> Result<(), String> {
    let Some(code) = named(host)? else { return Ok(()) };
    let loaded = Module::load(&code, Limits::default());
    loaded.map(drop).map_err(|error| format!("engine.module: it cannot be run here: {error:#}"))
}

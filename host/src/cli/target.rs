//! Where a command works: data directory and configuration.

use super::{Failure, terminal};
use crate::{
    config::{self, Loaded, Sources, Stated, StatedBy},
    data_dir::DataDir,
};
use std::{env, ffi::OsString, path::PathBuf};

/// Flags that every command has.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Target {
    /// Data directory: store, root key, audit trail
    #[arg(
        long,
        global = true,
        help_heading = "Options of every command",
        value_name = "DIR",
        env = "WAXSEAL_DATA",
        hide_env_values = true,
        default_value = "./waxseal-data"
    )]
    pub(super) data: PathBuf,
    /// Configuration file [default: DIR/waxseal.toml, if it is there]
    #[arg(
        long,
        global = true,
        help_heading = "Options of every command",
        value_name = "FILE",
        env = "WAXSEAL_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,
    /// Change one setting, such as `redis.ttl.max=3600`; may be repeated
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "SETTING=VALUE")]
    pub(super) set: Vec<String>,
}

impl Target {
    pub(super) fn data(&self) -> DataDir {
        DataDir::new(&self.data)
    }

    /// The configuration in force.
    pub(super) fn load(&self) -> Result<Loaded, Failure> {
        self.sources(Vec::new())?.load().map_err(Failure::from)
    }

    /// Where the configuration is stated; `more` are flags of the command itself.
    pub(super) fn sources(&self, more: Vec<Stated>) -> Result<Sources, Failure> {
        let mut flags = more;
        for stated in &self.set {
            let Some((path, value)) = stated.split_once('=') else {
                return Err(Failure::usage(format_args!("--set {stated}: found no `=`, allowed is SETTING=VALUE")));
            };
            let path = path.trim();
            if path.is_empty() {
                return Err(Failure::usage(format_args!(
                    "--set {stated}: the name of a setting is missing before the `=`, allowed is SETTING=VALUE"
                )));
            }
            flags.push(Stated { path: path.into(), value: value.into(), origin: StatedBy::Flag(format!("--set {path}")) });
        }
        let usual = self.data().config();
        // One that is there at the start has to be there at every reload.
        let (file, usual) = match &self.config {
            Some(named) => (Some(named.clone()), None),
            None if config::is_named(&usual) => (Some(usual), None),
            None => (None, Some(usual)),
        };
        Ok(Sources { file, usual, env: environment()?, flags })
    }
}

/// Variables of ours that no part of this program reads, with what may have been meant. Orchestrators put the addresses of services
/// there, such as `WAXSEAL_SERVICE_HOST` and `WAXSEAL_PORT_80_TCP`; those are passed over.
pub(super) fn unread_variables(env: &[(String, String)]) -> Vec<(&str, Option<&'static str>)> {
    let foreign = |name: &str| name.contains("_SERVICE_") || name.contains("_PORT");
    let names = env.iter().map(|(name, _)| name.as_str());
    let unread = names.filter(|name| !READ.contains(name) && !name.starts_with("WAXSEAL__") && !foreign(name));
    let near = |name: &str| READ.into_iter().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
    unread.map(|name| (name, near(name))).collect()
}

/// What is read beside `WAXSEAL__…`, each of which has to be a setting.
const READ: [&str; 6] = [
    "WAXSEAL_DATA",
    "WAXSEAL_CONFIG",
    "WAXSEAL_LISTEN",
    "WAXSEAL_ADMIN_NAME",
    "WAXSEAL_ADMIN_PASSWORD",
    "WAXSEAL_ADMIN_PASSWORD_FILE",
];

impl Target {
    /// Says that a running server goes by its own settings, if any were stated for this command.
    pub(super) fn warn_of_what_counts_for_nothing(&self) {
        if !self.set.is_empty() {
            terminal::complain(
                "note: a server runs on this data and goes by its own settings; --set changes nothing there",
            );
        }
    }
}

fn environment() -> Result<Vec<(String, String)>, Failure> {
    let ours = env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WAXSEAL_"));
    ours.map(|(name, value)| {
        let name = name.to_string_lossy().into_owned();
        // This is kept for reloads, and a password is not needed for them.
        let value = if name == "WAXSEAL_ADMIN_PASSWORD" { OsString::new() } else { value };
        let value = value.into_string().map_err(|_| Failure::usage(format_args!("{name}: the value is not UTF-8")))?;
        Ok((name, value))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_found() {
        let names = [
            "WAXSEAL_LISTN",
            "WAXSEAL_ADMIN_PASSWORT",
            "WAXSEAL_BIN",
            "WAXSEAL_DATA",
            "WAXSEAL__LEEWAY",
            "WAXSEAL_SERVICE_HOST",
            "WAXSEAL_PORT",
            "WAXSEAL_PORT_8080_TCP_ADDR",
        ];
        let env = names.map(|name| (name.to_owned(), String::new()));
        let found = [
            ("WAXSEAL_LISTN", Some("WAXSEAL_LISTEN")),
            ("WAXSEAL_ADMIN_PASSWORT", Some("WAXSEAL_ADMIN_PASSWORD")),
            ("WAXSEAL_BIN", None),
        ];
        assert_eq!(unread_variables(&env), found);
    }
}

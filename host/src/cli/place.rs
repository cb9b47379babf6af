//! Where a command works: data directory and configuration.

use super::Failure;
use crate::{
    config::{Loaded, Origin, Sources, Stated},
    data_dir::DataDir,
};
use std::{env, path::PathBuf};

/// Flags that every command has.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Place {
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
    /// Set one setting, such as `redis.ttl.max=3600`; repeat for more
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "SETTING=VALUE")]
    pub(super) set: Vec<String>,
}

impl Place {
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
            flags.push(Stated { path: path.into(), value: value.into(), origin: Origin::Flag(format!("--set {path}")) });
        }
        let usual = Some(self.data().config()).filter(|path| path.exists());
        Ok(Sources { file: self.config.clone().or(usual), env: environment()?, flags })
    }
}

fn environment() -> Result<Vec<(String, String)>, Failure> {
    let ours = env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WAXSEAL_"));
    ours.map(|(name, value)| {
        let name = name.to_string_lossy().into_owned();
        let value = value.into_string().map_err(|_| Failure::usage(format_args!("{name}: the value is not UTF-8")))?;
        Ok((name, value))
    })
    .collect()
}

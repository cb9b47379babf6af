//! `waxseal config`.

use super::{Failure, Target, module, serve, terminal::say};
use crate::{
    config::{Loaded, StatedBy},
    http::tls::Tls,
};

/// What to do with the configuration.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check the configuration and the files it names: prints one line for each problem and exits with status 2
    Check,
    /// Print every setting in force and where it comes from, as a file that can be read back
    Show {
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// Only settings that the file, the environment or an option states
        #[arg(long)]
        changed: bool,
    },
}

pub(super) fn run(command: &Command, target: &Target) -> Result<(), Failure> {
    let loaded = target.load()?;
    let file = loaded.file.as_ref().map(|path| path.display().to_string());
    match *command {
        Command::Check => {
            let mut wrong = files(&loaded).err().unwrap_or_default();
            let stated = loaded.rows().any(|(.., origin)| *origin != StatedBy::Default);
            let none = if stated { "no file" } else { "no file, all defaults" };
            let missing = match target.data.metadata() {
                Ok(found) if found.is_dir() => "",
                Ok(_) => {
                    wrong.push(format!("--data {}: not a directory", target.data.display()));
                    ""
                }
                Err(_) => "; there is no data directory yet",
            };
            if !wrong.is_empty() {
                return Err(Failure::Usage(wrong));
            }
            say(&format!("in order: {}{missing}", file.as_deref().unwrap_or(none)))
        }
        Command::Show { json, changed } => {
            let rows = loaded.rows().filter(|(.., origin)| !changed || **origin != StatedBy::Default);
            if json {
                let members: serde_json::Map<_, _> = rows
                    .map(|(setting, _, origin)| {
                        let value = loaded.value(setting.path);
                        (setting.path.into(), serde_json::json!({ "value": value, "source": origin.to_string() }))
                    })
                    .collect();
                return say(&format!("{:#}", serde_json::Value::Object(members)));
            }
            let lines: Vec<(String, String)> =
                rows.map(|(setting, value, origin)| (format!("{} = {value}", setting.path), origin.to_string())).collect();
            let widest = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
            let lines: Vec<_> = lines.iter().map(|(line, origin)| format!("{line:<widest$}  # {origin}")).collect();
            say(&lines.join("\n"))
        }
    }
}

/// Opens the TLS files that the configuration names, and looks whether its module can be run here.
///
/// # Errors
/// All that is wrong, one line each.
pub(super) fn files(loaded: &Loaded) -> Result<Option<Tls>, Vec<String>> {
    let tls = serve::tls_files(&loaded.config.host).map(Tls::open).transpose();
    let module = module::check(loaded);
    match (tls, module) {
        (Ok(tls), Ok(())) => Ok(tls),
        (tls, module) => {
            let wrong = tls.err().map(|error| error.0).unwrap_or_default();
            let wrong = wrong.into_iter().map(|(setting, why)| format!("{setting} ({}): {why}", loaded.origin(setting)));
            Err(wrong.chain(module.err()).collect())
        }
    }
}

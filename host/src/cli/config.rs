//! `waxseal config`.

use super::{Failure, Place, module, serve, terminal::say};
use crate::{config::Origin, http::tls::Tls};

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

pub(super) fn run(command: &Command, place: &Place) -> Result<(), Failure> {
    let loaded = place.load()?;
    let file = loaded.file.as_ref().map(|path| path.display().to_string());
    match *command {
        Command::Check => {
            let options = serve::options(&loaded.config.host, place);
            options.tls.map(Tls::open).transpose().map_err(Failure::usage)?;
            module::check(&loaded).map_err(Failure::usage)?;
            let stated = loaded.rows().any(|(.., origin)| *origin != Origin::Default);
            let none = if stated { "no file" } else { "no file, all defaults" };
            let missing = match place.data.metadata() {
                Ok(found) if found.is_dir() => "",
                Ok(_) => return Err(Failure::usage(format_args!("--data {}: not a directory", place.data.display()))),
                Err(_) => "; there is no data directory yet",
            };
            say(&format!("in order: {}{missing}", file.as_deref().unwrap_or(none)))
        }
        Command::Show { json, changed } => {
            let rows = loaded.rows().filter(|(.., origin)| !changed || **origin != Origin::Default);
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

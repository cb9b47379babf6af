//! The component's module, built a second time somewhere else, must be the same to the octet.

use crate::{
    Failure,
    command::{root, target_dir},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

#[path = "../../host/build/module.rs"]
mod module;

/// Builds the module into a folder of its own and compares it with the one that the newest server has inside.
pub(crate) fn check() -> Result<(), Failure> {
    let said = |path: &Path| {
        let path = path.display().to_string();
        move |error| format!("cannot use `{path}`: {error}")
    };
    let folder = target_dir().join("again");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(said(&folder))?;
    }
    let known = newest().ok_or("no server has been built, so there is no module to compare with")?;
    let first = fs::read(&known).map_err(said(&known))?;
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let second = module::build(&cargo, root(), &folder, &module::COMPONENT)?;
    if first != second {
        let at = first.iter().zip(&second).take_while(|(first, second)| first == second).count();
        return Err(format!("`{}` and what came of building it again differ from octet {at} on", known.display()));
    }
    println!("{} octets, twice the same", first.len());
    fs::remove_dir_all(&folder).map_err(said(&folder))
}

/// The module that the build script of the server has made last.
fn newest() -> Option<PathBuf> {
    let builds = fs::read_dir(target_dir().join("debug").join("build")).ok()?;
    let modules = builds.filter_map(Result::ok).map(|entry| entry.path().join("out/module.wasm"));
    let made = |path: &PathBuf| fs::metadata(path).and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    modules.filter(|path| path.is_file()).max_by_key(made)
}

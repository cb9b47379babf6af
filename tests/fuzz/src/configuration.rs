//! The configuration of the native server, as a file and as flags.

use crate::config::{Loaded, StatedBy, Sources, Stated};
use std::{env, fs, path::PathBuf, process, sync::LazyLock};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| env::temp_dir().join(format!("waxseal-fuzz-{}.toml", process::id())));

/// A file; after an empty line also flags, a line each. What is taken can be shown, and what is shown is taken and means the
/// same.
pub(crate) fn configuration(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let (file, flags) = text.split_once("\n\n\n").unwrap_or((text, ""));
    fs::write(&*FILE, file).unwrap();
    let flags = flags.lines().map(|line| {
        let (path, value) = line.split_once('=').unwrap_or((line, ""));
        Stated { path: path.into(), value: value.into(), origin: StatedBy::Flag(format!("--set={path}")) }
    });
    match (Sources { file: Some(FILE.clone()), flags: flags.collect(), ..Sources::default() }).load() {
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                assert!(!problem.to_string().contains('\n'), "a problem is one line");
            }
        }
        Ok(loaded) => {
            let lines: Vec<_> = shown(&loaded).map(|(path, value)| format!("{path} = {value}\n")).collect();
            fs::write(&*FILE, lines.concat()).unwrap();
            let again = Sources { file: Some(FILE.clone()), ..Sources::default() }.load();
            let again = again.unwrap_or_else(|problems| panic!("what is shown is refused: {}", problems[0]));
            assert!(shown(&loaded).eq(shown(&again)), "what is shown means something else");
        }
    }
}

/// Settings and their values, in the notation of the file.
fn shown(loaded: &Loaded) -> impl Iterator<Item = (String, String)> {
    loaded.rows().map(|(setting, value, _)| (setting.path.to_owned(), value))
}

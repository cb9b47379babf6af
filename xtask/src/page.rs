//! The page: as plain files, and its tests in real browsers.

use crate::{
    Failure,
    cargo::cargo,
    command::{command, output, root, run as run_command},
    serve, setup,
    tally::Tally,
    test,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// `cargo xtask page DIR`
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let [to] = args else { return Err("which folder? `cargo xtask page DIR`".into()) };
    let to = std::path::absolute(to).map_err(|error| format!("`{to}` is no folder: {error}"))?;
    setup::linker()?;
    setup::rust_target(setup::WASM)?;
    let mut build = cargo(&["build", "--package", "waxseal", "--lib", "--message-format", "json"]);
    let messages = output(&mut build)?;
    let built = messages.lines().find_map(out_dir).ok_or("the build does not say where the page is")?;
    copy(&built.join("page"), &to)?;
    println!("{}", to.display());
    Ok(())
}

/// Browsers, and what drives them.
pub(crate) fn install() -> Result<(), Failure> {
    setup::node()?;
    setup::browsers()?;
    setup::npm_install(&tests())
}

/// Runs the tests against `server` and adds what they report to `tally`. One file after another: on two cores browsers would only
/// wait for each other.
pub(crate) fn test(server: &Path, tally: &mut Tally) -> Result<(), Failure> {
    let mut node = command("node");
    node.args(["--test", "--test-concurrency=1", "--test-reporter=tap"]).current_dir(tests()).env("WAXSEAL_BIN", server);
    test::counted(&mut node, tally)
}

/// `cargo xtask bench page`: loads it in Chromium from the release server.
pub(crate) fn bench() -> Result<(), Failure> {
    install()?;
    let server = serve::build()?;
    run_command(command("node").current_dir(tests()).arg("bench.js").env("WAXSEAL_BIN", server))
}

fn tests() -> PathBuf {
    root().join("tests").join("page")
}

/// The folder of the server's build script, in the message that says so.
fn out_dir(message: &str) -> Option<PathBuf> {
    let is_ours = message.contains(r#""reason":"build-script-executed""#) && message.contains("/host#waxseal@");
    let (_, rest) = message.split_once(r#""out_dir":""#)?;
    let (path, _) = rest.split_once('"')?;
    is_ours.then(|| path.replace(r"\\", r"\").into())
}

/// Copies the files, without those that are compressed for the server.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let wrong = |error: std::io::Error| format!("cannot copy `{}` to `{}`: {error}", from.display(), to.display());
    fs::create_dir_all(to).map_err(wrong)?;
    for entry in fs::read_dir(from).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if path.extension().is_none_or(|extension| extension != "br") {
            fs::copy(&path, to.join(name)).map_err(wrong)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_that_of_the_servers_build_script() {
        let of =
            |id: &str| format!(r#"{{"reason":"build-script-executed","package_id":"{id}","env":[],"out_dir":"/a/b"}}"#);
        assert_eq!(out_dir(&of("path+file:///c/host#waxseal@0.1.0")), Some("/a/b".into()));
        assert_eq!(out_dir(&of("registry+https://example.com#ring@0.17.0")), None);
        assert_eq!(out_dir(r#"{"reason":"build-finished","success":true}"#), None);
    }
}

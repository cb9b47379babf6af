//! The shell lines of the README and of guides, run as a newcomer would: page after page against one server, fresh at the start.

use crate::{
    Failure,
    command::{command, root, run as run_command},
    running::{ADMIN, PASSWORD, Running},
    test,
};
use std::{fmt::Write as _, fs, path::Path};

/// `cargo xtask readme`
pub(crate) fn run() -> Result<(), Failure> {
    test::build()?;
    check(&test::server())
}

/// The pages whose lines are run. Each has `ADMIN` in its environment, as the README asks its reader to set it.
const PAGES: [&str; 4] = ["README.md", "docs/redis.md", "docs/openshift.md", "docs/elasticsearch.md"];

/// Runs every `sh` block of the pages against `server`; fails with the first line that fails.
pub(crate) fn check(server: &Path) -> Result<(), Failure> {
    // One for all, as no page may leave behind what another stumbles over.
    let running = Running::start(server, "readme-data")?;
    PAGES.iter().try_for_each(|page| check_page(page, &running))
}

fn check_page(page: &str, running: &Running) -> Result<(), Failure> {
    let text = fs::read_to_string(root().join(page)).map_err(|error| format!("cannot read `{page}`: {error}"))?;
    let script = script(page, &text).replace(ADDRESS, &running.address.to_string());
    if script.is_empty() {
        return Err(format!("`{page}` has no shell lines"));
    }
    run_command(command("sh").args(["-euc", &script]).env("ADMIN", format!("{ADMIN}:{PASSWORD}")))
        .map_err(|_| "the line named last has failed".into())
}

/// The `sh` blocks in order, each of which first says where it stands.
fn script(page: &str, text: &str) -> String {
    let mut script = String::new();
    let mut inside = false;
    for (line, number) in text.lines().zip(1..) {
        match line {
            "```sh" => {
                inside = true;
                let _ = writeln!(script, "echo; echo {page}:{}", number + 1);
            }
            "```" => inside = false,
            _ if inside => {
                let _ = writeln!(script, "{line}");
            }
            _ => {}
        }
    }
    script
}

/// Where the server of the pages listens.
const ADDRESS: &str = "127.0.0.1:8080";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_run_and_in_order() {
        let text = "```sh\none\n```\n```console\n$ two\n```\n```text\nthree\n```\n\n```sh\nfour\n```\n";
        assert_eq!(script("README.md", text), "echo; echo README.md:2\none\necho; echo README.md:12\nfour\n");
    }
}

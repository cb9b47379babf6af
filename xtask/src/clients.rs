//! The official Elasticsearch clients, unmodified, and tests in the product's YAML format, against the live server.

use crate::{
    Failure,
    command::{command, root, target_dir},
    running::{ADMIN, PASSWORD, Running},
    setup,
    tally::Tally,
    test::{self, counted},
};
use std::{path::Path, path::PathBuf};

/// The generations of the client for Python, as `tests/clients/requirements-N.txt` pins them.
const PYTHON: [u32; 3] = [6, 7, 8];

/// `cargo xtask clients`
pub(crate) fn run_alone() -> Result<(), Failure> {
    install()?;
    test::build()?;
    let mut tally = Tally::default();
    let outcome = run(&test::server(), &mut tally);
    println!("\n{tally}");
    outcome
}

/// Installs every client into a place of its own below `target`, JavaScript's into `tests/clients/node_modules`.
pub(crate) fn install() -> Result<(), Failure> {
    for generation in PYTHON {
        setup::python_environment(&environment(generation), &folder().join(format!("requirements-{generation}.txt")))?;
    }
    setup::node()?;
    setup::npm_install(&folder())
}

/// Drives a fresh server with each client.
pub(crate) fn run(server: &Path, tally: &mut Tally) -> Result<(), Failure> {
    let running = Running::start(server, "clients-data")?;
    let url = format!("http://{}", running.address);
    for generation in PYTHON {
        let mut python = command(environment(generation).join("bin").join("python"));
        counted(python.arg(folder().join("elasticsearch_client.py")).args([&url, ADMIN, PASSWORD]), tally)?;
    }
    let mut yaml = command(environment(PYTHON[2]).join("bin").join("python"));
    yaml.arg(folder().join("elasticsearch_yaml.py")).args([&url, ADMIN, PASSWORD]).arg(folder().join("yaml"));
    counted(&mut yaml, tally)?;
    let mut node = command("node");
    node.args(["--test", "--test-reporter=tap"]).arg(folder().join("elasticsearch_client.test.mjs"));
    node.env("WAXSEAL_URL", url).env("WAXSEAL_ADMIN", ADMIN).env("WAXSEAL_PASSWORD", PASSWORD);
    counted(&mut node, tally)
}

fn environment(generation: u32) -> PathBuf {
    target_dir().join("clients").join(format!("python-{generation}"))
}

fn folder() -> PathBuf {
    root().join("tests").join("clients")
}

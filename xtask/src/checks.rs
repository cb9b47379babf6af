//! Everything that can be said about the code without running it.

use crate::{
    Failure,
    cargo::cargo,
    command::{command, run},
    setup,
    steps::Steps,
};

/// How many steps [`all`] takes.
pub(crate) const COUNT: usize = 6;

/// `cargo xtask check [--advisories]`
pub(crate) fn run_alone(args: &[String]) -> Result<(), Failure> {
    let advisories = wants_advisories(args)?;
    let mut steps = Steps::new(COUNT);
    all(&mut steps, advisories);
    setup::tidy_tools()?;
    steps.summarise();
    if steps.failed() == 0 { Ok(()) } else { Err(Failure::new()) }
}

/// The only argument `check` and `test` take.
pub(crate) fn wants_advisories(args: &[String]) -> Result<bool, Failure> {
    match args {
        [] => Ok(false),
        [flag] if flag == "--advisories" => Ok(true),
        [other, ..] => Err(format!("unexpected argument: `{other}`")),
    }
}

/// Set-up and every check, the quick ones first.
pub(crate) fn all(steps: &mut Steps, advisories: bool) {
    steps.step("set-up: linker, Rust targets", || {
        setup::linker()?;
        setup::rust_target(setup::WASM)?;
        setup::rust_target(setup::BARE)
    });
    steps.step("fmt", || run(command("cargo").args(["fmt", "--all", "--check"])));
    steps.step("core without std", || {
        run(&mut cargo(&["build", "--package", "waxseal-core", "--all-features", "--target", setup::BARE]))
    });
    steps.step("clippy", || run(cargo(&["clippy", "--workspace", "--all-targets"]).args(["--", "--deny", "warnings"])));
    steps.step("rustdoc", || {
        // Asking for the examples too, of which there are none, makes cargo count the development dependencies in: their
        // features are then those that clippy has just checked everything with, and nothing is checked twice.
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--lib", "--examples"]);
        run(doc.env("RUSTDOCFLAGS", "--deny warnings"))
    });
    steps.step("deny: licences, sources, duplicates", || {
        let mut deny = command(setup::cargo_deny()?);
        deny.args(["--locked", "--all-features", "check", "bans", "licenses", "sources"]);
        run(if advisories { deny.arg("advisories") } else { &mut deny })
    });
}

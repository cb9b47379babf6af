//! The JavaScript package, tested where it runs: in the browsers, Node, Deno, Bun and workerd.

use crate::{
    Failure,
    cargo::cargo,
    command::{command, output, root, run},
    npm, serve, setup,
    steps::Steps,
    tally::Tally,
    test,
};
use std::{
    path::Path,
    path::PathBuf,
    process::Command,
    thread::{self, JoinHandle},
};

/// How many steps [`all`] takes.
pub(crate) const COUNT: usize = 5;

/// `cargo xtask js`
pub(crate) fn run_alone() -> Result<(), Failure> {
    let (mut steps, mut tally) = (Steps::new(COUNT + 1), Tally::default());
    if steps.step("build", test::build).is_some() {
        all(&mut steps, &mut tally);
    }
    steps.summarise();
    tally.failed = tally.failed.max(steps.failed());
    println!("\n{tally}");
    if tally.failed == 0 { Ok(()) } else { Err(Failure::new()) }
}

/// `cargo xtask bench js`
pub(crate) fn bench() -> Result<(), Failure> {
    let package = npm::build()?;
    setup::npm_install(&tests())?;
    install(&package)?;
    run(command("node").current_dir(tests()).arg("bench/run.mjs"))
}

/// `cargo xtask agree [NUMBER]`
pub(crate) fn agree(args: &[String]) -> Result<(), Failure> {
    let number = match args {
        [] => "1000000",
        [number] => number,
        [_, other, ..] => return Err(format!("unexpected argument: `{other}`")),
    };
    let server = serve::build()?;
    let package = npm::build()?;
    setup::npm_install(&tests())?;
    install(&package)?;
    run(command("node").current_dir(tests()).args(["agree.mjs", number]).env("WAXSEAL_BIN", server))
}

/// Package, lints and tests. The server has been built.
pub(crate) fn all(steps: &mut Steps, tally: &mut Tally) {
    let browsers = steps.step("set-up: browsers, runtimes, their drivers", set_up);
    steps.step("clippy: the faces for JavaScript", || {
        // Each alone, as each is built alone.
        for face in ["js", "kdf", "token", "edge"] {
            let mut clippy = cargo(&["clippy", "--package", "waxseal-wasm", "--features", face, "--target", setup::WASM]);
            if face == "js" {
                clippy.arg("--all-targets");
            }
            run(clippy.args(["--", "--deny", "warnings"]))?;
        }
        Ok(())
    });
    let package = steps.step("the JavaScript package", npm::build);
    if let Some(browsers) = &browsers {
        steps.step("the module in Node and the browsers", || {
            for place in [["--node"].as_slice(), &["--headless", "--chrome"], &["--headless", "--firefox"]] {
                test::counted(&mut browsers.wasm_pack(place)?, tally)?;
            }
            Ok(())
        });
    }
    if let (Some(browsers), Some(package)) = (browsers, package) {
        steps.step("the package in every runtime", || {
            install(&package)?;
            let mut node = command("node");
            node.current_dir(tests()).args(["--test", "--test-reporter=./reporter.mjs", "--test-concurrency=1"]);
            browsers.name(&mut node);
            node.env("WAXSEAL_BIN", test::server()).env("WAXSEAL_TGZ", npm::packed(&package));
            test::counted(&mut node, tally)
        });
    }
}

/// What drives the browsers.
struct Browsers {
    chromedriver: PathBuf,
    geckodriver: PathBuf,
    wasm_pack: PathBuf,
    bindgen: PathBuf,
}

impl Browsers {
    fn name(&self, command: &mut Command) {
        command.env("CHROMEDRIVER", &self.chromedriver).env("GECKODRIVER", &self.geckodriver);
    }

    /// `wasm-pack test` in one place.
    fn wasm_pack(&self, place: &[&str]) -> Result<Command, Failure> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // It looks for the drivers on the path only, whatever the environment names.
        let drivers = [&self.chromedriver, &self.geckodriver].into_iter().filter_map(|driver| driver.parent());
        let folders = [self.bindgen.as_path()].into_iter().chain(drivers).map(Path::to_path_buf);
        let folders = folders.chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).map_err(|error| format!("PATH: {error}"))?;
        let mut test = command(self.wasm_pack.join("wasm-pack"));
        test.args(["test", "--mode", "no-install"]).args(place).args(["wasm", "--features", "js", "--locked"]);
        self.name(&mut test);
        test.env("PATH", path);
        Ok(test)
    }
}

fn set_up() -> Result<Browsers, Failure> {
    setup::rust_target(setup::WASM)?;
    setup::node()?;
    let bindgen = setup::wasm_bindgen()?;
    let wasm_pack = wasm_pack()?;
    setup::browsers()?;
    if find("chromedriver").is_none() {
        setup::debian(&["chromium-driver"])?;
    }
    let chromedriver = find("chromedriver").ok_or("there is no chromedriver; install Chromium and its driver")?;
    let geckodriver = geckodriver()?;
    setup::tidy_tools()?;
    setup::npm_install(&tests())?;
    Ok(Browsers { chromedriver, geckodriver, wasm_pack, bindgen })
}

/// Builds the tools beside other work, which leaves much of a second core idle. What goes wrong is reported by whoever needs the tool.
pub(crate) fn build_tools_ahead() -> JoinHandle<()> {
    thread::spawn(|| {
        for tool in [setup::cargo_deny, setup::wasm_bindgen, wasm_pack, geckodriver] {
            drop(tool());
        }
    })
}

fn wasm_pack() -> Result<PathBuf, Failure> {
    setup::cargo_tool("wasm-pack", "0.15.1", "wasm-pack")
}

fn geckodriver() -> Result<PathBuf, Failure> {
    match find("geckodriver") {
        Some(driver) => Ok(driver),
        None => Ok(setup::cargo_tool("geckodriver", "0.37.1", "geckodriver")?.join("geckodriver")),
    }
}

/// Puts the packed package where the tests look for it, as a user would.
fn install(package: &Path) -> Result<(), Failure> {
    let file = npm::packed(package);
    let args = ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
    output(command("npm").current_dir(tests()).args(args).arg(file)).map(drop)
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn tests() -> PathBuf {
    root().join("tests").join("js")
}

//! How commands and the server end when somebody interrupts them, and what they leave behind.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};
use waxseal_tests::server::{Launch, binary, command, scratch};

/// Sends the signal when `after` has passed since the start, and waits for the end.
fn interrupted(mut child: Child, after: Duration, signal: Signal) -> ExitStatus {
    thread::sleep(after);
    // It may have ended already.
    let _ = kill_process(Pid::from_child(&child), signal);
    child.wait().unwrap()
}

fn pipe(at: PathBuf) -> PathBuf {
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&at).status().unwrap().success());
    at
}

fn trail(data: &Path) -> String {
    fs::read_to_string(data.join("audit.log")).unwrap()
}

/// Whatever it was doing then: a whole backup that the trail names, or nothing.
#[test]
fn a_backup_that_is_interrupted_leaves_nothing() {
    let (home, data) = scratch();
    Launch::on(&data).start().terminate();
    let into = home.path().join("backups");
    fs::create_dir(&into).unwrap();
    let (mut whole, mut none) = (0, 0);
    let signals = [Signal::INT, Signal::TERM, Signal::HUP];
    for (round, signal) in (0..40_u64).zip(signals.into_iter().cycle()) {
        let to = into.join(round.to_string());
        let args = ["backup", "--to", to.to_str().unwrap()];
        let started = command(&data, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        interrupted(started, Duration::from_millis(round * 3), signal);
        if to.exists() {
            whole += 1;
            assert!(trail(&data).contains(&format!("\"detail\":\"{}\"", to.display())), "{}", to.display());
        } else {
            none += 1;
        }
    }
    let left: Vec<_> = into.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), whole, "{left:?}");
    assert!(none > 0, "none was interrupted");
    assert!(command(&data, &["audit", "verify"]).output().unwrap().status.success());
}

/// As `nohup` has it, so that it is not ended with its terminal.
#[test]
fn a_backup_heeds_no_signal_that_is_ignored() {
    let (home, data) = scratch();
    Launch::on(&data).start().terminate();
    for round in 0..20_u64 {
        let to = home.path().join(round.to_string());
        let mut started = Command::new("nohup");
        started.arg(binary()).args(["backup", "--to"]).arg(&to).env("WAXSEAL_DATA", &data);
        let started = started.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let name = format!("/proc/{}/comm", started.id());
        while fs::read_to_string(&name).is_ok_and(|name| name != "waxseal\n") {
            thread::sleep(Duration::from_millis(1));
        }
        let status = interrupted(started, Duration::from_millis(round * 3), Signal::HUP);
        assert!(status.success() && to.exists(), "{round}: {status}");
    }
}

/// As `timeout` does, which signals the process and then its group.
#[test]
fn a_signal_that_comes_twice_ends_the_server_in_order() {
    let (_home, data) = scratch();
    let launch = Launch::on(&data);
    let server = launch.start();
    server.signal(Signal::TERM);
    assert!(server.terminate().success());
    launch.start().terminate();
    assert!(!trail(&data).contains("audit.unclean"), "{}", trail(&data));
}

/// Nobody may ever write into it.
#[test]
fn a_first_start_that_waits_for_its_password_heeds_its_signals() {
    let (home, data) = scratch();
    let pipe = pipe(home.path().join("password"));
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let mut starting = command(&data, &args).env("WAXSEAL_ADMIN_PASSWORD_FILE", &pipe).spawn().unwrap();
    // This waits until somebody has it open for reading.
    let _held = OpenOptions::new().write(true).open(&pipe).unwrap();
    kill_process(Pid::from_child(&starting), Signal::TERM).unwrap();
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = starting.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > Duration::from_secs(30) {
            starting.kill().unwrap();
            panic!("it hangs on");
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{status}");
    Launch::on(&data).start().terminate();
}

/// A script that keeps the help is to learn that there is none.
#[test]
fn help_that_cannot_be_written_is_a_failure() {
    let (_home, data) = scratch();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for args in [&["--help"][..], &["--version"], &["serve", "--help"]] {
        let ended = command(&data, args).stdout(full()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && said.contains("cannot write the output"), "{args:?}: {said}");
    }
}

/// A pipe would be waited for.
#[test]
fn a_backup_that_is_no_file_is_refused_at_once() {
    let (home, data) = scratch();
    let pipe = pipe(home.path().join("backup"));
    let ended = command(&data, &["restore", pipe.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(1) && said.contains("it is no regular file"), "{said}");
}

/// What lets no server start is found before somebody tries.
#[test]
fn what_stands_in_the_way_of_a_start_is_found() {
    let (home, data) = scratch();
    let launch = Launch::on(&data);
    launch.start().terminate();
    let doctor = || {
        let ended = command(&data, &["doctor"]).output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned())
    };
    assert_eq!(doctor().0, Some(0), "{}", doctor().1);
    for name in ["store.log", "audit.log"] {
        let (file, aside) = (data.join(name), home.path().join("aside"));
        fs::rename(&file, &aside).unwrap();
        symlink(home.path().join("none/at/all"), &file).unwrap();
        let (status, told) = doctor();
        assert!(status == Some(1) && told.contains(&format!("{name} is a link that leads nowhere")), "{told}");
        fs::remove_file(&file).unwrap();
        fs::rename(&aside, &file).unwrap();
    }
    fs::write(data.join("admin.sock"), "").unwrap();
    let (status, told) = doctor();
    assert!(status == Some(1) && told.contains("admin.sock is no socket"), "{told}");
    let why = launch.try_start().err().unwrap();
    assert!(why.contains("something else than a socket is there; move it away"), "{why}");
    fs::remove_file(data.join("admin.sock")).unwrap();
    launch.start().terminate();
}

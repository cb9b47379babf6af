//! Commands as scripts run them: exit statuses, what is asked of a server, and what is said.

use serde_json::Value;
use std::{
    fs,
    io::{BufReader, Read, Write},
    os::unix::{
        ffi::OsStringExt,
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Output, Stdio},
};
use waxseal_core::seam::{Method, Request};
use waxseal_tests::{
    client::basic,
    server::{ADMIN, Launch, binary, command, scratch},
    torture::api::authorize,
};

/// The exit status of a command on `data`, and what it says.
fn said(data: &Path, args: &[&str]) -> (Option<i32>, String) {
    told(&command(data, args).output().unwrap())
}

fn told(ended: &Output) -> (Option<i32>, String) {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (ended.status.code(), format!("{}{}", text(&ended.stdout), text(&ended.stderr)))
}

/// The same with `input` on standard input.
fn fed(data: &Path, args: &[&str], input: &[u8]) -> (Option<i32>, String) {
    let mut child =
        command(data, args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Whoever is refused at once does not read it.
    let _ = child.stdin.take().unwrap().write_all(input);
    told(&child.wait_with_output().unwrap())
}

/// The same on a terminal, where each of `lines` is typed when something is asked for.
fn typed(data: &Path, args: &str, lines: &[&[u8]]) -> (Option<i32>, String) {
    let line = format!("'{}' {args}", binary().display());
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("WAXSEAL_DATA", data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut screen = BufReader::new(child.stdout.take().unwrap()).bytes().map_while(Result::ok);
    let mut shown = Vec::new();
    for line in lines {
        shown.extend(screen.by_ref().take_while(|octet| *octet != b':'));
        keys.write_all(line).unwrap();
    }
    shown.extend(screen);
    (child.wait().unwrap().code(), String::from_utf8_lossy(&shown).into_owned())
}

/// A verdict that nobody reads is still the exit status: no check fails open.
#[test]
fn a_no_is_a_no_also_when_nobody_reads_it() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    let trail = home.path().join("trail");
    fs::write(&trail, "no record\n").unwrap();
    let trail = trail.to_str().unwrap();
    for args in [
        &["token", "verify", "abc"][..],
        &["token", "verify", "--live", "abc"],
        &["token", "explain", "abc"],
        &["token", "explain", "--json", "abc"],
        &["doctor", "--set", "server.tls_cert=/none", "--set", "server.tls_key=/none"],
        &["doctor", "--json", "--set", "server.tls_cert=/none", "--set", "server.tls_key=/none"],
        &["audit", "verify", "--json", trail],
    ] {
        let script = "{ sleep 0.3; \"$@\"; echo $? >&2; } | true";
        let ended = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(binary())
            .args(args)
            .env("WAXSEAL_DATA", &data)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(said.lines().last(), Some("1"), "{args:?}: {said}");
    }
    drop(server);
}

/// What is longer than any token is refused before a server is asked, and ends no batch.
#[test]
fn a_token_that_is_too_long_is_refused_as_such() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let long = "a".repeat(100_000);
    let lines = format!("{{\"token\":\"abc\"}}\n{{\"token\":\"{long}\"}}\n{{\"token\":\"abc\"}}\n");
    let (status, told) = fed(&data, &["token", "verify", "--batch", "--live"], lines.as_bytes());
    assert_eq!((status, told.as_str()), (Some(0), "reject malformed\nreject too_long\nreject malformed\n"));
    for args in [["token", "verify", "--live", "-"].as_slice(), &["token", "explain", "-"], &["token", "revoke", "-"]] {
        let (status, told) = fed(&data, args, long.as_bytes());
        assert!(status == Some(1) && told.contains("too_long"), "{args:?}: {told}");
    }
    drop(server);
}

/// Nobody sees what is typed: another password than that would shut its owner out (security P2).
#[test]
fn what_is_typed_is_the_password_or_refused() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let passwd = format!("user passwd {}", ADMIN.0);
    let good = "m\u{fc}ller is here\u{fc}\u{7f}\n".as_bytes();
    let long = [&[b'x'; 5000][..], b"\n"].concat();
    for (lines, expected, part) in [
        (&[good, good][..], 0, "has a new password"),
        (&[b"m\xfcller was here\n"], 1, "is not UTF-8"),
        (&[b"who was here, ren\xe9\n"], 1, "is not UTF-8"),
        (&[b"one\ttwo three four\n", b"one\ttwo three four\n"], 1, "control character"),
        (&[b"an arrow\x1b[D goes back\n", b"an arrow\x1b[D goes back\n"], 1, "control character"),
        (&[b"one two three four\n", b"one two three five\n"], 1, "differ"),
        (&[&long, &long], 1, "1024"),
        (&[b"\n"], 1, "is empty"),
        (&[b"one two\x03"], 130, ""),
        (&[b"one two three four\n", b"\x03"], 130, ""),
        (&[b"\x04"], 1, "cannot ask"),
    ] {
        let (status, shown) = typed(&data, &passwd, lines);
        assert!(status == Some(expected) && shown.contains(part), "{lines:?}: {status:?} {shown}");
        assert!(!shown.contains("one two") && !shown.contains(" is her"), "{shown}");
    }
    assert_eq!(server.send(&authorize(ADMIN.0, "m\u{fc}ller is here")).status, 200);
}

#[test]
fn a_password_in_the_environment_that_is_no_text_is_refused() {
    let (_home, data) = scratch();
    let password = std::ffi::OsString::from_vec(b"Grey-Heron 27 l\xffntern".to_vec());
    let mut serve = command(&data, &["serve", "--listen", "127.0.0.1:0"]);
    let (status, told) = self::told(&serve.env("WAXSEAL_ADMIN_PASSWORD", password).output().unwrap());
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("WAXSEAL_ADMIN_PASSWORD is not UTF-8") && !told.contains("Password:"), "{told}");
}

#[test]
fn a_reload_says_what_counts_and_what_waits() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    fs::write(data.join("waxseal.toml"), "leeway = 7\n[server]\ntrusted_proxies = [\"192.0.2.1\"]\n").unwrap();
    let (status, told) = said(&data, &["reload"]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("in force: leeway ") && told.contains("waits for a restart: server.trusted_proxies"), "{told}");
    fs::write(data.join("waxseal.toml"), "leeway = x\n").unwrap();
    assert_eq!(said(&data, &["reload"]).0, Some(1));
    assert!(crate::first_start::logs(&server, "not everything could be reloaded"), "{}", server.log());
}

#[test]
fn a_server_whose_socket_is_gone_still_runs() {
    let (home, data) = scratch();
    assert_eq!(said(&data, &["init"]).0, Some(0));
    let (status, told) = said(&data, &["reload"]);
    assert!(status == Some(1) && told.contains("no server runs on this data"), "{told}");
    let server = Launch::on(&data).start();
    fs::rename(data.join("admin.sock"), home.path().join("aside")).unwrap();
    for command in ["reload", "doctor"] {
        let (status, told) = said(&data, &[command]);
        assert!(status == Some(1) && told.contains("does not answer on its administration socket"), "{told}");
    }
    server.terminate();
    let (status, told) = said(&data, &["reload"]);
    assert!(status == Some(1) && told.contains("no server runs on this data"), "{told}");
}

/// Whoever mends one is not told of the next only then.
#[test]
fn a_check_names_all_that_is_wrong_with_files() {
    let (home, data) = scratch();
    let file = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    let (certificate, key) = (file("cert.pem"), file("key.pem"));
    fs::write(&certificate, made.cert.pem().split_at(200).0).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let zeros = "0".repeat(64);
    for (cert, key, wrong_cert, wrong_key) in [
        ("/none1", "/none2", "cannot read `/none1`: No such file", "cannot read `/none2`: No such file"),
        (certificate.as_str(), key.as_str(), "it is cut off", "has mode 0640"),
    ] {
        let stated = [
            ("server.tls_cert", cert, wrong_cert),
            ("server.tls_key", key, wrong_key),
            ("server.tls_client_ca", "/none3", "cannot read `/none3`: No such file"),
            ("engine.module", "/none4", "`/none4`: "),
        ];
        let settings: Vec<String> = stated.iter().map(|(setting, value, _)| format!("--set={setting}={value}")).collect();
        for command in [&["config", "check"][..], &["serve"]] {
            let mut args = command.to_vec();
            args.extend(settings.iter().map(String::as_str));
            let module = format!("--set=engine.module_sha256={zeros}");
            args.push(&module);
            let (status, told) = said(&data, &args);
            assert!(status == Some(2) && told.lines().count() == stated.len() && !told.contains("[67"), "{told}");
            for (line, (setting, _, part)) in told.lines().zip(&stated) {
                assert!(line.starts_with(&format!("waxseal: {setting}")) && line.contains(part), "{told}");
            }
        }
    }
}

/// Whoever restarts after it would be left without a server.
#[test]
fn a_reload_looks_at_the_certificate_that_waits() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| home.path().join(name));
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(data.join("waxseal.toml"), format!("[server]\ntls_cert = {certificate:?}\ntls_key = {key:?}\n")).unwrap();
    let waits = "waits for a restart: server.tls_cert, server.tls_key";
    let (status, told) = said(&data, &["reload"]);
    assert!(status == Some(1) && told.contains("the next start would refuse: ") && told.contains("cert.pem"), "{told}");
    assert!(told.contains(waits), "{told}");
    fs::write(&certificate, made.cert.pem()).unwrap();
    let (status, told) = said(&data, &["reload"]);
    assert!(status == Some(0) && !told.contains("would refuse") && told.contains(waits), "{told}");
    drop(server);
}

/// As a shell makes one of what another program prints: it could not be read again at a reload.
#[test]
fn a_key_in_a_pipe_is_refused_at_once() {
    let (home, data) = scratch();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| home.path().join(name));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&key).status().unwrap().success());
    let set =
        [("tls_cert", &certificate), ("tls_key", &key)].map(|(name, path)| format!("server.{name}={}", path.display()));
    for command in [&["config", "check"][..], &["serve"]] {
        let mut ended = Command::new("timeout");
        ended.arg("60").arg(binary()).args(command).args(["--set", &set[0], "--set", &set[1]]).env("WAXSEAL_DATA", &data);
        let (status, told) = told(&ended.output().unwrap());
        assert!(status == Some(2) && told.contains("server.tls_key") && told.contains("is no regular file"), "{told}");
    }
}

/// Nothing of it counts before the restart.
#[test]
fn a_reload_does_not_wait_for_what_waits_for_a_restart() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| home.path().join(name));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&key).status().unwrap().success());
    let tls = format!("leeway = 7\n[server]\ntls_cert = {certificate:?}\ntls_key = {key:?}\n");
    fs::write(data.join("waxseal.toml"), tls).unwrap();
    let ended = Command::new("timeout").arg("60").arg(binary()).arg("reload").env("WAXSEAL_DATA", &data).output().unwrap();
    let (status, told) = told(&ended);
    assert!(status == Some(1) && told.contains("key.pem`: it is no regular file"), "{told}");
    assert!(told.contains("in force: leeway 0 -> 7"), "{told}");
    drop(server);
}

/// Whoever mends the one and restarts would be left without a server by the other.
#[test]
fn a_reload_that_fails_names_what_waits_all_the_same() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let tls = "[server]\ntls_cert = \"/none.pem\"\ntls_key = \"/none.key\"\n";
    let module = format!("[engine]\nmodule = \"/none.module\"\nmodule_sha256 = \"{}\"\n", "0".repeat(64));
    fs::write(data.join("waxseal.toml"), format!("leeway = 7\n{tls}{module}")).unwrap();
    let (status, told) = said(&data, &["reload"]);
    assert!(status == Some(1) && told.contains("engine.module: `/none.module`"), "{told}");
    assert!(told.contains("the next start would refuse: ") && told.contains("/none.pem"), "{told}");
    assert!(told.contains("waits for a restart: server.tls_cert, server.tls_key"), "{told}");
    assert!(!told.contains("in force"), "{told}");
    drop(server);
}

/// What is wrong with one part says nothing of the rest, which is in force.
#[test]
fn a_reload_that_fails_in_part_says_what_counts_all_the_same() {
    let (home, data) = scratch();
    let file = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    let (certificate, key) = (file("cert.pem"), file("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let server = Launch::on(&data).set("server.tls_cert", &certificate).set("server.tls_key", &key).start();
    fs::write(&certificate, "none").unwrap();
    fs::write(data.join("waxseal.toml"), "leeway = 7\n[log]\nfilter = \"debug\"\n").unwrap();
    let (status, told) = said(&data, &["reload"]);
    assert!(status == Some(1) && told.contains("cert.pem") && !told.contains("reloaded"), "{told}");
    assert!(told.contains("in force: leeway 0 -> 7") && told.contains("waits for a restart: log.filter"), "{told}");
    drop(server);
}

/// Told that it has ended, it would live on, and stand in the trail. The server's end looks for it there.
#[test]
fn a_token_is_not_revoked_as_an_id() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let made = Request::new(Method::Post, "/broker/rest/user/authorizations")
        .with_header("accept", "application/json")
        .with_header("authorization", &basic(ADMIN.0, ADMIN.1));
    let token = server.send(&made).json().unwrap()["data"]["token"].as_str().unwrap().to_owned();
    let (status, told) = said(&data, &["token", "revoke", "--jti", &token]);
    assert!(status == Some(2) && told.contains("leave out `--jti`"), "{told}");
    assert_eq!(said(&data, &["token", "verify", "--live", &token]).0, Some(0));
    assert_eq!(said(&data, &["token", "revoke", &token]).0, Some(0));
    assert_eq!(said(&data, &["token", "verify", "--live", &token]).0, Some(1));
}

/// Only the one that is asked goes by its own settings.
#[test]
fn settings_that_count_are_not_said_to_count_for_nothing() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let (_, token) = said(&data, &["token", "issue", "admin"]);
    let verify =
        |more: &[&str]| said(&data, &[&["token", "verify", "--set", "issuer=other", token.trim_end()], more].concat());
    assert_eq!(verify(&[]), (Some(1), "reject wrong_issuer\n".into()));
    let (status, told) = verify(&["--live"]);
    assert!(status == Some(0) && told.contains("--set changes nothing there"), "{told}");
    drop(server);
}

/// A command's refusal names what this command line can do.
#[test]
fn a_key_that_waits_can_be_let_sign_before_another_is_imported() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    let other = home.path().join("other.json");
    assert_eq!(said(&data, &["key", "rotate", "--algorithm", "ES256", "--end-tokens"]).0, Some(0));
    let (_, exported) = said(&data, &["key", "export", "--secret"]);
    fs::write(&other, exported).unwrap();
    assert_eq!(said(&data, &["key", "rotate", "--algorithm", "ES256", "--end-tokens"]).0, Some(0));
    assert_eq!(said(&data, &["key", "rotate"]).0, Some(0));
    let import = || said(&data, &["key", "import", "--sign", other.to_str().unwrap()]);
    let (status, told) = import();
    assert!(status == Some(1) && told.contains("first: `waxseal key rotate --at-once`"), "{told}");
    assert_eq!(said(&data, &["key", "rotate", "--at-once"]).0, Some(0));
    assert_eq!(import().0, Some(0));
    drop(server);
}

/// Whoever checks tokens takes no secret away, as far as that can be, and a stopped server's trail says nothing of that.
#[test]
fn a_check_is_no_export() {
    let (_home, data) = scratch();
    let trail = || fs::read_to_string(data.join("audit.log")).unwrap();
    let launch = Launch::on(&data);
    launch.start().terminate();
    let (_, token) = said(&data, &["token", "issue", "admin"]);
    let before = trail();
    assert_eq!(said(&data, &["token", "verify", token.trim_end()]), (Some(0), "accept\n".into()));
    assert_eq!(trail(), before);

    let server = launch.start();
    said(&data, &["key", "rotate", "--algorithm", "ES256", "--end-tokens"]);
    let (_, token) = said(&data, &["token", "issue", "admin"]);
    assert_eq!(said(&data, &["token", "verify", token.trim_end()]), (Some(0), "accept\n".into()));
    assert!(!trail().contains("key.export"), "{}", trail());
    drop(server);
}

/// As in `docs/keys.md`.
#[test]
fn a_snapshot_of_another_issuer_is_told_from_a_wrong_one() {
    let (home, data) = scratch();
    let issuer = "issuer=https://auth.example.com";
    let server = Launch::on(&data).set("issuer", "https://auth.example.com").set("signing_algorithm", "ES256").start();
    let get = |path: &str| server.send(&waxseal_core::seam::Request::new(waxseal_core::seam::Method::Get, path)).body;
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (keys, snapshot) = (at("keys.json"), at("snapshot.jwt"));
    fs::write(&keys, get("/.well-known/jwks.json")).unwrap();
    fs::write(&snapshot, get("/auth/revocations")).unwrap();
    let (_, issued) = said(&data, &["token", "issue", "admin", "--json"]);
    let issued: Value = serde_json::from_str(&issued).unwrap();
    let token = issued["access_token"].as_str().unwrap();
    let args = ["token", "verify", "--jwks", &keys, "--revocations", &snapshot, token];
    let (status, told) = said(&data, &args);
    assert!(status == Some(1) && told.contains("expected is `waxseal`"), "{told}");
    assert_eq!(said(&data, &[&args[..], &["--set", issuer]].concat()), (Some(0), "accept\n".into()));
}

/// What went wrong is said as it was asked, with what to do.
#[test]
fn messages_name_what_was_given() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    assert!(said(&data, &["init"]).1.contains("from the next reload"));
    let (status, told) = said(&data, &["user", "show", "77"]);
    assert!(status == Some(1) && told.contains("`name:77`"), "{told}");
    let (status, told) = said(&data, &["user", "show", &"x".repeat(100_000)]);
    assert!(status == Some(1) && told.contains("too long"), "{told}");
    for (args, part) in [
        (&["backup", "--to", "-"][..], "not to standard output"),
        (&["module", "export", "--to", "-"], "not to standard output"),
        (&["config", "show", "--set", "=1"], "the name of a setting is missing"),
        (&["user", "add", "ada", "--role", "king"], "db_viewer"),
        (&[], "Usage: waxseal"),
        (&["user"], "Usage: waxseal user"),
        (&["user", "--set", "leeway=1"], "Usage: waxseal user"),
    ] {
        let (status, told) = said(&data, args);
        assert!(status == Some(2) && told.contains(part), "{args:?}: {told}");
    }
    let hash = "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let (status, told) = fed(&data, &["user", "add", "ada", "--password-hash-file", "-"], hash.as_bytes());
    assert_eq!(status, Some(0), "{told}");
    let (status, told) = fed(&data, &["restore", "/dev/stdin", "--data", home.path().join("new").to_str().unwrap()], b"x");
    assert!(status == Some(1) && told.contains("no regular file"), "{told}");
    for n in 0..20 {
        let (status, told) =
            fed(&data, &["user", "passwd", "ada", "--add", "--password-stdin"], format!("Grey-Heron {n}").as_bytes());
        if status != Some(0) {
            assert!(told.contains("`waxseal user passwd ada` without --add replaces all of them"), "{told}");
            return drop(server);
        }
    }
    panic!("there is no end of passwords");
}

/// The running server is the last that has the root key then: a backup is the one way to save it (security S3).
#[test]
fn a_root_key_that_is_lost_under_a_server_is_in_its_backup() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    let key = data.join("root.key");
    let other = home.path().join("other");
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(said(&other, &["init"]).0, Some(0));
    assert_eq!(said(&data, &["doctor"]).0, Some(0));
    for name in ["replaced", "deleted"] {
        match name {
            "replaced" => fs::copy(other.join("root.key"), &key).map(drop),
            _ => fs::remove_file(&key),
        }
        .unwrap();
        let (status, told) = said(&data, &["doctor"]);
        assert!(status == Some(1) && told.contains("make a backup before you stop it"), "{name}: {told}");
        let (status, told) = said(&data, &["backup", "--to", &at(name)]);
        assert!(status == Some(0) && told.contains("root.key` is not the root key that the server runs with"), "{told}");
        let restored = home.path().join("restored").join(name);
        assert_eq!(said(&restored, &["restore", &at(name)]).0, Some(0));
        assert_eq!(said(&restored, &["doctor"]).0, Some(0), "{name}");
        let (status, told) = said(&restored, &["key", "list"]);
        assert!(status == Some(0) && told.contains(" signs "), "{name}: {told}");
    }
    drop(server);
}

/// A start would be refused, and nobody had been told.
#[test]
fn what_the_user_cannot_write_is_found_before_a_start() {
    const NOBODY: u32 = 65_534;
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    server.terminate();
    // Root may write everything, so the check runs as another user, with a copy of the program where that one gets to it.
    let copy = home.path().join("waxseal");
    let files = ["store.redb", "store.log", "audit.log", "audit.log.head", "root.key", "."].map(|name| data.join(name));
    let is_root = files.iter().all(|file| chown(file, Some(NOBODY), Some(NOBODY)).is_ok());
    if is_root {
        chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        fs::copy(binary(), &copy).unwrap();
    }
    let said = |args: &[&str]| {
        let mut command = command(&data, args);
        if is_root {
            command = Command::new(&copy);
            command.args(args).env("WAXSEAL_DATA", &data).uid(NOBODY).gid(NOBODY);
        }
        told(&command.output().unwrap())
    };
    assert_eq!(said(&["doctor"]).0, Some(0), "{}", said(&["doctor"]).1);
    for (name, denied, usual) in [
        ("", 0o500, 0o700),
        ("store.redb", 0o400, 0o600),
        ("store.log", 0o400, 0o600),
        ("audit.log", 0o400, 0o600),
        ("audit.log.head", 0o400, 0o600),
    ] {
        let file = data.join(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(denied)).unwrap();
        let (status, found) = said(&["doctor"]);
        let part = format!("cannot start a server here: {}", file.display());
        assert!(status == Some(1) && found.contains(part.trim_end_matches('/')), "{name}: {found}");
        let (status, refused) = said(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(status == Some(1) && refused.contains(name), "{name}: {refused}");
        fs::set_permissions(&file, fs::Permissions::from_mode(usual)).unwrap();
    }
    assert_eq!(said(&["doctor"]).0, Some(0), "{}", said(&["doctor"]).1);
}

/// What is acknowledged then is in no file that a start finds: it has to be said while a backup still helps (security S1).
#[test]
fn a_store_that_is_lost_under_a_server_is_told_and_can_be_saved() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    let (backup, restored) = (home.path().join("backup"), home.path().join("restored"));
    fs::remove_file(data.join("store.log")).unwrap();
    let (status, told) = said(&data, &["doctor"]);
    assert!(status == Some(1) && told.contains("store.log` was moved") && told.contains("restart the server"), "{told}");
    fs::remove_file(data.join("store.redb")).unwrap();
    let (status, told) = said(&data, &["doctor"]);
    assert!(status == Some(1) && told.contains("store.redb` was moved, deleted or replaced"), "{told}");
    assert!(told.contains("lost when it stops, unless that file is kept"), "{told}");
    assert!(told.contains("make a backup before you stop it"), "{told}");
    let added = fed(&data, &["user", "add", "ada", "--password-stdin"], b"Grey-Heron 28");
    assert_eq!(added.0, Some(0), "{}", added.1);
    let (status, told) = said(&data, &["backup", "--to", backup.to_str().unwrap()]);
    assert!(status == Some(0) && told.contains("store.redb` was moved, deleted or replaced"), "{told}");
    assert_eq!(said(&restored, &["restore", backup.to_str().unwrap()]).0, Some(0));
    assert_eq!(said(&restored, &["user", "show", "ada"]).0, Some(0));
    drop(server);
}

/// A limit on the sizes of files ends no command in the middle of its work.
#[test]
fn a_limit_on_files_kills_no_command() {
    let (_home, data) = scratch();
    Launch::on(&data).start().terminate();
    let script = "ulimit -f 100; printf 'Grey-Heron 28' | \"$0\" user add ada --password-stdin";
    let ended = Command::new("sh").args(["-c", script]).arg(binary()).env("WAXSEAL_DATA", &data).output().unwrap();
    let (status, told) = told(&ended);
    assert!(matches!(status, Some(0 | 1)) && !told.is_empty(), "{status:?}: {told}");
    assert_eq!(said(&data, &["user", "show", "ada"]).0, status, "what is said holds");
}

/// The advice hangs on a word that wasmtime says. What is limited are addresses, of which a start takes many and no memory.
#[test]
fn a_limit_on_addresses_is_told_with_what_helps() {
    let (_home, data) = scratch();
    let script = "ulimit -v 8000000; \"$0\" serve --listen 127.0.0.1:0";
    let ended = Command::new("sh").args(["-c", script]).arg(binary()).env("WAXSEAL_DATA", &data).output().unwrap();
    let (status, told) = told(&ended);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("`ulimit -v`") && told.contains("set `engine.api` and `engine.hot` to \"native\""), "{told}");
}

/// Tokens are made by strangers, and one refresh token in 64 begins with a hyphen: none is taken for an option of ours.
#[test]
fn a_token_or_a_name_is_no_option() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    for token in ["-hxyz", "-QTFpAIn960vS", "--jwks=/none", "-"] {
        for args in [
            &["token", "verify", "--", token][..],
            &["token", "verify", "--live", "--", token],
            &["token", "explain", "--", token],
        ] {
            let (status, told) = fed(&data, args, b"none");
            assert_eq!(status, Some(1), "{args:?}: {told}");
        }
    }
    for token in ["-hxyz", "-QTFpAIn960vS"] {
        for args in [["token", "verify", token], ["token", "explain", token]] {
            assert_eq!(said(&data, &args).0, Some(1), "{args:?}");
        }
        let (status, told) = said(&data, &["token", "revoke", token]);
        assert!(status == Some(1) && !told.contains("Usage"), "{told}");
    }
    assert_eq!(said(&data, &["token", "verify", "--", "--help"]).0, Some(1));
    for args in [
        &["user", "add", "-hello", "--password-stdin"][..],
        &["user", "show", "-hello"],
        &["user", "set", "-hello", "--name", "-dash"],
        &["user", "disable", "-dash"],
    ] {
        let (status, told) = fed(&data, args, b"a password");
        assert_eq!(status, Some(0), "{args:?}: {told}");
    }
    assert!(said(&data, &["user", "show", "-dash"]).1.contains("disabled"));
    server.terminate();
}

/// A volume may be missing that the configuration lies on: the defaults are not what was meant.
#[test]
fn a_configuration_that_leads_nowhere_is_not_none() {
    let (home, data) = scratch();
    fs::create_dir(&data).unwrap();
    std::os::unix::fs::symlink(home.path().join("none/waxseal.toml"), data.join("waxseal.toml")).unwrap();
    for args in [&["config", "check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let (status, told) = said(&data, args);
        assert!(status == Some(2) && told.contains("waxseal.toml"), "{args:?}: {told}");
    }
    assert!(!data.join("store.redb").exists());
}

/// What is made half would be in force, and in the way of the next try.
#[test]
fn what_cannot_be_made_whole_leaves_no_configuration() {
    let (_home, data) = scratch();
    Launch::on(&data).start().terminate();
    fs::remove_file(data.join("root.key")).unwrap();
    let (status, told) = said(&data, &["init"]);
    assert!(status == Some(1) && told.contains("root"), "{told}");
    assert!(!data.join("waxseal.toml").exists());
}

/// Nobody has used yet what an earlier try has left.
#[test]
fn an_init_that_failed_halfway_is_begun_again() {
    let (home, data) = scratch();
    let nowhere = home.path().join("none/waxseal.toml");
    let (status, told) = said(&data, &["init", "--config", nowhere.to_str().unwrap()]);
    assert!(status == Some(1) && data.join("root.key").exists(), "{told}");
    let (status, told) = said(&data, &["init"]);
    assert!(status == Some(0) && told.contains("Next:") && !told.contains("in use already"), "{told}");
}

/// A prompt that somebody has left open.
#[test]
fn who_is_asked_for_a_password_keeps_no_server_from_starting() {
    let (_home, data) = scratch();
    Launch::on(&data).start().terminate();
    for args in [["user", "add", "zed", "--password-stdin"], ["user", "passwd", "admin", "--password-stdin"]] {
        let mut asking = command(&data, &args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(core::time::Duration::from_millis(500));
        let server = Launch::on(&data).start();
        asking.stdin.take().unwrap().write_all(b"another password\n").unwrap();
        assert!(asking.wait_with_output().unwrap().status.success(), "{args:?}");
        server.terminate();
    }
}

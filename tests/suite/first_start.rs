//! The first minute with the server: what it prints works as printed, and is still there after a crash (security P10).

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    process::{Pid, Signal, kill_process},
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};
use waxseal_core::seam::{Method, Request};
use waxseal_tests::{
    server::{ADMIN, Launch, Server, binary, command, scratch},
    torture::{api::authorize, load::other_module},
};

#[test]
fn the_printed_lines_work_as_printed_and_the_secret_is_shown_once() {
    let (_home, data) = scratch();
    let launch = Launch::on(&data).without("WAXSEAL_ADMIN_NAME").without("WAXSEAL_ADMIN_PASSWORD");
    let server = launch.start();
    let shown = server.until("new_password");
    let password = shown.lines().find_map(|line| line.strip_prefix("Password:")).unwrap();
    let password = password.split_whitespace().next().unwrap().to_owned();
    let lines: Vec<&str> = shown.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(lines.len(), 3, "{shown}");

    let said = Command::new("sh").args(["-euc", &lines.join("\n")]).output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout);
    let statuses: Vec<&str> = said.lines().filter(|line| line.starts_with("HTTP/")).collect();
    assert!(statuses[0].contains(" 204 ") && statuses[1].contains(" 200 "), "{said}");
    assert!(said.contains("x-auth-user: admin"), "{said}");
    server.kill();

    let server = launch.start();
    let second = shown.split("\"new_password\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_ne!(password, second);
    for password in [password.as_str(), second] {
        let login = Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-u", &format!("admin:{password}")])
            .arg(format!("http://{}/v1/users/authorize", server.address))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&login.stdout), "200");
    }
    assert!(!server.out().contains("Password:") && !server.out().contains(&password));
    assert!(!server.log().contains(&password));
}

#[test]
fn a_password_is_read_from_standard_input() {
    let (home, data) = scratch();
    let server = Launch::on(&data).start();
    let (first, other) = (home.path().join("first"), home.path().join("other"));
    fs::write(&first, "a first password\n").unwrap();
    fs::write(&other, "another password\n").unwrap();
    for (args, file) in [(&["--password-stdin"][..], &first), (&["--password-file", "-"], &other)] {
        let name = file.file_name().unwrap().to_str().unwrap();
        let input = fs::File::open(file).unwrap();
        let said = command(&data, &[&["user", "add", name], args].concat()).stdin(input).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let password = fs::read_to_string(file).unwrap();
        assert_eq!(server.send(&authorize(name, password.trim_end())).status, 200, "{name}");
    }
}

#[test]
fn the_page_is_served() {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    let page = server.send(&Request::new(Method::Get, "/").with_header("accept", "text/html"));
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").is_some_and(|media| media.starts_with("text/html")));
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
}

/// One line says which setting, what was found and what is allowed; nothing is made.
#[test]
fn a_wrong_setting_ends_the_start_with_status_2() {
    for (setting, part) in [
        ("redis.ttl.max=90000", "redis.ttl.max (--set redis.ttl.max): found `90000`, allowed is 1 to 86400 seconds"),
        ("server.listn=1", "did you mean `server.listen`?"),
        ("elasticsearch.token_timeout=0", "allowed is 1 to 3600 seconds"),
        ("server.listen=0.0.0.0:0", "allowed is a loopback address as long as this is plain HTTP"),
    ] {
        let (home, data) = scratch();
        let ended = command(&data, &["serve", "--set", setting]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{setting}: {said}");
        assert_eq!(said.lines().count(), 1, "{setting}: {said}");
        assert!(said.contains(part), "{setting}: {said}");
        assert_eq!(home.path().read_dir().unwrap().count(), 0, "{setting}: something was made");
    }
}

/// Damage is never repaired in silence: the start is refused with what to do (security S1, S3).
#[test]
fn a_damaged_store_or_an_open_key_refuses_the_start() {
    let (_home, data) = scratch();
    let launch = Launch::on(&data);
    launch.start().terminate();

    let key = data.join("root.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let why = launch.try_start().err().unwrap();
    assert!(why.contains("chmod 600"), "{why}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let store = data.join("store.redb");
    let whole = fs::read(&store).unwrap();
    let mut damaged = whole.clone();
    for octet in damaged.iter_mut().skip(4096) {
        *octet ^= 0x55;
    }
    fs::write(&store, &damaged).unwrap();
    let why = launch.try_start().err().unwrap();
    assert!(why.contains("restore"), "{why}");
    assert_eq!(fs::read(&store).unwrap(), damaged, "the evidence is left as it is");

    fs::write(&store, whole).unwrap();
    launch.start().terminate();
}

/// The exit status of a command on `data`, and what it says.
fn said(data: &Path, args: &[&str]) -> (Option<i32>, String) {
    let ended = command(data, args).output().unwrap();
    (ended.status.code(), format!("{}{}", text(&ended.stdout), text(&ended.stderr)))
}

/// Whether the server's log, which another thread collects, comes to hold `text`.
pub(crate) fn logs(server: &waxseal_tests::server::Server, text: &str) -> bool {
    soon(|| server.log().contains(text))
}

/// Whether it holds within ten seconds.
fn soon(mut holds: impl FnMut() -> bool) -> bool {
    (0..500).any(|_| {
        let now = holds();
        if !now {
            std::thread::sleep(core::time::Duration::from_millis(20));
        }
        now
    })
}

fn shell(data: &Path, script: &str) -> Output {
    let script = format!("set -- {}; W=$1; {script}", waxseal_tests::server::binary().display());
    Command::new("sh").args(["-c", &script]).env("WAXSEAL_DATA", data).output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A password that is shown once is not shown to nobody: what can fail comes first (security P10).
#[test]
fn a_start_that_fails_makes_no_administrator() {
    let (home, data) = scratch();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ended = command(&data, &["serve", "--listen", &address.to_string()]).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains("cannot listen on"), "{}", text(&ended.stderr));
    let none = home.path().join("none.pem");
    let tls = |name: &str| format!("server.{name}={}", none.display());
    let ended = command(&data, &["serve", "--set", &tls("tls_cert"), "--set", &tls("tls_key")]).output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "as for every wrong setting");
    assert!(text(&ended.stdout).is_empty(), "{}", text(&ended.stdout));

    let server = Launch::on(&data).without("WAXSEAL_ADMIN_NAME").without("WAXSEAL_ADMIN_PASSWORD").start();
    let shown = server.until("Password:");
    assert!(shown.contains("First administrator: admin"), "{shown}");
}

/// What a start has left that failed has no user, and the first of them is made by a start that does not.
#[test]
fn nobody_comes_before_the_first_administrator() {
    let (home, data) = scratch();
    let other = home.path().join("other");
    fs::write(&other, "a much longer passphrase\n").unwrap();
    let launch = Launch::on(&data).set("passwords.policy", "nist");
    let why = launch.without("WAXSEAL_ADMIN_PASSWORD").env("WAXSEAL_ADMIN_PASSWORD", "short").try_start().err().unwrap();
    assert!(why.contains("cannot be made"), "{why}");
    let add = ["user", "add", "boss", "--role", "admin", "--password-file", other.to_str().unwrap()];
    let (status, told) = said(&data, &add);
    assert!(status == Some(1) && told.contains("`waxseal serve`"), "{told}");
    let (status, told) = said(&data, &["doctor"]);
    assert!(status == Some(1) && told.contains("the next `waxseal serve` makes an administrator and a key"), "{told}");

    let server = Launch::on(&data).start();
    assert_eq!(said(&data, &add).0, Some(0));
    assert_eq!(server.send(&authorize("boss", "a much longer passphrase")).status, 200);
    assert_eq!(server.send(&authorize(ADMIN.0, ADMIN.1)).status, 200);
}

#[test]
fn a_password_that_cannot_be_printed_goes_to_standard_error() {
    for out in [">&-", ">/dev/full", ">/dev/null"] {
        let (_home, data) = scratch();
        let script = format!(
            "timeout 60 \"$W\" serve --listen 127.0.0.1:0 2>\"$WAXSEAL_DATA.err\" {out} & P=$!; \
             for i in $(seq 600); do grep -q Password: \"$WAXSEAL_DATA.err\" && break; sleep 0.1; done; kill $P; wait $P"
        );
        shell(&data, &script);
        let said = fs::read_to_string(data.with_extension("err")).unwrap();
        assert!(said.contains("Password:            Wx7-"), "{out}: {said}");
    }
    let (_home, data) = scratch();
    let ended = shell(&data, "timeout 60 \"$W\" serve --listen 127.0.0.1:0 >/dev/full 2>/dev/full");
    assert_eq!(ended.status.code(), Some(1), "nobody would ever see it");

    let (_home, data) = scratch();
    for nowhere in [">/dev/null 2>&1", ">&- 2>&-"] {
        let ended = shell(&data, &format!("timeout 20 \"$W\" serve --listen 127.0.0.1:0 {nowhere}"));
        assert_eq!(ended.status.code(), Some(1), "{nowhere}: nobody would ever see it");
    }
    let server = Launch::on(&data).without("WAXSEAL_ADMIN_NAME").without("WAXSEAL_ADMIN_PASSWORD").start();
    server.until("Password:            Wx7-");
}

/// The log may be on a disk that is full.
#[test]
fn a_log_that_cannot_be_written_ends_no_server() {
    let (_home, data) = scratch();
    let script = "timeout 60 \"$W\" serve --listen 127.0.0.1:0 --set log.filter=trace >\"$WAXSEAL_DATA.out\" 2>/dev/full & P=$!; \
                  for i in $(seq 600); do grep -q Password: \"$WAXSEAL_DATA.out\" && break; sleep 0.1; done; \
                  \"$W\" user list; R=$?; kill $P; wait $P; exit $R";
    assert_eq!(shell(&data, script).status.code(), Some(0));
}

/// A store that is gone is not replaced by an empty one, and what may be missing is said (security S1).
#[test]
fn a_lost_store_is_not_replaced_in_silence() {
    let (home, data) = scratch();
    let launch = Launch::on(&data);
    launch.start().terminate();
    let (store, log, trail) = (data.join("store.redb"), data.join("store.log"), data.join("audit.log"));
    let aside = home.path().join("aside");
    fs::rename(&store, &aside).unwrap();
    for gone in [&[][..], &[&trail], &[&log], &[&log, &trail]] {
        for file in gone {
            fs::rename(file, home.path().join(file.file_name().unwrap())).unwrap();
        }
        let why = launch.try_start().err().unwrap();
        assert!(why.contains("exit status: 1") && why.contains("waxseal restore") && why.contains("is missing"), "{why}");
        let told = command(&data, &["user", "list"]).output().unwrap();
        assert!(text(&told.stderr).contains("is missing"), "{}", text(&told.stderr));
        let (status, told) = said(&data, &["init"]);
        assert!(status == Some(1) && told.contains("waxseal restore"), "{told}");
        assert!(!store.exists() && !data.join("waxseal.toml").exists());
        for file in gone {
            fs::rename(home.path().join(file.file_name().unwrap()), file).unwrap();
        }
    }

    fs::rename(&aside, &store).unwrap();
    fs::remove_file(&log).unwrap();
    let server = launch.start();
    assert!(logs(&server, "store.log, is missing"), "{}", server.log());
    server.terminate();
    let server = launch.start();
    assert!(!server.log().contains("is missing"), "{}", server.log());
}

/// Nothing in the data directory of a stopped server changes when it is looked over.
#[test]
fn who_only_looks_changes_nothing() {
    let (_home, data) = scratch();
    let launch = Launch::on(&data);
    launch.start().kill();
    let state = || {
        let mut files: Vec<_> = data
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| {
                (entry.file_name(), fs::read(entry.path()).unwrap(), entry.metadata().unwrap().modified().unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let before = state();
    let told = text(&command(&data, &["doctor"]).output().unwrap().stdout);
    assert!(told.contains("can be read") && told.contains("the chain is whole") && told.contains("MB free"), "{told}");
    assert!(!told.contains("older key"), "{told}");
    for args in [["user", "list"], ["user", "show"], ["key", "list"]] {
        let who = if args[1] == "show" { &["admin"][..] } else { &[] };
        let output = command(&data, &[&args[..], who].concat()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    }
    assert!(state() == before, "something has changed");

    launch.start().terminate();
    fs::remove_file(data.join("audit.log")).unwrap();
    fs::remove_file(data.join("store.log")).unwrap();
    let told = text(&command(&data, &["doctor"]).output().unwrap().stdout);
    assert!(told.contains("audit.log is missing") && told.contains("store.log, is missing"), "{told}");
    // Only root can give a file away, and only root leaves such files.
    if std::os::unix::fs::chown(data.join("root.key"), Some(12_345), None).is_ok() {
        let told = text(&command(&data, &["doctor"]).output().unwrap().stdout);
        assert!(told.contains("belongs to user 12345") && told.contains("run `chown "), "{told}");
    }
    assert!(!data.join("audit.log").exists() && !data.join("store.log").exists());
}

/// What went wrong is said in words of whoever asked.
#[test]
fn messages_say_what_to_do() {
    let (home, data) = scratch();
    let said = |args: &[&str]| said(&data, args);
    let server = Launch::on(&data).env("WAXSEAL_LISTN", "127.0.0.1:1").start();
    assert!(logs(&server, "WAXSEAL_LISTN") && logs(&server, "WAXSEAL_LISTEN"), "{}", server.log());
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let nowhere = home.path().join("none/b");
    let key = home.path().join("none.pem");
    let tls = format!("server.tls_key={}", key.display());
    let certificate = format!("server.tls_cert={}", key.display());
    for (args, status, part) in [
        (&["serve", "--listen", "127.0.0.1:0"][..], 1, "a server already runs on the data directory"),
        (&["backup", "--to", file], 1, "is there already"),
        (&["backup", "--to", data.to_str().unwrap()], 1, "is there already"),
        (&["backup", "--to", nowhere.to_str().unwrap()], 1, "(os error 2); the running server writes it, as the user that"),
        (&["user", "show", ""], 2, "a value is required"),
        (&["user", "lst"], 2, "'lst'; a similar subcommand exists"),
        (&["token", "revoke", "xyz", "--expires", "5"], 2, "cannot be used with"),
        (&["serve", "--data", nowhere.to_str().unwrap(), "--set", &tls, "--set", &certificate], 2, "none.pem"),
        (&["serve", "--data", file], 1, "is not a directory"),
        (&["token", "revoke", "xyz"], 1, "nothing to revoke"),
        (&["token", "revoke", "abcdefghijklmnopqrstuv"], 1, "say --jti"),
        (&["token", "revoke", "--jti", "-bcdefghijklmnopqrstuv"], 0, "revoked -bc"),
        (&["audit", "show", "--about", "-nobody"], 0, "nobody is called `-nobody` now"),
        (&["user", "list", "--set", "leeway=1"], 0, "--set changes nothing there"),
        (&["key", "list", "--data", "/etc"], 1, "is no data directory"),
        (&["reload"], 0, "reloaded"),
        (&["config", "check", "--set", "log.filter=[["], 2, "log.filter"),
        (&["config", "check", "--set", &tls, "--set", &certificate], 2, "none.pem"),
        (&["doctor", "--set", &tls, "--set", &certificate], 1, "none.pem"),
        (&["init", "--set", "leeway=1"], 2, "does not write settings given"),
        (&["init"], 0, "is in use already"),
        (&["init"], 1, "is there already"),
        (&["config", "check", "--set", "leeway=1", "--set", "leeway=2"], 2, "given twice"),
        (&["audit", "verify", "/nonexistent/audit.log"], 1, "there is no audit trail"),
    ] {
        let (code, told) = said(args);
        assert_eq!(code, Some(status), "{args:?}: {told}");
        assert!(told.contains(part), "{args:?}: {told}");
    }
    said(&["key", "rotate", "--algorithm", "ES256", "--end-tokens"]);
    said(&["key", "rotate"]);
    let (code, told) = said(&["key", "rotate"]);
    assert!(code == Some(1) && told.contains("`--at-once`"), "{told}");
    let (_, exported) = said(&["key", "export", "--json"]);
    let keys: serde_json::Value = serde_json::from_str(&exported).unwrap();
    let (_, listed) = said(&["key", "list"]);
    let signs = listed.lines().find(|line| line.contains(" signs ")).unwrap();
    assert!(
        signs.starts_with(keys["keys"][0]["kid"].as_str().unwrap()),
        "the first that is imported signs: {exported} {listed}"
    );
    let (_, told) = said(&["doctor"]);
    assert!(told.contains("signing key") && !told.contains("older key"), "the one that signs has an end now: {told}");
    let backup = home.path().join("backup");
    assert_eq!(said(&["backup", "--to", backup.to_str().unwrap()]).0, Some(0));
    let (_, trail) = said(&["audit", "show", "--action", "backup.write"]);
    assert!(trail.contains("backup.write") && trail.contains(backup.to_str().unwrap()), "{trail}");
    let new = home.path().join("made/for/it");
    let (code, told) = said(&["restore", backup.to_str().unwrap(), "--data", new.to_str().unwrap()]);
    let end = format!("`waxseal key rotate --end-tokens --data {}`", new.display());
    assert!(code == Some(0) && told.contains(&end), "{told}");
    assert!(told.contains("the configuration is not part of a backup"), "{told}");
    Launch::on(&new).start().terminate();
    let (code, told) = said(&["audit", "verify", "--data", new.to_str().unwrap()]);
    assert!(code == Some(0) && told.contains("from the beginning"), "a restored trail is whole: {told}");
    let (_, trail) = said(&["audit", "show", "--action", "backup.restore", "--data", new.to_str().unwrap()]);
    assert!(trail.contains(backup.to_str().unwrap()), "{trail}");
    server.terminate();
    let (code, told) = said(&["reload"]);
    assert!(code == Some(1) && told.contains("no server runs on this data"), "{told}");

    let copy = home.path().join("audit.log");
    fs::copy(data.join("audit.log"), &copy).unwrap();
    let (code, told) = said(&["audit", "verify", copy.to_str().unwrap()]);
    assert!(code == Some(1) && told.contains("audit.log.head` is missing"), "{told}");
    assert_eq!(said(&["audit", "verify", "--no-head", copy.to_str().unwrap()]).0, Some(0));
    assert_eq!(said(&["audit", "verify"]).0, Some(0));

    fs::write(data.join("root.key"), "0".repeat(64)).unwrap();
    let (_, told) = said(&["user", "list"]);
    assert!(told.contains("put the right root.key back") && told.contains("`waxseal restore`"), "{told}");
    fs::remove_file(data.join("root.key")).unwrap();
    let (_, told) = said(&["user", "list"]);
    assert!(told.contains("into an empty directory"), "{told}");
}

/// Users are changed, tokens of any id ended, and the trail tells of it in words (security L4).
#[test]
fn what_an_owner_changes_can_be_read_afterwards() {
    let (_home, data) = scratch();
    let said = |args: &[&str]| said(&data, args);
    let server = Launch::on(&data).start();
    let password = data.with_file_name("password");
    fs::write(&password, "ann's own words").unwrap();
    let password = password.to_str().unwrap();
    for (args, status, part) in [
        (&["user", "add", "a:n", "--password-file", password][..], 0, "Basic"),
        (&["user", "set", "a:n", "--name", "ann", "--role", "user_manager"], 0, "ann (uid 2) has the role user_manager"),
        (&["user", "set", "ann", "--email", "ann@example.com"], 0, "the address ann@example.com"),
        (&["user", "set", "ann"], 2, "--role"),
        (&["user", "set", "ann", "--role", "king"], 2, "possible values: admin"),
        (&["user", "set", "admin", "--role", "none"], 1, "administrator"),
        (&["user", "set", "ann", "--name", "admin"], 1, "another user goes by this name"),
        (&["user", "set", "bob", "--role", "none"], 1, "no such user"),
        (&["user", "passwd", "ann", "--password-file", "/dev/zero"], 1, "more than 65536 octets"),
        (&["user", "add", "bob", "--password-hash-file", "/dev/zero"], 1, "more than 65536 octets"),
        (&["token", "revoke", "--jti", "some-id"], 0, "accepts no token with this id any more"),
        (&["help", "user", "set"], 0, "tokens go on"),
        (&["audit", "show", "/nonexistent/audit.log"], 1, "cannot be read"),
    ] {
        let (code, told) = said(args);
        assert_eq!(code, Some(status), "{args:?}: {told}");
        assert!(told.contains(part), "{args:?}: {told}");
    }
    let (_, all) = said(&["audit", "show"]);
    assert!(all.starts_with("TIME ") && all.contains("role db_viewer -> user_manager, name"), "{all}");
    let lines = |args: &[&str]| said(&[&["audit", "show"], args].concat()).1.lines().count() - 1;
    assert_eq!(lines(&["--about", "ann"]), 3, "{all}");
    // What was typed: ann and ann@example.com, each with the password `wrong`.
    for login in ["YW5uOndyb25n", "YW5uQGV4YW1wbGUuY29tOndyb25n"] {
        let login =
            Request::new(Method::Post, "/v1/users/authorize").with_header("authorization", &format!("Basic {login}"));
        assert_eq!(server.send(&login).status, 401);
    }
    let failed = || (lines(&["--about", "ann"]), lines(&["--about", "ann@example.com", "--action", "login"]));
    assert!((0..50).any(|_| failed() == (5, 2)), "{:?}", failed());
    assert_eq!(lines(&["--about", "ann", "--action", "user.change"]), 2, "{all}");
    // What others do to ann's tokens names these, and not ann.
    let (_, token) = said(&["token", "issue", "ann"]);
    assert_eq!(said(&["token", "revoke", "--", token.trim()]).0, Some(0));
    for action in ["token.mint", "token.issue", "token.revoke"] {
        assert!((0..50).any(|_| lines(&["--about", "ann", "--action", action]) == 1), "{action}");
    }
    assert_eq!(lines(&["--about", "admin", "--action", "token"]), 0);
    // As of a trail that was packed; it can be read once.
    let piped = Command::new("sh")
        .args(["-c", r#"cat "$1" | "$0" audit show --data "$2" --about ann /dev/stdin"#])
        .arg(binary())
        .args([&data.join("audit.log"), &data])
        .output()
        .unwrap();
    assert_eq!(text(&piped.stdout), said(&["audit", "show", "--about", "ann"]).1);
    assert_eq!((lines(&["--action", "user", "--last", "1"]), lines(&["--about", "192.0.2.1"])), (1, 0), "{all}");
    let (_, records) = said(&["audit", "show", "--action", "token.revoke", "--json"]);
    let record = records.lines().next().unwrap_or_default();
    let trail = fs::read_to_string(data.join("audit.log")).unwrap();
    assert!(record.contains("some-id") && trail.contains(record), "{records}");
    server.terminate();
    let mut torn = fs::OpenOptions::new().append(true).open(data.join("audit.log")).unwrap();
    torn.write_all(b"{\"actor\":\"\xc3\n").unwrap();
    let (code, told) = said(&["audit", "show"]);
    assert!(code == Some(0) && told.contains("lines that are not records: 1"), "{told}");
}

/// A trail that was taken away is missed (security L4).
#[test]
fn a_trail_that_is_gone_is_missed() {
    let (_home, data) = scratch();
    let verify = || said(&data, &["audit", "verify"]);
    Launch::on(&data).start().terminate();
    assert!(verify().1.contains("from the beginning"), "{}", verify().1);
    fs::write(data.join("audit.log"), "").unwrap();
    assert_eq!(verify().0, Some(1), "{}", verify().1);

    fs::remove_file(data.join("audit.log")).unwrap();
    let server = Launch::on(&data).start();
    assert!(logs(&server, "the records of the audit trail are gone"), "{}", server.log());
    server.terminate();
    let (code, told) = verify();
    assert!(code == Some(0) && told.contains("those before them are elsewhere"), "{told}");

    for file in ["audit.log", "audit.log.head"] {
        fs::remove_file(data.join(file)).unwrap();
    }
    let server = Launch::on(&data).start();
    assert!(logs(&server, "there is no audit.log, though the store is not new"), "{}", server.log());
    server.terminate();
    let (code, told) = verify();
    assert!(code == Some(1) && told.contains("its head was missing when record 1 was written"), "{told}");
    let (code, told) = said(&data, &["doctor"]);
    assert!(code == Some(1) && told.contains("audit.log.head was missing when record 1 was written"), "{told}");
    for file in ["audit.log", "audit.log.head"] {
        fs::remove_file(data.join(file)).unwrap();
    }
    let (code, told) = said(&data, &["doctor"]);
    assert!(code == Some(1) && told.contains("audit.log and its head are missing"), "{told}");
}

/// A configuration file that was made in its usual place after the start counts from the next reload on.
#[test]
fn a_reload_finds_a_new_configuration_file() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    fs::write(data.join("waxseal.toml"), "leeway = 99").unwrap();
    server.signal(rustix::process::Signal::HUP);
    for _ in 0..600 {
        if server.log().contains("allowed is 0 to 60 seconds") {
            return;
        }
        std::thread::sleep(core::time::Duration::from_millis(20));
    }
    panic!("{}", server.log());
}

/// Files may lie where nobody answers any more.
#[test]
fn a_reload_that_hangs_does_not_keep_the_server_from_its_end() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let pipe = data.join("waxseal.toml");
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status().unwrap().success());
    server.signal(rustix::process::Signal::HUP);
    // Opening it for writing succeeds once somebody has it open for reading: then the reload hangs.
    let _held = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    assert_eq!(server.send(&Request::new(Method::Get, "/healthz")).status, 200);
    let begun = std::time::Instant::now();
    assert!(server.terminate().success());
    assert!(begun.elapsed() < core::time::Duration::from_secs(30));
    fs::remove_file(&pipe).unwrap();
    Launch::on(&data).start().terminate();
}

/// Who sends them cannot know how far the start is.
#[test]
fn a_start_that_hangs_heeds_its_signals() {
    let (home, data) = scratch();
    let pipe = home.path().join("pipe");
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status().unwrap().success());
    let args = ["serve", "--listen", "127.0.0.1:0", "--config", pipe.to_str().unwrap()];
    let mut starting = command(&data, &args).spawn().unwrap();
    let _held = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let pid = Pid::from_child(&starting);
    kill_process(pid, Signal::HUP).unwrap();
    std::thread::sleep(core::time::Duration::from_millis(300));
    assert_eq!(starting.try_wait().unwrap(), None, "a reload ends no start");
    kill_process(pid, Signal::TERM).unwrap();
    for _ in 0..600 {
        if let Some(status) = starting.try_wait().unwrap() {
            assert!(status.success() && !data.exists(), "{status}");
            return;
        }
        std::thread::sleep(core::time::Duration::from_millis(20));
    }
    starting.kill().unwrap();
    panic!("it hangs on");
}

/// Whoever watches over a server starts it again at once, while the system may still be taking the killed one down.
#[test]
fn a_server_starts_at_once_after_a_kill() {
    let (_home, data) = scratch();
    for _ in 0..3 {
        let server = Launch::on(&data).start();
        server.signal(rustix::process::Signal::KILL);
        let begun = std::time::Instant::now();
        let next = Launch::on(&data).start();
        assert!(begun.elapsed() < core::time::Duration::from_secs(10), "{:?}", begun.elapsed());
        next.kill();
    }
}

/// A socket's address cannot be as long as a path.
#[test]
fn commands_reach_a_server_whatever_its_directory_is_called() {
    let (_home, data) = scratch();
    let data = data.join("x".repeat(120)).join("data");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&data).unwrap();
    let server = Launch::on(&data).start();
    for args in [["user", "list"], ["key", "list"]] {
        let output = command(&data, &args).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    server.terminate();
}

/// The rules of another build take over without a restart, but only if they are the very ones that were named.
#[test]
fn a_reload_runs_the_module_that_was_named_and_no_other() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).start();
    let said = |server: &Server| {
        let reply = server.send(&Request::new(Method::Get, "/v1/users"));
        assert_eq!(reply.status, 401);
        reply.json().unwrap()["message"].as_str().unwrap().to_owned()
    };
    let metrics = |server: &Server| text(&server.send(&Request::new(Method::Get, "/metrics")).body);
    let own = said(&server);
    let named = other_module(&data, "MISSING or wrong credentials");
    let digest = named.split('"').nth(3).unwrap();
    let file = data.join("waxseal.toml");
    let reload = |configuration: &str, told: &str| {
        fs::write(&file, configuration).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        server.signal(rustix::process::Signal::HUP);
        assert!(logs(&server, told), "{told}: {}", server.log());
    };
    reload(&named, "answered by the module that the configuration names");
    assert_eq!(said(&server), "MISSING or wrong credentials");
    assert!(metrics(&server).contains(&format!("waxseal_module_info{{sha256=\"{digest}\"}} 1")), "{}", metrics(&server));
    assert!(command(&data, &["config", "check"]).output().unwrap().status.success());
    // The trail is written beside the log, by another thread.
    let trail = || fs::read_to_string(data.join("audit.log")).unwrap();
    assert!(soon(|| trail().contains(&format!("\"detail\":\"module {digest}\""))), "{}", trail());

    reload(&named.replace(digest, &"0".repeat(64)), "another file than the one that was named");
    let checked = command(&data, &["config", "check"]).output().unwrap();
    assert_eq!(checked.status.code(), Some(2));
    assert!(text(&checked.stderr).contains(digest), "says which it is: {}", text(&checked.stderr));
    fs::write(data.with_file_name("none.module"), "no module").unwrap();
    let none = Sha256::digest("no module").iter().fold(String::new(), |digits, octet| format!("{digits}{octet:02x}"));
    let path = named.split('"').nth(1).unwrap();
    let none = named.replace(digest, &none).replace(path, data.with_file_name("none.module").to_str().unwrap());
    reload(&none, "it cannot be run here");
    assert_eq!(said(&server), "MISSING or wrong credentials", "what was in force stays");

    reload("", "the rules of this binary answer again");
    assert_eq!(said(&server), own);
    assert!(!metrics(&server).contains("waxseal_module_info"));
    server.terminate();

    fs::write(&file, &named).unwrap();
    let server = Launch::on(&data).start();
    assert_eq!(said(&server), "MISSING or wrong credentials");
    assert!(logs(&server, "answered by the module that the configuration names"), "{}", server.log());
    assert!(soon(|| trail().contains("\"config.module\"")), "{}", trail());
}

/// Whoever can write the settings could have any code run.
#[test]
fn a_module_is_named_by_nobody_but_the_owner() {
    let (_home, data) = scratch();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&data).unwrap();
    let file = data.join("waxseal.toml");
    fs::write(&file, other_module(&data, "MISSING or wrong credentials")).unwrap();
    for (mode, status) in [(0o600, 0), (0o644, 0), (0o620, 2), (0o602, 2)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let checked = command(&data, &["config", "check"]).output().unwrap();
        assert_eq!(checked.status.code(), Some(status), "{mode:o}: {}", text(&checked.stderr));
    }
    let served = command(&data, &["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(served.status.code(), Some(2));
    assert!(text(&served.stderr).contains("mode 0602"), "{}", text(&served.stderr));
    assert!(!data.join("store.redb").exists(), "nothing is made before");
}

/// What is in force is part of the audit trail (security L1), also an attempt to change it.
#[test]
fn a_reload_is_audited() {
    let (_home, data) = scratch();
    let server = Launch::on(&data).set("redis.ttl.max", "7200").start();
    let reloads = |outcome: &str| {
        let trail = fs::read_to_string(data.join("audit.log")).unwrap();
        trail.lines().filter(|line| line.contains("\"config.reload\"") && line.contains(outcome)).count()
    };
    let file = data.join("waxseal.toml");
    // Without the file, all that it said would be as if never stated: it has to be there once it was.
    for (setting, outcome, times) in [
        (Some("server.page = false\nleeway = 1"), "\"success\"", 1),
        (Some("leeway = 99"), "\"bad_configuration\"", 1),
        (None, "\"bad_configuration\"", 2),
    ] {
        setting.map_or_else(|| fs::remove_file(&file), |setting| fs::write(&file, setting)).unwrap();
        server.signal(rustix::process::Signal::HUP);
        let noted = (0..600).any(|_| {
            std::thread::sleep(core::time::Duration::from_millis(20));
            reloads(outcome) == times
        });
        assert!(noted, "{setting:?}: {}", server.log());
    }
    assert!(logs(&server, "server.page"), "what waits for a restart is named: {}", server.log());
    let trail = fs::read_to_string(data.join("audit.log")).unwrap();
    assert!(trail.contains("\"detail\":\"leeway 0 -> 1\""), "{trail}");
    let started = trail.lines().find(|line| line.contains("\"config.start\"")).unwrap();
    assert!(started.contains("redis.ttl.max 7200"), "what was stated at the start, and that alone: {started}");
    assert!(!started.contains("leeway"), "{started}");
}

/// A collector that has stalled behind a full pipe holds up no request, and is told later what it missed.
#[test]
fn nobody_waits_for_who_reads_the_log() {
    let (_home, data) = scratch();
    let mut server = Launch::on(&data).set("log.filter", "trace").unread().start();
    // Far more lines than the pipe and the queue take.
    for _ in 0..2_000 {
        assert_eq!(server.send(&Request::new(Method::Get, "/v1/users")).status, 401);
    }
    let metrics = text(&server.send(&Request::new(Method::Get, "/metrics")).body);
    let lost = metrics.lines().find_map(|line| line.strip_prefix("waxseal_log_lost_total "));
    let lost: u64 = lost.expect(&metrics).parse().unwrap();
    assert!(lost > 0);
    server.read_log();
    assert!(logs(&server, "log lines were not written"), "{}", server.log());
    assert!(server.terminate().success());

    // One that never reads holds up the end for a moment only.
    let server = Launch::on(&data).set("log.filter", "trace").unread().start();
    for _ in 0..2_000 {
        assert_eq!(server.send(&Request::new(Method::Get, "/v1/users")).status, 401);
    }
    let begun = Instant::now();
    assert!(server.terminate().success());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// A supervisor starts it again only then.
#[test]
fn a_failed_start_ends_although_nobody_takes_its_last_message() {
    let (_home, data) = scratch();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (reader, writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while (&writer).write(&[b'x'; 1024]).is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    let mut child = command(&data, &["serve", "--listen", &address]).stderr(writer).stdout(Stdio::null()).spawn().unwrap();
    let ended = soon(|| child.try_wait().unwrap().is_some());
    let _ = child.kill();
    assert!(ended);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    drop(reader);
}

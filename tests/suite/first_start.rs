//! The first minute with the server: what it prints works as printed, and is still there after a crash (security P10).

use std::process::Command;
use waxseal_core::seam::{Method, Request};
use waxseal_tests::server::{Launch, command, scratch};

#[test]
fn the_printed_lines_work_as_printed_and_the_secret_is_shown_once() {
    let (_home, data) = scratch();
    let launch = Launch::on(&data).without("WAXSEAL_ADMIN_NAME").without("WAXSEAL_ADMIN_PASSWORD");
    let server = launch.start();
    let shown = server.until("one more password");
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
    for password in [password.as_str(), "one more password, 2 be safe"] {
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
    use std::{fs, os::unix::fs::PermissionsExt};
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

//! A verifier elsewhere: it has what the server publishes to everybody, and nothing else.

use std::{
    fs,
    io::Write,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use waxseal_core::seam::{Method, Request};
use waxseal_tests::{
    server::{Launch, Server, command, scratch},
    torture::{
        api::{access_token, add_user, admin_token, authorize, revoke, verify},
        rotate::waxseal,
    },
};

/// Fetches keys and snapshot into `folder`. Each of them is another snapshot, as the server makes one a second here.
fn fetch(server: &Server, folder: &Path) {
    thread::sleep(Duration::from_millis(1100));
    for (path, file) in [("/.well-known/jwks.json", "keys.json"), ("/auth/revocations", "snapshot.jwt")] {
        let reply = server.send(&Request::new(Method::Get, path));
        assert_eq!(reply.status, 200, "{path}");
        fs::write(folder.join(file), reply.body).unwrap();
    }
}

/// The verdicts of the command line, which knows no data directory.
fn elsewhere(folder: &Path, tokens: &[&str]) -> Vec<String> {
    verdicts(folder, tokens, &[])
}

fn verdicts(folder: &Path, tokens: &[&str], options: &[&str]) -> Vec<String> {
    let (keys, snapshot) = (folder.join("keys.json"), folder.join("snapshot.jwt"));
    let files = ["--jwks", keys.to_str().unwrap(), "--revocations", snapshot.to_str().unwrap()];
    let args = [["token", "verify", "--batch"].as_slice(), &files, options].concat();
    let mut child = command(&folder.join("nothing"), &args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for token in tokens {
        writeln!(input, r#"{{"token":"{token}"}}"#).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

#[test]
fn who_has_only_what_is_published_refuses_what_the_server_refuses() {
    let ((_home, data), (_away, folder)) = (scratch(), scratch());
    fs::create_dir_all(&folder).unwrap();
    let server = Launch::on(&data).set("signing_algorithm", "ES256").set("gateway.revocations_every", "1").start();
    let admin = admin_token(&server);
    add_user(&server, &admin, "ann", "right");
    add_user(&server, &admin, "bob", "right");
    let issue = |name: &str| access_token(&server.send(&authorize(name, "right"))).unwrap();
    let (first, second, bobs) = (issue("ann"), issue("ann"), issue("bob"));
    let all = [admin.as_str(), &first, &second, &bobs];
    fetch(&server, &folder);
    assert_eq!(elsewhere(&folder, &all), ["accept"; 4]);

    assert_eq!(server.send(&revoke(&first, &admin)).status, 200);
    waxseal(&data, &["user", "logout", "bob"]);
    fetch(&server, &folder);
    assert_eq!(elsewhere(&folder, &all), ["accept", "reject revoked", "accept", "reject ended"]);

    // Published, and not yet signing.
    let next = waxseal(&data, &["key", "rotate", "--algorithm", "EdDSA"]);
    assert!(next.contains("is published and signs from"), "{next}");
    let from = next.split_whitespace().find(|word| word.contains(':')).unwrap();
    let listed = waxseal(&data, &["key", "list"]);
    assert!(
        listed.starts_with("KID") && listed.lines().any(|key| key.contains("follows") && key.contains(from)),
        "{listed}"
    );
    assert!(waxseal(&data, &["key", "list", "--json"]).contains(&format!("\"from\":\"{from}\"")));
    fetch(&server, &folder);
    let keys: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("keys.json")).unwrap()).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert!(waxseal(&data, &["key", "export"]).contains("\"EdDSA\"") && !keys.to_string().contains("\"d\""));

    // With this the keys of all that has been issued are gone.
    waxseal(&data, &["key", "rotate", "--end-tokens"]);
    let new = issue("ann");
    fetch(&server, &folder);
    assert_eq!(elsewhere(&folder, &[&second, &new]), ["reject unknown_kid", "accept"]);
    for (token, status) in [(&second, 401), (&new, 204)] {
        assert_eq!(server.send(&verify(token)).status, status);
    }
}

/// Whoever accepts a snapshot that has grown old accepts it on the next day too, as long as it was good when it was made.
#[test]
fn a_snapshot_that_is_old_already_is_for_its_reader_to_judge() {
    let ((_home, data), (_away, folder)) = (scratch(), scratch());
    fs::create_dir_all(&folder).unwrap();
    let server = Launch::on(&data).set("signing_algorithm", "ES256").start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let hour_ago = now.checked_sub(Duration::from_hours(1)).unwrap();
    server.clock(&serde_json::json!({ "now_millis": u64::try_from(hour_ago.as_millis()).unwrap() }));
    let admin = admin_token(&server);
    fetch(&server, &folder);
    assert_eq!(verdicts(&folder, &[&admin], &["--stale", "refuse"]), ["reject revocations_stale"]);
    assert_eq!(verdicts(&folder, &[&admin], &["--stale", "accept"]), ["accept"]);
}

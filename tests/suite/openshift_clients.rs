//! What old OpenShift clients do, done to a live server: directly, and behind nginx with TLS on the port where they expect it.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::{fs, net::Ipv4Addr, path::Path, process::Command};
use waxseal_tests::{
    nginx::{INSTALL, Nginx, documented, free},
    server::{ADMIN, Launch, scratch},
};

/// The name in the certificate, which is also what `docs/openshift.md` calls the server.
const HOST: &str = "broker.example.com";

#[test]
fn rhc_is_served() {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    // Once by address and port, as at first tries, and once by a name on the default port.
    check("openshift_rhc.py", &[&format!("http://{}", server.address)]);
    check("openshift_rhc.py", &[&format!("http://{HOST}"), "--connect", &server.address.to_string()]);
}

#[test]
fn the_java_client_is_served() {
    let (_home, data) = scratch();
    let server = Launch::on(data).start();
    check("openshift_java.py", &[&format!("http://{}", server.address)]);
}

#[test]
fn both_are_served_behind_nginx_that_says_who_the_client_is() {
    check_behind_nginx(Ipv4Addr::new(127, 0, 0, 47), "server.trusted_proxies", "127.0.0.1");
}

#[test]
fn both_are_served_behind_nginx_under_a_configured_address() {
    check_behind_nginx(Ipv4Addr::new(127, 0, 0, 48), "openshift.public_url", "https://broker.example.com");
}

/// `at` is a loopback address of the test's own, where nothing else listens on the port of HTTPS.
fn check_behind_nginx(at: Ipv4Addr, setting: &str, value: &str) {
    let (home, data) = scratch();
    let server = Launch::on(data).set(setting, value).start();
    let [certificate, key] = ["broker.pem", "broker.key"].map(|name| home.path().join(name).display().to_string());
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()]).unwrap();
    fs::write(&certificate, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    let address = free(at, 443).or_else(|| free(at, 0)).unwrap();
    let here = [
        ("listen 443 ssl;", format!("listen {address} ssl;")),
        ("/etc/ssl/broker.example.com.pem", certificate.clone()),
        ("/etc/ssl/broker.example.com.key", key),
        ("http://127.0.0.1:8080", format!("http://{}", server.address)),
    ];
    let nginx = Nginx::start(home.path(), address, &documented("openshift.md", &here));
    let connect = nginx.address.to_string();
    for client in ["openshift_rhc.py", "openshift_java.py"] {
        check(client, &[&format!("https://{HOST}"), "--connect", &connect, "--ca", &certificate]);
    }
}

/// Runs a client, which has to find everything as it needs it.
#[track_caller]
fn check(client: &str, args: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(client);
    let mut python = Command::new("python3");
    python.arg("-B").arg(script).args(args).args(["--user", ADMIN.0]).env("OPENSHIFT_PASSWORD", ADMIN.1);
    let output = python.output().unwrap_or_else(|error| panic!("`python3` is needed ({error}); {INSTALL}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.ends_with("passed, 0 failed\n"), "{client} {args:?}:\n{out}\n{err}");
}

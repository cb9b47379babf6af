//! What old OpenShift clients do, done to a live server: directly, and behind nginx with TLS on the port where they expect it.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use waxseal_tests::server::{ADMIN, Launch, scratch};

/// The name in the certificate, which is also what `docs/openshift.md` calls the server.
const HOST: &str = "broker.example.com";
const PATIENCE: Duration = Duration::from_secs(30);

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
    let nginx = Nginx::start(home.path(), at, server.address);
    let (connect, ca) = (nginx.address.to_string(), nginx.certificate.to_string_lossy());
    for client in ["openshift_rhc.py", "openshift_java.py"] {
        check(client, &[&format!("https://{HOST}"), "--connect", &connect, "--ca", &ca]);
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

/// nginx as `docs/openshift.md` configures it, but for addresses and paths.
struct Nginx {
    child: Child,
    address: SocketAddr,
    certificate: PathBuf,
}

impl Nginx {
    fn start(home: &Path, at: Ipv4Addr, upstream: SocketAddr) -> Self {
        let (certificate, key) = (home.join("broker.pem"), home.join("broker.key"));
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([HOST.to_owned()]).unwrap();
        fs::write(&certificate, cert.pem()).unwrap();
        fs::write(&key, signing_key.serialize_pem()).unwrap();
        let address = free(at, 443).or_else(|| free(at, 0)).unwrap();

        let home_path = home.display();
        let server = [
            ("listen 443 ssl;", format!("listen {address} ssl;")),
            ("/etc/ssl/broker.example.com.pem", certificate.display().to_string()),
            ("/etc/ssl/broker.example.com.key", key.display().to_string()),
            ("http://127.0.0.1:8080", format!("http://{upstream}")),
        ];
        let server = server.iter().fold(documented(), |config, (shown, here)| {
            assert!(config.contains(shown), "docs/openshift.md no longer says `{shown}`");
            config.replace(shown, here)
        });
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {home_path}/{kind};"))
            .concat();
        let config = format!(
            "daemon off; pid {home_path}/nginx.pid; error_log stderr; events {{}}\nhttp {{ access_log off; {temporary}\n{server}\n}}\n"
        );
        let file = home.join("nginx.conf");
        fs::write(&file, config).unwrap();
        // Not every user has the folder of system programs in his path.
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).is_file());
        let mut nginx = Command::new(program.unwrap_or("nginx"));
        let nginx = nginx.arg("-p").arg(home).arg("-c").arg(file).stdin(Stdio::null());
        let child = nginx.spawn().unwrap_or_else(|error| panic!("`nginx` is needed ({error}); {INSTALL}"));
        let mut nginx = Self { child, address, certificate };
        nginx.wait();
        nginx
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert_eq!(self.child.try_wait().unwrap(), None, "nginx has ended");
            assert!(begun.elapsed() < PATIENCE, "nginx does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it, which they would not after SIGKILL.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// The configuration that the documentation shows.
fn documented() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openshift.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once("```nginx\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// `port` if nothing listens there and this process may, or any that is free for 0.
fn free(at: Ipv4Addr, port: u16) -> Option<SocketAddr> {
    TcpListener::bind((at, port)).and_then(|listener| listener.local_addr()).ok()
}

const INSTALL: &str = "`cargo xtask test` installs it on Debian and Ubuntu";

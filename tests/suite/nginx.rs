//! nginx as a page of the documentation configures it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A running nginx; ended when dropped.
pub struct Nginx {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Nginx {
    /// One with this `server` of a configuration, by which it listens at `address`; returns once it does.
    pub fn start(home: &Path, address: SocketAddr, server: &str) -> Self {
        let home_path = home.display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {home_path}/{kind};"))
            .concat();
        let config = format!(
            "daemon off; pid {home_path}/nginx.pid; error_log stderr; events {{}}\nhttp {{ access_log off; {temporary}\n{server}\n}}\n"
        );
        let file = home.join("nginx.conf");
        fs::write(&file, config).unwrap();
        // Not every user has the folder of system programs in `PATH`.
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).is_file());
        let mut nginx = Command::new(program.unwrap_or("nginx"));
        let nginx = nginx.arg("-p").arg(home).arg("-c").arg(file).stdin(Stdio::null());
        let child = nginx.spawn().unwrap_or_else(|error| panic!("`nginx` is needed ({error}); {INSTALL}"));
        let mut nginx = Self { child, address };
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

/// The configuration that a page of the documentation shows, with what is another `here`.
pub fn documented(page: &str, here: &[(&str, String)]) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page)).unwrap();
    let (_, block) = text.split_once("```nginx\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    here.iter().fold(block.to_owned(), |config, (shown, here)| {
        assert!(config.contains(shown), "docs/{page} no longer says `{shown}`");
        config.replace(shown, here)
    })
}

/// `port` if nothing listens there and this process may, or any that is free for 0.
pub fn free(at: Ipv4Addr, port: u16) -> Option<SocketAddr> {
    TcpListener::bind((at, port)).and_then(|listener| listener.local_addr()).ok()
}

/// How to come by the programs that these tests need.
pub const INSTALL: &str = "`cargo xtask test` installs it on Debian and Ubuntu";

//! Load by `wrk`.

use std::{fs, net::SocketAddr, process::Command};

/// A request that `wrk` repeats.
pub(crate) struct Load<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: &'a str,
}

impl Load<'_> {
    /// Requests per second over `connections` during `seconds`; every answer must be 2xx.
    pub(crate) fn rate(&self, connections: u32, seconds: u32) -> f64 {
        let method = format!("wrk.method = {:?}\n", self.method);
        let body = format!("wrk.body = {:?}\n", self.body);
        self.run(&if self.body.is_empty() { method } else { method + &body }, connections, seconds)
    }

    /// As [`Load::rate`], with one of `tokens` after the other.
    pub(crate) fn rate_of(&self, tokens: &[String], connections: u32, seconds: u32) -> f64 {
        let lines = tokens.iter().map(|token| format!("\"Bearer {token}\",\n")).collect::<Vec<_>>().concat();
        let script = format!(
            "local tokens = {{\n{lines}}}\nlocal at = 0\nrequest = function()\n  at = at % #tokens + 1\n  \
             return wrk.format({:?}, {:?}, {{ Authorization = tokens[at] }})\nend\n",
            self.method, self.path
        );
        self.run(&script, connections, seconds)
    }

    fn run(&self, lua: &str, connections: u32, seconds: u32) -> f64 {
        let script = tempfile::NamedTempFile::with_suffix(".lua").unwrap();
        fs::write(script.path(), lua).unwrap();
        let threads = connections.min(2).to_string();
        let (connections, duration) = (connections.to_string(), format!("{seconds}s"));
        let mut wrk = Command::new("wrk");
        wrk.args(["-t", &threads, "-c", &connections, "-d", &duration, "--timeout", "10s", "-s"]).arg(script.path());
        for (name, value) in &self.headers {
            wrk.arg("-H").arg(format!("{name}: {value}"));
        }
        let out = wrk.arg(format!("http://{}{}", self.address, self.path)).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "wrk failed: {text}{}", String::from_utf8_lossy(&out.stderr));
        assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "not every request was answered: {text}");
        let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")).unwrap_or_else(|| panic!("{text}"));
        rate.trim().parse().unwrap()
    }
}

/// CPU seconds that a process has used so far.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name, which may hold blanks: user and system time are the 12th and 13th field, in ticks of 10 ms.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

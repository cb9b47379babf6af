//! The release server as a process, against the limits of the machine: HTTP against a bare static answer, logins against bare
//! Argon2id, durable changes against `write` and `fdatasync`, start, memory, size.
//!
//! `cargo xtask bench server` builds the server and runs this. Contenders take turns in short rounds and the ratio is taken in
//! each round; medians are shown with the smallest and the largest. Read the ratios, not the absolute figures. The load comes
//! from `wrk` on the same cores.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark prints, and stops at the first surprise"
)]

mod changes;
mod load;
mod logins;
mod peer;
mod seed;
mod start;
mod table;
mod traffic;

use std::env;

fn main() {
    if env::var_os(peer::ROLE).is_some() {
        peer::serve();
        return;
    }
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (name, measure) in [
        ("traffic", traffic::measure as fn()),
        ("logins", logins::measure),
        ("changes", changes::measure),
        ("start", start::measure),
    ] {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            measure();
        }
    }
}

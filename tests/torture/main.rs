//! `cargo xtask torture KIND [NUMBER]`: runs one kind of torture for long and prints what came of it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program"
)]

use core::time::Duration;
use std::{env, process::ExitCode, time::Instant};
use waxseal_tests::torture::{disk, kill, load, mutate, rotate, secrets, serial, timing};

const KINDS: &str = "\
kill [KILLS]         SIGKILL under eight writers; 1000 kills
serial [USERS]       racing clients and the search for an order; 200 users
mutate [REQUESTS]    damaged requests; 100000 for each dialect
flood [SECONDS]      logins at ten times the capacity; 20 s
stall [CLIENTS]      stalled and dripping clients; 1000
signal [TIMES]       SIGHUP with another module each time, under load, then SIGTERM; 20
rotate [TIMES]       key rotations in a minute of load; 10
backup [TIMES]       backups under writes, restored elsewhere; 10
timing [ROUNDS]      can attempts be told apart by their time; 1500
disk                 a full disk, no file descriptors, jumping clocks, marked secrets
all                  everything";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = args.get(1).and_then(|text| text.parse().ok());
    let kinds: &[&str] = match args.first().map(String::as_str) {
        Some("all") => &["kill", "serial", "mutate", "flood", "stall", "signal", "rotate", "backup", "timing", "disk"],
        Some(kind) if KINDS.lines().any(|line| line.split(' ').next() == Some(kind)) => &[kind],
        _ => {
            eprintln!("Kinds:\n{KINDS}");
            return ExitCode::from(2);
        }
    };
    let mut good = true;
    for kind in kinds {
        let begun = Instant::now();
        let held = run(kind, number);
        println!("{kind}: {}, {:.0} s\n", if held { "holds" } else { "FAILS" }, begun.elapsed().as_secs_f64());
        good &= held;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether it holds.
fn run(kind: &str, number: Option<u32>) -> bool {
    let or = |usual: u32| number.unwrap_or(usual);
    let times = |usual: u32| usize::try_from(or(usual)).unwrap();
    let nothing = |wrong: &[String]| {
        wrong.iter().take(5).for_each(|wrong| println!("{wrong}"));
        wrong.is_empty()
    };
    match kind {
        "kill" => {
            let outcome = kill::run(or(1000), 8, |so_far| {
                if so_far.kills % 50 == 0 {
                    eprintln!(
                        "{} kills, {} acknowledged changes, {} wrong",
                        so_far.kills,
                        so_far.acknowledged,
                        so_far.wrong.len()
                    );
                }
            });
            println!(
                "{} kills, {} acknowledged changes, {} under way that went in, {} refused starts, {} users wrong",
                outcome.kills,
                outcome.acknowledged,
                outcome.went_in,
                outcome.refused_starts,
                outcome.wrong.len()
            );
            nothing(&outcome.wrong)
        }
        "serial" => {
            let outcome = serial::run(times(200), 8);
            println!(
                "{} requests, {} given up, {} histories without an order",
                outcome.requests,
                outcome.given_up,
                outcome.wrong.len()
            );
            nothing(&outcome.wrong)
        }
        "mutate" => mutate::DIALECTS.iter().fold(true, |good, dialect| {
            let outcome = mutate::run(dialect, or(100_000).into(), 1);
            let (before, after) = outcome.memory;
            println!(
                "{dialect}: {} requests, {} wrong, memory {} to {} KiB, answers {:?}",
                outcome.requests,
                outcome.wrong.len(),
                before >> 10,
                after >> 10,
                outcome.answers
            );
            good & nothing(&outcome.wrong) && after <= before + before / 10
        }),
        "flood" => {
            let flooded = load::flood(Duration::from_secs(or(20).into()));
            println!("{flooded:#?}");
            let workers = u64::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
            flooded.memory_most <= flooded.memory_before + workers * (19 << 20) + (64 << 20)
                && flooded.without_retry_after == 0
                && flooded.recovery < Duration::from_secs(2)
                && flooded.meanwhile.p99 <= flooded.before.p99 * 2
        }
        "stall" => {
            let stalled = load::stall(times(1000), Duration::from_secs(10));
            println!("{stalled:#?}");
            stalled.meanwhile.p99 <= stalled.before.p99 * 2
        }
        "signal" => {
            let signalled = load::signal(or(20), 64);
            println!("{signalled:#?}");
            signalled.dropped + signalled.failed == 0 && signalled.ended && signalled.swapped > 0
        }
        "rotate" => {
            let rotated = rotate::keys("HS256", or(10), Duration::from_mins(1) / (or(10) + 1));
            println!("{rotated:#?}");
            rotated.failed == 0
        }
        "backup" => {
            let restored = rotate::backup(or(10));
            println!("{restored:#?}");
            restored.different.is_empty() && restored.halves == 0
        }
        "timing" => {
            let told = timing::run(times(1500));
            for told in &told {
                println!("{:<30} AUC {:.3}, median {:?}", told.kind, told.auc, told.median);
            }
            told.iter().all(|told| (0.45..=0.55).contains(&told.auc))
        }
        _ => {
            let (octets, found) = secrets::run();
            println!("{octets} octets of output looked through for secrets");
            nothing(&found) & nothing(&disk::full()) & nothing(&disk::no_descriptors()) & nothing(&rotate::clock())
        }
    }
}

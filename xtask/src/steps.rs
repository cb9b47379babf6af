//! Progress: `[3/9] clippy`, how long it took, and whether it held.

use crate::Failure;
use std::time::{Duration, Instant};

/// A numbered row of steps. A step that fails does not keep the later ones from running, so one run shows everything.
pub(crate) struct Steps {
    total: usize,
    begun: Instant,
    done: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    failed: bool,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, begun: Instant::now(), done: Vec::new() }
    }

    /// Runs one step and returns what it returns, or `None` when it has failed, which has been reported then.
    pub(crate) fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T, Failure>) -> Option<T> {
        println!("\n[{}/{}] {name} …", self.done.len() + 1, self.total);
        let begun = Instant::now();
        let outcome = work();
        let took = begun.elapsed();
        self.done.push(Step { name, took, failed: outcome.is_err() });
        match outcome {
            Ok(value) => {
                println!("[{}/{}] {name}: ok, {}", self.done.len(), self.total, seconds(took));
                Some(value)
            }
            Err(why) => {
                eprintln!("{why}");
                println!("[{}/{}] {name}: FAILED, {}", self.done.len(), self.total, seconds(took));
                None
            }
        }
    }

    /// How many steps have failed.
    pub(crate) fn failed(&self) -> u64 {
        self.done.iter().map(|step| u64::from(step.failed)).sum()
    }

    /// One line for each step, and the time of all.
    pub(crate) fn summarise(&self) {
        println!();
        for step in &self.done {
            println!("{:>8}  {}{}", seconds(step.took), step.name, if step.failed { "  FAILED" } else { "" });
        }
        println!("{:>8}  in all", seconds(self.begun.elapsed()));
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f32())
}

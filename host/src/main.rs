//! The `waxseal` binary.

use std::{alloc::System, env, process::ExitCode};
use zeroizing_alloc::ZeroAlloc;

#[cfg(test)]
mod cleared_tests;

/// Zeroes memory when it is freed, so that no password or token stays behind in a buffer of ours or of a library (security S4).
#[global_allocator]
static HEAP: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    waxseal::cli::run(env::args_os())
}

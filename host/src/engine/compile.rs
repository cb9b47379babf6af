//! What compiling the component and running it must agree on. Shared with the build script.

use core::time::Duration;
use wasmtime::Config;

/// How often the running server's epoch clock ticks, and how many ticks a step of a call may take: about a second. Nearly all steps
/// take microseconds; the list of 100,000 users takes a good part of that second.
pub(crate) const TICK: Duration = Duration::from_millis(50);
/// See [`TICK`].
pub(crate) const TICKS_PER_STEP: u64 = 20;

/// The settings that are part of the compiled code. A precompiled component is taken only under equal ones.
pub(crate) fn shared() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // The guard pages behind 4 GiB of reserved addresses take the place of bounds checks.
    config.memory_reservation(4 << 30).memory_guard_size(32 << 20);
    config.wasm_backtrace_max_frames(None);
    config
}

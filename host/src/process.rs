//! What the server asks of the system for itself, and for its threads.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use std::fs;

/// File descriptors for everything that is no client of the main listener: the store, logs, the runtime; and up to 64 connections each
/// to the administration socket and to the listener for operations (`serve.rs`).
const RESERVED: u64 = 256;

/// Turns core dumps off, as they would hold secrets (security S4). For every command, before it reads any.
pub(crate) fn dump_nothing() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // The limit does not hold where the system pipes dumps into a program; the second call covers that.
    let dumps = setrlimit(Resource::Core, none).and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable));
    if let Err(error) = dumps {
        tracing::warn!(%error, "core dumps stay as they were");
    }
}

/// Takes as many file descriptors as the system gives.
pub(crate) fn take_descriptors() {
    let files = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }) {
        tracing::warn!(%error, "the number of file descriptors stays as it was");
    }
}

/// Has large blocks of memory given back to the system as soon as they are freed. For every command, before it has other threads.
///
/// The first such block that is freed would make glibc take later ones of its size from heaps of the threads, which keep what was freed: 19
/// MiB of every derivation after a pause, up to some hundred (`mallopt(3)`, `M_MMAP_THRESHOLD`). Other allocators have no such rule.
pub(crate) fn give_back_large_blocks() {
    #[cfg(target_env = "gnu")]
    {
        /// Far less than a derivation takes, and more than what comes and goes with a request.
        const LARGE: core::ffi::c_int = 1 << 20;
        // SAFETY: it sets a number of the allocator, under its lock.
        #[expect(unsafe_code, reason = "no library has it")]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        }
    }
}

/// How many connections the file descriptors suffice for; at least 16.
pub(crate) fn connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(RESERVED).max(16)).unwrap_or(usize::MAX)
}

/// Whether whoever started the process has this signal ignored; `false` where the system does not tell.
pub(crate) fn ignores(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let bit = u32::try_from(signal).ok().and_then(|signal| 1_u64.checked_shl(signal.checked_sub(1)?));
    mask.zip(bit).is_some_and(|(mask, bit)| mask & bit != 0)
}

/// Gives the threads that answer requests precedence over the calling one: a login that waits a little longer hurts nobody, a token
/// check does. Linux counts priorities by thread; elsewhere this would concern the whole process.
#[cfg(target_os = "linux")]
pub(crate) fn step_back() {
    // Where it is refused, everything works all the same.
    let _ = rustix::process::setpriority_process(None, STEP_BACK);
}

/// How much nicer such a thread is than the rest: enough for a token check not to wait for it, and so little that logins go on, at a
/// tenth of a core each, while token checks take all they can get.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

#[cfg(not(target_os = "linux"))]
pub(crate) fn step_back() {}

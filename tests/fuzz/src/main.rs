//! What strangers can send, and what lies in files: every target must end without a panic, whatever comes in.
//!
//! `cargo xtask fuzz` builds this on stable Rust with the coverage counters of LLVM and runs `WAXSEAL_FUZZ`, one of [`TARGETS`],
//! under libFuzzer. Inputs worth keeping are in `corpus/TARGET`.
#![no_main]

mod configuration;
mod requests;
mod stored;
mod tokens;

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "../../suite/memory.rs"]
mod memory;

// The host's configuration without the host, whose runtime is nobody's input.
#[allow(dead_code, unused_imports, reason = "the server uses the rest")]
#[path = "../../../host/src/config/mod.rs"]
mod config;

#[path = "../../../host/src/text"]
mod text {
    #[allow(dead_code, reason = "the server uses the rest")]
    pub(crate) mod hex;
}
// What settings are made of, as the host has it beside what uses it.
#[path = "../../../host/src/engine"]
mod engine {
    mod execution;

    pub(crate) use execution::Execution;
}
#[path = "../../../host/src/http"]
mod http {
    mod forwarding;
    #[allow(dead_code, reason = "the server uses the rest")]
    mod limits;
    #[allow(dead_code, reason = "the server uses the rest")]
    mod network;

    pub(crate) use forwarding::Forwarding;
    pub(crate) use limits::Limits;
    pub(crate) use network::{Network, is_exposed};
}
#[path = "../../../host/src/logging"]
mod logging {
    mod format;

    pub(crate) use format::LogFormat;
}

use std::sync::LazyLock;

type Target = fn(&[u8]);

/// Every target with its name.
const TARGETS: [(&str, Target); 12] = [
    ("token", tokens::token),
    ("claims", tokens::claims),
    ("keys", tokens::keys),
    ("snapshot", tokens::snapshot),
    ("basic", requests::basic),
    ("redis", requests::redis),
    ("openshift", requests::openshift),
    ("elasticsearch", requests::elasticsearch),
    ("gateway", requests::gateway),
    ("records", stored::records),
    ("settings", stored::settings),
    ("configuration", configuration::configuration),
];

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let wanted = std::env::var("WAXSEAL_FUZZ").unwrap_or_default();
    let found = TARGETS.iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("WAXSEAL_FUZZ must name a target")).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));

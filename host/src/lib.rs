//! The native server of Waxseal.

pub mod audit;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod engine;
mod files;
mod horizon;
pub mod http;
pub mod kdf;
pub mod logging;
pub mod metrics;
mod process;
pub mod refusals;
pub mod request_id;
pub mod serve;
mod source;
mod source_limit;
pub mod store;
mod sync;
mod text;

//! The one binary of integration tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this is how a test fails"
)]

mod allocations;
mod cases;
mod commands;
mod edge;
mod elasticsearch;
mod ends;
mod first_start;
mod openapi;
mod openshift_clients;
mod promises;
mod proxies;
mod source;
mod stands;
mod statements;
mod vectors_password;
mod vectors_token;

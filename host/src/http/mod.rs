//! Everything between a socket and [`Answer::answer`].
//!
//! ```text
//! accept ─▶ Socket ─▶ Strict (framing, times) ─▶ hyper ─▶ Service ─┬─▶ health, metrics, page, clock, backup
//!  count     TLS        400, 431, slow clients              limits └─▶ body ─▶ Answer (core)
//! ```
//!
//! INVARIANT: core is told of no header that a client could forge to look like a proxy's; who the peer is stands in
//! [`Peer`](waxseal_core::seam::Peer) only.

pub mod admin_socket;
mod answer;
mod body;
mod convert;
mod documents;
mod forwarded;
mod framing;
mod held;
mod limits;
pub(crate) mod listener;
mod network;
pub(crate) mod page;
mod request_id;
pub(crate) mod service;
mod shares;
mod socket;
mod standing;
mod strict;
pub(crate) mod tls;
pub(crate) mod traffic;
mod unsent;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Reloaded};
pub use forwarded::Forwarding;
pub(crate) use forwarded::Proxies;
pub use limits::Limits;
pub(crate) use network::is_exposed;
pub use network::{Network, NetworkError};
pub use request_id::RequestId;

//! Where a request comes from, as far as throttling goes.

use crate::{seam::Op, settings::SITE_PREFIX};
use core::net::IpAddr;

/// The network a request comes from, cut to the configured prefix; requests without an address (local ones) are one source.
pub(super) fn source(op: &Op<'_>) -> [u8; 17] {
    network(op, 128)
}

/// The source, and with it all IPv6 networks that may be of the same customer.
pub(super) fn site(op: &Op<'_>) -> [u8; 17] {
    network(op, SITE_PREFIX.into())
}

/// An IPv6 address keeps `most` bits at most.
fn network(op: &Op<'_>, most: u32) -> [u8; 17] {
    let throttle = &op.settings.throttle;
    let mut source = [0; 17];
    let (family, address, prefix) = match op.moment.peer.address.map(|address| address.to_canonical()) {
        None => return source,
        Some(IpAddr::V4(address)) => (4, u128::from(u32::from(address)) << 96, u32::from(throttle.ipv4_prefix.min(32))),
        Some(IpAddr::V6(address)) => (6, u128::from(address), u32::from(throttle.ipv6_prefix).min(most)),
    };
    let network = address & u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
    source[0] = family;
    source[1..].copy_from_slice(&network.to_be_bytes());
    source
}

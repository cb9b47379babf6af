//! Whom a request is counted for, where one source may take only so much.

use core::net::{IpAddr, Ipv6Addr};
use waxseal_core::settings::SITE_PREFIX;

/// All that one customer has: an IPv4 address, the first [`SITE_PREFIX`] bits of an IPv6 one.
pub(crate) fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let rest = 128 - u32::from(SITE_PREFIX);
            Ipv6Addr::from_bits(address.to_bits() >> rest << rest).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_source() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:7:1::9", "2001:db8:7::"),
            ("2001:db8:7:ffff:1:2:3:4", "2001:db8:7::"),
            ("2001:db8:8::1", "2001:db8:8::"),
        ] {
            assert_eq!(site(address.parse().unwrap()), expected.parse::<IpAddr>().unwrap(), "{address}");
        }
    }
}

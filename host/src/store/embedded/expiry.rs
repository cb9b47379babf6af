//! How the expiry of a record is written: in the tables, in the log and in backups alike.

use waxseal_core::time::UnixTime;

/// Of a record that stays.
const NEVER: u64 = u64::MAX;

/// Milliseconds, or all ones for never.
pub(super) fn to_octets(expires: Option<UnixTime>) -> [u8; 8] {
    expires.map_or(NEVER, UnixTime::as_millis).to_be_bytes()
}

/// What [`to_octets`] has written.
pub(super) fn from_octets(octets: [u8; 8]) -> Option<UnixTime> {
    let millis = u64::from_be_bytes(octets);
    (millis != NEVER).then(|| UnixTime::from_millis(millis))
}

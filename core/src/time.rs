//! Points in time, as the driver states them.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Core never reads a clock: a driver hands this in.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Hash, Serialize, Deserialize)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The time that never comes, as the end of what has none.
    pub const NEVER: Self = Self(u64::MAX);

    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch; saturates at the largest representable time.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This time and `secs` seconds more; saturates.
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1000)))
    }

    /// Whole seconds from `earlier` to this time; zero when `earlier` is later.
    pub const fn secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1000
    }

    /// Like [`UnixTime::secs_since`], rounded to the nearest whole second.
    pub const fn rounded_secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0).saturating_add(500) / 1000
    }
}

/// `2031-05-06T07:08:09Z`: UTC, whole seconds, no fraction (RFC 3339).
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.as_secs();
        let (days, rest) = (secs / 86_400, secs % 86_400);
        let (year, month, day) = civil_from_days(days);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
    }
}

/// Year, month and day of the proleptic Gregorian calendar, counted from 1970-01-01.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that the leap day is the last day of its year: 719468 days before the epoch.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[track_caller]
    fn check(secs: u64, text: &str) {
        assert_eq!(UnixTime::from_secs(secs).to_string(), text);
    }

    #[test]
    fn seconds_between() {
        let check = |later, earlier, whole, rounded| {
            let (later, earlier) = (UnixTime::from_millis(later), UnixTime::from_millis(earlier));
            assert_eq!((later.secs_since(earlier), later.rounded_secs_since(earlier)), (whole, rounded));
        };
        check(3000, 1000, 2, 2);
        check(3000, 1001, 1, 2);
        check(3000, 1501, 1, 1);
        check(1000, 3000, 0, 0);
        check(u64::MAX, 0, u64::MAX / 1000, u64::MAX / 1000);
    }

    #[test]
    fn prints_as_rfc_3339() {
        check(0, "1970-01-01T00:00:00Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(951_868_799, "2000-02-29T23:59:59Z");
        check(1_760_400_066, "2025-10-14T00:01:06Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
        check(253_402_300_799, "9999-12-31T23:59:59Z");
    }
}

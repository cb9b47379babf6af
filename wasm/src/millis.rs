//! Times as JavaScript has them.

use waxseal_core::time::UnixTime;

/// A time from milliseconds since the epoch. What is not a time is later than any, so that everything has ended by then.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
pub(crate) fn time(millis: f64) -> UnixTime {
    if millis >= 0.0 { UnixTime::from_millis(millis as u64) } else { UnixTime::NEVER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_time_is_later_than_any() {
        for (millis, expected) in [
            (0.0, 0),
            (1.9, 1),
            (1e15, 1_000_000_000_000_000),
            (f64::INFINITY, u64::MAX),
            (-1.0, u64::MAX),
            (f64::NAN, u64::MAX),
        ] {
            assert_eq!(time(millis), UnixTime::from_millis(expected), "{millis}");
        }
    }
}

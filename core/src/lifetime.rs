//! How long a token lives: one type for every dialect, with two manners.

use crate::time::UnixTime;
use core::fmt;
use serde::{Deserialize, Serialize};

/// How long something lives, in whole seconds: at least one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Lifetime(u32);

impl Lifetime {
    /// The whole seconds from one time to another; `None` unless that is one at least, and 32 bits hold them.
    pub fn between(from: UnixTime, until: UnixTime) -> Option<Self> {
        u32::try_from(until.secs_since(from)).ok().filter(|secs| *secs > 0).map(Self)
    }

    /// In whole seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

/// What happens to a wish outside the bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// It is an error (Redis, contract/redis.md section 4).
    Refuse,
    /// Too long becomes the maximum, too short the default (OpenShift, contract/openshift.md section 4).
    Clamp,
}

/// The bounds of a lifetime, in seconds: `1 <= min <= default <= max`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stated", into = "Stated")]
pub struct Bounds {
    min: u32,
    default: u32,
    max: u32,
    manner: Manner,
}

/// [`Bounds`] as a configuration states them.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Stated {
    min: u32,
    default: u32,
    max: u32,
    manner: Manner,
}

impl Bounds {
    /// One second, neither more nor less: what is left when nothing else is in order.
    pub const ONE_SECOND: Self = Self { min: 1, default: 1, max: 1, manner: Manner::Refuse };

    /// Bounds in seconds.
    ///
    /// # Errors
    /// [`Disorder`] unless `1 <= min <= default <= max`.
    pub const fn new(min: u32, default: u32, max: u32, manner: Manner) -> Result<Self, Disorder> {
        if 1 <= min && min <= default && default <= max { Ok(Self { min, default, max, manner }) } else { Err(Disorder) }
    }

    /// The shortest life, in seconds.
    pub const fn min(&self) -> u32 {
        self.min
    }

    /// The life of a token whose request names none, in seconds.
    pub const fn default(&self) -> u32 {
        self.default
    }

    /// The longest life, in seconds.
    pub const fn max(&self) -> u32 {
        self.max
    }

    /// What happens to a wish outside.
    pub const fn manner(&self) -> Manner {
        self.manner
    }

    /// The life for a request that names none.
    pub const fn unasked(&self) -> Lifetime {
        Lifetime(self.default)
    }

    /// The life for a request that asks for `asked` seconds. Never longer than the maximum.
    ///
    /// # Errors
    /// [`Error`] when it is outside and the manner is [`Manner::Refuse`].
    pub const fn admit(&self, asked: i128) -> Result<Lifetime, Error> {
        match self.manner {
            Manner::Refuse if asked < self.min as i128 => Err(Error::TooShort { asked, min: self.min }),
            Manner::Refuse if asked > self.max as i128 => Err(Error::TooLong { asked, max: self.max }),
            Manner::Clamp if asked < self.min as i128 => Ok(self.unasked()),
            Manner::Clamp if asked > self.max as i128 => Ok(Lifetime(self.max)),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "min <= asked <= max, both u32")]
            Manner::Refuse | Manner::Clamp => Ok(Lifetime(asked as u32)),
        }
    }

    /// The bounds of a token that has several scopes: the minimum of both in each number, so that they are in order as both are.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            min: lesser(self.min, other.min),
            default: lesser(self.default, other.default),
            max: lesser(self.max, other.max),
            manner: self.manner,
        }
    }
}

const fn lesser(a: u32, b: u32) -> u32 {
    if a < b { a } else { b }
}

/// The bounds are not in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Disorder;

impl fmt::Display for Disorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lifetime bounds must satisfy 1 <= min <= default <= max")
    }
}

impl core::error::Error for Disorder {}

impl TryFrom<Stated> for Bounds {
    type Error = Disorder;

    fn try_from(stated: Stated) -> Result<Self, Disorder> {
        Self::new(stated.min, stated.default, stated.max, stated.manner)
    }
}

impl From<Bounds> for Stated {
    fn from(bounds: Bounds) -> Self {
        Self { min: bounds.min, default: bounds.default, max: bounds.max, manner: bounds.manner }
    }
}

/// The lifetime asked for is outside the bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Error {
    /// Shorter than allowed.
    TooShort {
        /// Seconds asked for.
        asked: i128,
        /// The shortest life.
        min: u32,
    },
    /// Longer than allowed.
    TooLong {
        /// Seconds asked for.
        asked: i128,
        /// The longest life.
        max: u32,
    },
}

impl Error {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "lifetime_too_short",
            Self::TooLong { .. } => "lifetime_too_long",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // What was asked for is beyond what can be counted.
            Self::TooLong { asked: i128::MAX, max } => write!(f, "the lifetime is above the maximum of {max} s"),
            Self::TooShort { asked: i128::MIN, min } => write!(f, "the lifetime is below the minimum of {min} s"),
            Self::TooShort { asked, min } => write!(f, "a lifetime of `{asked}` s is below the minimum of {min} s"),
            Self::TooLong { asked, max } => write!(f, "a lifetime of `{asked}` s is above the maximum of {max} s"),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(manner: Manner, asked: i128, expected: Result<u32, &str>) {
        let bounds = Bounds::new(60, 300, 3600, manner).unwrap();
        assert_eq!(bounds.admit(asked).map(Lifetime::as_secs).map_err(|e| e.code()), expected);
    }

    #[test]
    fn refusing_bounds_are_inclusive() {
        check(Manner::Refuse, 60, Ok(60));
        check(Manner::Refuse, 3600, Ok(3600));
        check(Manner::Refuse, 59, Err("lifetime_too_short"));
        check(Manner::Refuse, -1, Err("lifetime_too_short"));
        check(Manner::Refuse, 3601, Err("lifetime_too_long"));
        check(Manner::Refuse, i128::MAX, Err("lifetime_too_long"));
    }

    #[test]
    fn clamping_never_errs() {
        check(Manner::Clamp, 59, Ok(300));
        check(Manner::Clamp, i128::MIN, Ok(300));
        check(Manner::Clamp, 61, Ok(61));
        check(Manner::Clamp, i128::MAX, Ok(3600));
    }

    #[test]
    fn several_scopes_take_the_minimum() {
        let short = Bounds::new(1, 86_400, 604_800, Manner::Clamp).unwrap();
        let long = Bounds::new(1, 2_592_000, 15_552_000, Manner::Clamp).unwrap();
        assert_eq!(short.and(long), short);
        assert_eq!(long.and(short), short);
        let (early, late) =
            (Bounds::new(1, 50, 60, Manner::Clamp).unwrap(), Bounds::new(10, 20, 100, Manner::Clamp).unwrap());
        assert_eq!(early.and(late), Bounds::new(1, 20, 60, Manner::Clamp).unwrap());
        assert_eq!(late.and(early), early.and(late));
    }

    #[test]
    fn between_two_times_are_whole_seconds() {
        let check = |from, until, expected| {
            let found = Lifetime::between(UnixTime::from_millis(from), UnixTime::from_millis(until));
            assert_eq!(found.map(Lifetime::as_secs), expected, "{from} {until}");
        };
        check(1000, 3999, Some(2));
        check(1000, 1999, None);
        check(2000, 1000, None);
        check(0, u64::from(u32::MAX) * 1000, Some(u32::MAX));
        check(0, (u64::from(u32::MAX) + 1) * 1000, None);
    }

    #[test]
    fn disorder_is_refused() {
        for (min, default, max) in [(0, 1, 2), (2, 1, 3), (1, 3, 2)] {
            assert_eq!(Bounds::new(min, default, max, Manner::Refuse), Err(Disorder));
        }
    }
}

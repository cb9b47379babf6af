//! Algorithm and cost of a password derivation.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Algorithm and cost of a password derivation. The output is always 32 octets.
///
/// The numbers may come from a store, an import or a configuration, so whoever spends them calls [`Scheme::bounded`] first;
/// [`Hash`](super::Hash) and `derive` do (security P4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scheme {
    /// Argon2id, version 0x13 (RFC 9106).
    Argon2id {
        /// Memory in KiB: `8 * lanes` to 262144 (256 MiB).
        memory: u32,
        /// Passes over the memory: 1 to 16.
        passes: u32,
        /// Lanes: 1 to 16.
        lanes: u32,
    },
    /// PBKDF2-HMAC-SHA256 (RFC 8018): read and checked, but too weak a choice for new hashes.
    Pbkdf2Sha256 {
        /// Iterations: 1000 to 10000000.
        iterations: u32,
    },
}

/// The floor of security P4: m=19456 KiB, t=2, p=1.
impl Default for Scheme {
    fn default() -> Self {
        Self::Argon2id { memory: 19_456, passes: 2, lanes: 1 }
    }
}

impl Scheme {
    /// The scheme itself when its cost is within bounds. At the upper ones a derivation takes seconds, not minutes, and
    /// 256 MiB: a hostile store or import cannot ask for more.
    ///
    /// # Errors
    /// Names the first number out of bounds.
    pub const fn bounded(self) -> Result<Self, SchemeError> {
        match self {
            Self::Argon2id { lanes, .. } if lanes < 1 || lanes > MAX_LANES => Err(SchemeError::Lanes { lanes }),
            Self::Argon2id { memory, lanes, .. } if memory < MIN_MEMORY_PER_LANE * lanes || memory > MAX_MEMORY => {
                Err(SchemeError::Memory { memory })
            }
            Self::Argon2id { passes, .. } if passes < 1 || passes > MAX_PASSES => Err(SchemeError::Passes { passes }),
            Self::Pbkdf2Sha256 { iterations } if iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS => {
                Err(SchemeError::Iterations { iterations })
            }
            Self::Argon2id { .. } | Self::Pbkdf2Sha256 { .. } => Ok(self),
        }
    }

    /// Whether new hashes may be made with it: Argon2id with at least m=19456 KiB and t=2 (security P4), or with the one pass
    /// over m=47104 KiB that OWASP holds for as good. PBKDF2 never may.
    pub const fn meets_floor(self) -> bool {
        match self {
            Self::Argon2id { memory, passes, .. } => (memory >= 19_456 && passes >= 2) || memory >= 47_104,
            Self::Pbkdf2Sha256 { .. } => false,
        }
    }

    /// The one of two that costs a guesser more: Argon2id before PBKDF2, then the larger numbers.
    pub(super) fn stronger(self, other: Self) -> Self {
        match (self, other) {
            (Self::Argon2id { .. }, Self::Pbkdf2Sha256 { .. }) => self,
            (Self::Pbkdf2Sha256 { .. }, Self::Argon2id { .. }) => other,
            (Self::Argon2id { .. }, Self::Argon2id { .. }) | (Self::Pbkdf2Sha256 { .. }, Self::Pbkdf2Sha256 { .. }) => {
                self.max(other)
            }
        }
    }
}

/// Why a derivation cannot be computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SchemeError {
    /// Argon2id memory out of bounds.
    Memory {
        /// KiB asked for.
        memory: u32,
    },
    /// Argon2id passes out of bounds.
    Passes {
        /// Passes asked for.
        passes: u32,
    },
    /// Argon2id lanes out of bounds.
    Lanes {
        /// Lanes asked for.
        lanes: u32,
    },
    /// PBKDF2 iterations out of bounds.
    Iterations {
        /// Iterations asked for.
        iterations: u32,
    },
    /// The salt is shorter than Argon2id takes.
    Salt {
        /// Octets of the salt.
        octets: usize,
    },
    /// The memory for the derivation could not be had.
    OutOfMemory,
}

impl SchemeError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Memory { .. } => "scheme_memory_out_of_bounds",
            Self::Passes { .. } => "scheme_passes_out_of_bounds",
            Self::Lanes { .. } => "scheme_lanes_out_of_bounds",
            Self::Iterations { .. } => "scheme_iterations_out_of_bounds",
            Self::Salt { .. } => "scheme_salt_out_of_bounds",
            Self::OutOfMemory => "scheme_out_of_memory",
        }
    }
}

impl fmt::Display for SchemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { memory } => {
                write!(
                    f,
                    "`{memory}` KiB of Argon2id memory are not within {MIN_MEMORY_PER_LANE} per lane and {MAX_MEMORY}"
                )
            }
            Self::Passes { passes } => write!(f, "`{passes}` Argon2id passes are not within 1 and {MAX_PASSES}"),
            Self::Lanes { lanes } => write!(f, "`{lanes}` Argon2id lanes are not within 1 and {MAX_LANES}"),
            Self::Iterations { iterations } => {
                write!(f, "`{iterations}` PBKDF2 iterations are not within {MIN_ITERATIONS} and {MAX_ITERATIONS}")
            }
            Self::Salt { octets } => {
                write!(f, "a salt of `{octets}` octets is too short for Argon2id, which takes 8 at least")
            }
            Self::OutOfMemory => f.write_str("the memory for a password derivation could not be had"),
        }
    }
}

impl core::error::Error for SchemeError {}

/// RFC 9106 section 3.1: at least 8 blocks of 1 KiB for each lane.
const MIN_MEMORY_PER_LANE: u32 = 8;
const MAX_MEMORY: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;
const MIN_ITERATIONS: u32 = 1_000;
const MAX_ITERATIONS: u32 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const fn argon2id(memory: u32, passes: u32, lanes: u32) -> Scheme {
        Scheme::Argon2id { memory, passes, lanes }
    }

    const fn pbkdf2(iterations: u32) -> Scheme {
        Scheme::Pbkdf2Sha256 { iterations }
    }

    #[track_caller]
    fn check(scheme: Scheme, expected: Result<(), &str>) {
        assert_eq!(scheme.bounded().map_err(SchemeError::code), expected.map(|()| scheme));
    }

    #[test]
    fn bounds_are_inclusive() {
        check(Scheme::default(), Ok(()));
        check(argon2id(8, 1, 1), Ok(()));
        check(argon2id(7, 1, 1), Err("scheme_memory_out_of_bounds"));
        check(argon2id(128, 1, 16), Ok(()));
        check(argon2id(127, 1, 16), Err("scheme_memory_out_of_bounds"));
        check(argon2id(262_144, 16, 16), Ok(()));
        check(argon2id(262_145, 16, 16), Err("scheme_memory_out_of_bounds"));
        check(argon2id(262_144, 17, 16), Err("scheme_passes_out_of_bounds"));
        check(argon2id(262_144, 0, 16), Err("scheme_passes_out_of_bounds"));
        check(argon2id(262_144, 16, 17), Err("scheme_lanes_out_of_bounds"));
        check(argon2id(262_144, 16, 0), Err("scheme_lanes_out_of_bounds"));
        check(argon2id(u32::MAX, u32::MAX, u32::MAX), Err("scheme_lanes_out_of_bounds"));
        check(pbkdf2(1_000), Ok(()));
        check(pbkdf2(999), Err("scheme_iterations_out_of_bounds"));
        check(pbkdf2(10_000_000), Ok(()));
        check(pbkdf2(10_000_001), Err("scheme_iterations_out_of_bounds"));
    }

    #[track_caller]
    fn check_floor(scheme: Scheme, expected: bool) {
        assert_eq!(scheme.meets_floor(), expected);
    }

    #[test]
    fn the_floor_is_that_of_p4() {
        check_floor(Scheme::default(), true);
        check_floor(argon2id(19_455, 2, 1), false);
        check_floor(argon2id(19_456, 1, 1), false);
        check_floor(argon2id(19_456, 3, 4), true);
        check_floor(argon2id(47_104, 1, 1), true);
        check_floor(argon2id(47_103, 1, 1), false);
        check_floor(argon2id(8, 16, 1), false);
        check_floor(pbkdf2(10_000_000), false);
    }

    #[test]
    fn every_encoding_reads_back() {
        for scheme in [Scheme::default(), pbkdf2(600_000)] {
            let json = serde_json::to_string(&scheme).unwrap();
            assert_eq!(serde_json::from_str::<Scheme>(&json).unwrap(), scheme);
            let binary = postcard::to_allocvec(&scheme).unwrap();
            assert_eq!(postcard::from_bytes::<Scheme>(&binary).unwrap(), scheme);
        }
        let file: alloc::collections::BTreeMap<alloc::string::String, Scheme> =
            toml::from_str("scheme = { argon2id = { memory = 19456, passes = 2, lanes = 1 } }").unwrap();
        assert_eq!(file["scheme"], Scheme::default());
        assert!(serde_json::from_str::<Scheme>(r#"{"pbkdf2_sha256":{"iterations":600000,"length":32}}"#).is_err());
    }
}

//! Computing a derivation in this crate, for drivers without a native one of their own.

use super::{Scheme, SchemeError, hash::OUTPUT};
use crate::seam::Derivation;
use alloc::{vec, vec::Vec};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use core::fmt;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// The 32 octets for `derivation`. Takes some 15 ms natively at the default cost, so it belongs on a thread that may block.
///
/// # Errors
/// When the scheme is out of bounds, Argon2id is given a salt of less than 8 octets, or the memory cannot be had. How long the salt of a
/// stored hash may be is checked where the hash is read ([`Hash`](super::Hash)).
pub fn derive(derivation: &Derivation, memory: &mut Memory) -> Result<Zeroizing<Vec<u8>>, SchemeError> {
    let Derivation { scheme, salt, password } = derivation;
    let mut output = Zeroizing::new(vec![0; OUTPUT]);
    match scheme.bounded()? {
        Scheme::Argon2id { memory: kib, passes, lanes } => {
            let params = Params::new(kib, passes, lanes, Some(OUTPUT)).map_err(|_| SchemeError::Memory { memory: kib })?;
            let blocks = memory.lend(params.block_count())?;
            let computed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into_with_memory(password, salt, &mut output, blocks)
                .map_err(|_| SchemeError::Salt { octets: salt.len() });
            memory.take_back(passes);
            computed?;
        }
        Scheme::Pbkdf2Sha256 { iterations } => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut output),
    }
    Ok(output)
}

/// The memory of one derivation after another: reusing it makes Argon2id 1.7 times as fast. One for each thread that derives.
///
/// Keeps what a derivation at `keep` needs and gives back what a costlier one took beyond it (security P5). Cleared on drop.
pub struct Memory {
    blocks: Vec<Block>,
    keep: usize,
}

impl Memory {
    /// Memory that fits `keep`, the scheme of most derivations. Takes none until the first.
    pub const fn new(keep: Scheme) -> Self {
        let keep = match keep {
            // A block is 1 KiB.
            Scheme::Argon2id { memory, .. } => memory as usize,
            Scheme::Pbkdf2Sha256 { .. } => 0,
        };
        Self { blocks: Vec::new(), keep }
    }

    /// At least `count` blocks. What they hold does not matter: the first pass writes all that later ones read.
    fn lend(&mut self, count: usize) -> Result<&mut [Block], SchemeError> {
        if let Some(missing) = count.checked_sub(self.blocks.len()) {
            self.blocks.try_reserve_exact(missing).map_err(|_| SchemeError::OutOfMemory)?;
            self.blocks.resize(count, Block::new());
        }
        self.blocks.get_mut(..count).ok_or(SchemeError::OutOfMemory)
    }

    /// After a single pass the first blocks are still a fast function of the password, so they are cleared at once; after more,
    /// every block costs a guesser the whole derivation and may wait for the next one.
    fn take_back(&mut self, passes: u32) {
        if passes == 1 {
            self.blocks.iter_mut().for_each(Zeroize::zeroize);
        }
        if self.blocks.len() > self.keep {
            self.blocks.iter_mut().skip(self.keep).for_each(Zeroize::zeroize);
            self.blocks.truncate(self.keep);
            self.blocks.shrink_to_fit();
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(Scheme::default())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("kib", &self.blocks.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::prepare;

    const CHEAP: Scheme = Scheme::Argon2id { memory: 64, passes: 2, lanes: 1 };
    const SINGLE: Scheme = Scheme::Argon2id { memory: 64, passes: 1, lanes: 1 };
    const COSTLY: Scheme = Scheme::Argon2id { memory: 512, passes: 3, lanes: 4 };
    const PBKDF2: Scheme = Scheme::Pbkdf2Sha256 { iterations: 1_000 };

    fn derivation(scheme: Scheme, salt: &[u8], password: &str) -> Derivation {
        Derivation { scheme, salt: salt.to_vec(), password: prepare(password).unwrap() }
    }

    fn derived(scheme: Scheme, password: &str, memory: &mut Memory) -> Vec<u8> {
        derive(&derivation(scheme, &[1; 16], password), memory).unwrap().to_vec()
    }

    #[track_caller]
    fn check(scheme: Scheme, salt: &[u8], expected: Result<usize, &str>) {
        let got = derive(&derivation(scheme, salt, "password"), &mut Memory::default());
        assert_eq!(got.map(|octets| octets.len()).map_err(SchemeError::code), expected);
    }

    #[test]
    fn cost_and_salt_are_bounded_before_use() {
        check(CHEAP, &[1; 8], Ok(32));
        check(CHEAP, &[1; 7], Err("scheme_salt_out_of_bounds"));
        check(PBKDF2, &[1; 8], Ok(32));
        check(Scheme::Argon2id { memory: u32::MAX, passes: 1, lanes: 1 }, &[1; 8], Err("scheme_memory_out_of_bounds"));
        check(Scheme::Argon2id { memory: 64, passes: u32::MAX, lanes: 1 }, &[1; 8], Err("scheme_passes_out_of_bounds"));
        check(Scheme::Argon2id { memory: 64, passes: 1, lanes: 0 }, &[1; 8], Err("scheme_lanes_out_of_bounds"));
        check(Scheme::Pbkdf2Sha256 { iterations: u32::MAX }, &[1; 8], Err("scheme_iterations_out_of_bounds"));
    }

    #[test]
    fn used_memory_gives_the_same_as_fresh() {
        let mut memory = Memory::new(COSTLY);
        for scheme in [COSTLY, CHEAP, COSTLY, SINGLE, PBKDF2, CHEAP, SINGLE, COSTLY] {
            let used = derived(scheme, "password", &mut memory);
            assert_eq!(used, derived(scheme, "password", &mut Memory::new(scheme)));
        }
    }

    #[test]
    fn memory_beyond_what_is_kept_is_given_back() {
        let mut memory = Memory::new(CHEAP);
        derived(COSTLY, "password", &mut memory);
        assert_eq!(memory.blocks.len(), 64);
        assert!(memory.blocks.capacity() < 512);
    }

    #[test]
    fn memory_is_cleared_after_a_single_pass() {
        let mut memory = Memory::new(CHEAP);
        derived(CHEAP, "password", &mut memory);
        assert!(memory.blocks.iter().any(|block| block.as_ref().iter().any(|word| *word != 0)));
        derived(SINGLE, "password", &mut memory);
        assert!(memory.blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[track_caller]
    fn check_same(one: &str, other: &str, same: bool) {
        for scheme in [CHEAP, PBKDF2] {
            let mut memory = Memory::new(scheme);
            assert_eq!(derived(scheme, one, &mut memory) == derived(scheme, other, &mut memory), same);
        }
    }

    #[test]
    fn one_password_is_one_text_in_full() {
        let long = "x".repeat(72);
        check_same("caf\u{e9}", "cafe\u{301}", true);
        check_same(&(long.clone() + "a"), &(long + "b"), false);
        check_same("a\0b", "a\0c", false);
        check_same("password", "Password", false);
        check_same("password", "password ", false);
    }
}

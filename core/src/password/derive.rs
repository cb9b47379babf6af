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
/// When scheme or salt are out of bounds or the memory cannot be had.
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
            self.blocks.iter_mut().for_each(clear);
        }
        if self.blocks.len() > self.keep {
            self.blocks.iter_mut().skip(self.keep).for_each(clear);
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
        self.blocks.iter_mut().for_each(clear);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("kib", &self.blocks.len()).finish_non_exhaustive()
    }
}

fn clear(block: &mut Block) {
    block.as_mut().zeroize();
}

//! What a server has to stand: kills, floods, stalled clients, racing changes, damaged requests, full disks.
//!
//! Each module runs one kind of it against the server binary and gives figures. The suite runs each for a moment; the program
//! `torture` runs them for long and prints what they say.

pub mod api;
pub mod disk;
pub mod kill;
pub mod load;
pub mod mutate;
pub mod rotate;
pub mod secrets;
pub mod serial;
pub mod timing;

/// Numbers that look random and are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`, which is not 0.
    pub fn roll(&mut self, sides: usize) -> usize {
        // Xorshift*, as by Vigna.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap_or(0) % sides
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

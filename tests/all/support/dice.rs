//! Chance, that can be had again.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// Pseudo-random numbers.
pub struct Dice {
    seed: u64,
    state: u64,
}

/// How many rounds of chance a test has: what `SCRATCHDBG_KILL_ROUNDS` says, or a few.
pub fn rounds(few: u32) -> u32 {
    env::var("SCRATCHDBG_KILL_ROUNDS").ok().map_or(few, |text| text.parse().expect("a number of rounds"))
}

impl Dice {
    /// By the clock, or by `SCRATCHDBG_KILL_SEED`.
    pub fn thrown() -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = env::var("SCRATCHDBG_KILL_SEED").ok().map(|text| text.parse().expect("a seed"));
        let seed = seed.unwrap_or(u64::from(clock.subsec_nanos()) | 1);
        Self { seed, state: seed }
    }

    /// What to say, so that it can be had again.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number below `below`.
    pub fn below(&mut self, below: u64) -> u64 {
        // xorshift64 (Marsaglia, 2003)
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

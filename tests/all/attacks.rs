//! Containers that fight back, and how often they win: against us, which must be never, and against the naive way in,
//! which shows that the attack is one.
//!
//! `scripts/attack-test` prints the scores.

mod showing;
mod stalling;
mod swapping;
mod taking;
mod watching;

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::support::container::Container;
use crate::support::engine::docker;

/// How often an attack was tried, and how often it won.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    won: usize,
    tried: usize,
}

impl Score {
    /// Tries an attack so often.
    fn of(tries: usize, mut wins: impl FnMut(usize) -> bool) -> Self {
        let mut score = Self::default();
        (0..tries).for_each(|turn| score.count(wins(turn)));
        score
    }

    /// Tries an attack until it wins, or so often.
    fn until_won(tries: usize, mut wins: impl FnMut() -> bool) -> Self {
        let mut score = Self::default();
        while score.won == 0 && score.tried < tries {
            score.count(wins());
        }
        score
    }

    fn count(&mut self, won: bool) {
        self.tried += 1;
        self.won += usize::from(won);
    }
}

/// Asserts that an attack works against the naive way and never against us, and tells the scores.
#[track_caller]
fn settle(attack: &str, naive: Score, ours: Score) {
    let line = format!(
        "{attack:<66} the naive way {:>3} of {:<6} scratchdbg {:>3} of {}\n",
        naive.won, naive.tried, ours.won, ours.tried
    );
    // Not eprintln: that is kept back when a test passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(list) = std::env::var_os("SCRATCHDBG_SCORES") {
        let file = OpenOptions::new().append(true).create(true).open(list);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the scores can be written");
    }
    assert!(naive.won > 0, "the attack does not even work against the naive way: {line}");
    assert!(ours.tried > 0 && ours.won == 0, "{line}");
}

/// The lines that an attacker has printed which begin with this word, without it.
fn said(attacker: &Container, word: &str) -> Vec<String> {
    let log = docker(&["logs", attacker.id()]);
    log.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).map(str::to_owned).collect()
}

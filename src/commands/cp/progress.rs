//! How far a copy is, on standard error, if that is a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::inspect::files::human_size;

/// How often it is shown anew.
const EVERY: Duration = Duration::from_millis(200);

/// Counts bytes, and shows them now and then.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    shown: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    done: u64,
    last: Instant,
    drawn: bool,
}

impl Progress {
    /// Silent unless standard error is a terminal.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let state = State { done: 0, last: Instant::now(), drawn: false };
        Self { quiet, shown: !quiet && io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    /// So many bytes more.
    pub fn add(&self, bytes: u64) {
        let Ok(mut state) = self.state.lock() else { return };
        state.done = state.done.saturating_add(bytes);
        if self.shown && state.last.elapsed() >= EVERY {
            state.last = Instant::now();
            state.drawn = true;
            let _ = write!(io::stderr(), "\r{} copied\x1b[K", human_size(state.done));
        }
    }

    /// Writes what is worth knowing and no error, unless all shall be quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Writes a line to standard error, out of the way of the count.
    pub fn line(&self, text: &str) {
        self.clear();
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Takes the count off the terminal.
    pub fn clear(&self) {
        let Ok(mut state) = self.state.lock() else { return };
        if std::mem::take(&mut state.drawn) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

//! All goroutines of a Go program that runs on: read from the runtime's own structures in its memory, with stacks unwound by
//! the tables that the linker left in every program. Nothing is stopped, traced or changed, and a stripped program is as good
//! as any.
//!
//! What is read moves. A goroutine counts once its structure is the same before its stack was read and after; otherwise it is
//! read again, and after some rounds it is counted as moving. That is told, and is no error.

mod error;
pub mod figures;
pub mod filter;
pub mod folded;
mod fuzzed;
pub mod group;
mod labels;
mod locate;
pub mod memory;
pub mod merge;
pub mod panic;
mod raw;
mod read;
mod session;
pub mod unwind;
pub mod watch;

use std::time::Duration;

use serde::Serialize;

pub use self::error::Error;
pub use self::figures::Figures;
pub use self::session::{PATIENCE, Session};
use crate::golang::symbols::Frame;
use crate::text::Untrusted;

/// The most goroutines of a process that are read.
pub const MOST: usize = 4 << 20;

/// What a goroutine does (`runtime2.go`, `_Gidle` and below).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It could run, and waits for its turn.
    Runnable,
    /// It runs: where, only it knows.
    Running,
    /// It is in a system call, or in C.
    Syscall,
    /// It waits for something.
    Waiting,
    /// Its stack is being moved.
    Copystack,
    /// It was stopped by the runtime, and will go on.
    Preempted,
    /// It waits for what cannot come any more (since Go 1.26).
    Leaked,
    /// It is something this release of scratchdbg does not know.
    Unknown,
}

impl State {
    /// The word of the runtime's own dumps.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Runnable => "runnable",
            Self::Running => "running",
            Self::Syscall => "syscall",
            Self::Waiting => "waiting",
            Self::Copystack => "copystack",
            Self::Preempted => "preempted",
            Self::Leaked => "leaked",
            Self::Unknown => "???",
        }
    }
}

/// A goroutine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goroutine {
    /// Its number.
    pub id: u64,
    /// What it does.
    pub state: State,
    /// What it waits for, in the runtime's words, where it waits.
    pub reason: Option<&'static str>,
    /// How long it has waited at least: since the garbage collector first saw it wait. Go notes nothing earlier.
    pub waited: Option<Duration>,
    /// Who started it; 0 where that is not known, as before Go 1.21.
    pub parent: u64,
    /// Where it was started: a call, by number. `None` of the first one.
    pub created_by: Option<u32>,
    /// Its thread, as numbered inside, while it has one.
    pub thread: Option<u64>,
    /// Whether it stays on its thread.
    pub locked: bool,
    /// Its labels, by number (`runtime/pprof`).
    pub labels: Option<u32>,
    /// Its stack, by number; `None` if it has none that can be read, being about to run.
    pub stack: Option<u32>,
    /// Whether it is one of the runtime's own.
    pub system: bool,
}

impl Goroutine {
    /// What it does, as the runtime's own dumps say it: `chan receive`, `running`.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self.state {
            State::Waiting | State::Leaked => self.reason.unwrap_or(self.state.word()),
            state => state.word(),
        }
    }
}

/// A stack that one or more goroutines have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stack {
    /// Calls, by number, innermost first.
    pub calls: Vec<u32>,
    /// Whether it has more than were followed.
    pub cut: bool,
}

/// Labels of a goroutine.
pub type Labels = Vec<(Untrusted, Untrusted)>;

/// How the reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Goroutines that are listed. Those that have ended wait to be used again, and do not count.
    pub alive: usize,
    /// Read again, having changed while they were read.
    pub retried: usize,
    /// Changed each time they were read: they are listed, without a stack.
    pub moving: usize,
    /// Could not be read.
    pub unreadable: usize,
    /// More than are read.
    pub left_out: usize,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dump {
    /// The goroutines, by number.
    pub goroutines: Vec<Goroutine>,
    /// Stacks, each once.
    pub stacks: Vec<Stack>,
    /// Calls as a person knows them, innermost first: the function, and what was inlined into it before that.
    pub calls: Vec<Vec<Frame>>,
    /// Where they are in the running program: what tells a call from others in every reading.
    pub addresses: Vec<u64>,
    /// Labels, each once.
    pub labels: Vec<Labels>,
    /// How the reading went.
    pub tally: Tally,
    /// What the runtime says of itself.
    pub figures: Figures,
    /// How long it took.
    pub took: Duration,
}

impl Dump {
    /// The calls of a goroutine, innermost first.
    pub fn frames(&self, stack: Option<u32>) -> impl Iterator<Item = &Frame> {
        let stack = stack.and_then(|number| self.stacks.get(number as usize));
        stack.into_iter().flat_map(|stack| &stack.calls).flat_map(|&call| self.call(call))
    }

    /// A call as a person knows it, innermost first.
    #[must_use]
    pub fn call(&self, number: u32) -> &[Frame] {
        self.calls.get(number as usize).map_or(&[], Vec::as_slice)
    }

    /// The calls of a goroutine that Go itself would show; all of them if it shows none.
    #[must_use]
    pub fn shown(&self, stack: Option<u32>, all: bool) -> Vec<&Frame> {
        let frames: Vec<_> = self.frames(stack).collect();
        if all {
            return frames;
        }
        let mut shown = Vec::with_capacity(frames.len());
        let mut inner = None;
        for &frame in &frames {
            if frame.is_shown(inner, shown.is_empty()) {
                shown.push(frame);
            }
            inner = Some(frame);
        }
        if shown.is_empty() { frames } else { shown }
    }

    /// Who started a goroutine, as the runtime tells it: the function, and where the `go` statement is, be that inlined.
    #[must_use]
    pub fn creator(&self, call: Option<u32>) -> Option<Frame> {
        let frames = self.call(call?);
        let (first, last) = (frames.first()?, frames.last()?);
        Some(Frame { file: first.file.clone(), line: first.line, ..last.clone() })
    }

    /// Labels of a goroutine.
    #[must_use]
    pub fn labels(&self, number: Option<u32>) -> &[(Untrusted, Untrusted)] {
        number.and_then(|number| self.labels.get(number as usize)).map_or(&[], Vec::as_slice)
    }
}

/// Parses arbitrary bytes as what the memory of a Go program may hold. For fuzzing: must not panic, and must end.
pub fn fuzz(bytes: &[u8]) {
    fuzzed::run(bytes);
}

#[cfg(test)]
mod tests;

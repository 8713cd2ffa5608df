//! Threads, and why everything stands still.

use super::{Breakpoint, Frame, Goroutine, Location, Variable};
use crate::text::Untrusted;

/// A thread.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thread {
    /// Its number: on this host, or inside if it is of a core.
    pub id: i64,
    /// Where it is.
    pub location: Location,
    /// The goroutine it runs.
    pub goroutine: Option<i64>,
    /// The breakpoint it is at, with what is to be told of each hit.
    pub hit: Option<Hit>,
    /// What the function returned that was stepped out of or called.
    pub returned: Vec<Variable>,
}

/// A breakpoint was hit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hit {
    /// Which one.
    pub breakpoint: Breakpoint,
    /// What its expressions gave.
    pub variables: Vec<Variable>,
    /// The arguments of the function.
    pub arguments: Vec<Variable>,
    /// The innermost calls.
    pub stack: Vec<Frame>,
}

/// Why the target stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// It was attached to, or is a core.
    Attached,
    /// A breakpoint was hit.
    Breakpoint,
    /// The program itself has a breakpoint in its code.
    Hardcoded,
    /// It was asked to stop.
    Halted,
    /// The step is done.
    Stepped,
    /// The call returned.
    Called,
    /// What is watched has changed.
    Watchpoint,
    /// The program panicked, or the runtime found a fatal error.
    Panicked,
    /// Delve does not say.
    Unknown,
}

/// The target as Delve last saw it. While it runs only [`State::running`] says anything.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The process, on this host.
    pub pid: i64,
    /// Whether it runs.
    pub running: bool,
    /// The status it ended with.
    pub exited: Option<i64>,
    /// Why it stands still.
    pub stop: Stop,
    /// The goroutine that is looked at.
    pub goroutine: Option<Goroutine>,
    /// The thread that is looked at.
    pub thread: Option<Thread>,
    /// Every thread.
    pub threads: Vec<Thread>,
    /// Whether a step was interrupted by a breakpoint, and goes on with the next continue.
    pub step_interrupted: bool,
}

impl State {
    /// Every breakpoint that a thread is at.
    pub fn hits(&self) -> impl Iterator<Item = (&Thread, &Hit)> {
        self.threads.iter().filter_map(|thread| Some((thread, thread.hit.as_ref()?)))
    }

    /// Whether it stands still only because tracepoints were hit: to be logged, and to run on.
    #[must_use]
    pub fn only_traced(&self) -> bool {
        self.stop == Stop::Breakpoint
            && self.hits().next().is_some()
            && self.hits().all(|(_, hit)| hit.breakpoint.tracepoint)
    }
}

/// The name of Delve's own breakpoint on panics that nobody recovers.
pub(crate) const UNRECOVERED_PANIC: &[u8] = b"unrecovered-panic";
/// The name of Delve's own breakpoint on the runtime's fatal errors.
pub(crate) const FATAL_THROW: &[u8] = b"runtime-fatal-throw";

impl Hit {
    /// Whether the program is about to die of a panic or a fatal error.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.breakpoint.name.bytes(), UNRECOVERED_PANIC | FATAL_THROW)
    }

    /// The text of the panic, if this is one.
    #[must_use]
    pub fn panic_text(&self) -> Option<&Untrusted> {
        self.is_panic().then(|| self.variables.first().map(|variable| &variable.value)).flatten()
    }
}

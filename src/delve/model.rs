//! What a debugger knows, in our own terms. Every text is from the target's memory or its file, hence [`Untrusted`].

mod breakpoint;
mod goroutine;
mod state;
mod variable;
mod wait;

pub use self::breakpoint::{Breakpoint, Change, NewBreakpoint, Place};
pub use self::goroutine::{Filter, Goroutine, Group, Grouping, Groups, Label, Matching, Page, Status};
pub use self::state::{Hit, State, Stop, Thread};
pub use self::variable::{Kind, Load, More, Variable};
pub use self::wait::Wait;

use crate::text::Untrusted;

/// A place in the program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The function, `main.(*server).handle`. Empty if nobody knows.
    pub function: Untrusted,
    /// The source file as the compiler knew it. Empty if nobody knows.
    pub file: Untrusted,
    /// The line, from 1 on. 0 if nobody knows.
    pub line: u32,
    /// The address of the instruction.
    pub pc: u64,
    /// Whether the compiler optimised the function, so that variables may be missing and steps jump.
    pub optimised: bool,
}

/// One call of a stack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// Where it is.
    pub location: Location,
    /// What it was called with; empty unless asked for.
    pub arguments: Vec<Variable>,
    /// Its local variables; empty unless asked for.
    pub locals: Vec<Variable>,
    /// The calls it has deferred; empty unless asked for.
    pub defers: Vec<Defer>,
    /// Whether it is the outermost: nothing is missing below.
    pub bottom: bool,
    /// Why the stack ends here, if it does so too early.
    pub error: Option<Untrusted>,
}

/// A deferred call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defer {
    /// What will be called.
    pub call: Location,
    /// The statement that deferred it.
    pub statement: Location,
    /// Why it could not be read.
    pub unreadable: Option<Untrusted>,
}

/// In which call an expression or a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The goroutine. `None` is the current one.
    pub goroutine: Option<i64>,
    /// Its call, 0 the innermost.
    pub frame: usize,
    /// One of the calls that the frame deferred, from 1 on. 0 is the frame itself.
    pub deferred: usize,
}

impl Scope {
    /// A call of a goroutine.
    #[must_use]
    pub fn of(goroutine: i64, frame: usize) -> Self {
        Self { goroutine: Some(goroutine), frame, deferred: 0 }
    }

    /// The innermost call of the current goroutine.
    #[must_use]
    pub fn current() -> Self {
        Self { goroutine: None, frame: 0, deferred: 0 }
    }
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instruction {
    /// Where it is.
    pub location: Location,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// As Go's assembler writes it.
    pub text: Untrusted,
    /// Where it jumps or calls to.
    pub destination: Option<Location>,
    /// Whether a breakpoint is set on it.
    pub breakpoint: bool,
    /// Whether it is the next to be executed.
    pub current: bool,
}

/// A register of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Register {
    /// Its name, `Rip`.
    pub name: Untrusted,
    /// What is in it, `0x000000000046c1e3`.
    pub value: Untrusted,
}

/// A rule for source files: what the program calls `from` is `to` on this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathRule {
    /// As the program has it.
    pub from: Untrusted,
    /// As this host has it.
    pub to: Untrusted,
}

/// Which Delve, and what it looks at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions {
    /// Delve's, `1.27.1`.
    pub delve: Untrusted,
    /// The Go that built the program, `go1.24.11`. Empty if it is stripped.
    pub go: Untrusted,
    /// How it looks at it: `native`, `core`.
    pub backend: Untrusted,
}

impl Versions {
    /// The minor version of Go: 24 for `go1.24.11`, `go1.24rc1`.
    #[must_use]
    pub fn go_minor(&self) -> Option<u32> {
        super::version::go_minor(&self.go.lossy())
    }
}

//! Goroutines, one by one, in pages and in groups.

use super::{Location, Wait};
use crate::text::Untrusted;

/// A goroutine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goroutine {
    /// Its number. Negative or 0 for what only looks like one.
    pub id: i64,
    /// What it does.
    pub status: Status,
    /// What it waits for, while it waits.
    pub wait: Option<Wait>,
    /// Since when it waits: nanoseconds of the kernel's monotonic clock. The runtime notes it only now and then.
    pub waits_since: Option<u64>,
    /// Where it is, often deep in the runtime.
    pub current: Location,
    /// Where it is in code that is not the runtime's.
    pub user: Location,
    /// The `go` statement that made it.
    pub go_statement: Location,
    /// The function it began with.
    pub start: Location,
    /// The thread it runs on.
    pub thread: Option<i64>,
    /// Its pprof labels, by name.
    pub labels: Vec<Label>,
    /// Why it could not be read.
    pub unreadable: Option<Untrusted>,
}

/// A pprof label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Its name.
    pub key: Untrusted,
    /// What it was set to.
    pub value: Untrusted,
}

/// What a goroutine does (runtime2.go).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Just made.
    Idle,
    /// Would run if there was a thread for it.
    Runnable,
    /// Runs.
    Running,
    /// In a system call.
    Syscall,
    /// Waits.
    Waiting,
    /// Ended.
    Dead,
    /// Its stack is being moved.
    CopyStack,
    /// Stopped by the runtime.
    Preempted,
    /// The collector found that nobody can wake it (since Go 1.26).
    Leaked,
    /// A number that nobody here knows.
    Other(u64),
}

impl Status {
    /// From the runtime's number. The bit of the collector, which scans it, does not count.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        match number & !0x1000 {
            0 => Self::Idle,
            1 => Self::Runnable,
            2 => Self::Running,
            3 => Self::Syscall,
            4 => Self::Waiting,
            6 => Self::Dead,
            8 => Self::CopyStack,
            9 => Self::Preempted,
            10 => Self::Leaked,
            other => Self::Other(other),
        }
    }

    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Runnable => "runnable",
            Self::Running => "running",
            Self::Syscall => "syscall",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
            Self::CopyStack => "copystack",
            Self::Preempted => "preempted",
            Self::Leaked => "leaked",
            Self::Other(_) => "unknown",
        }
    }
}

/// Some goroutines of many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// They, in the runtime's order.
    pub goroutines: Vec<Goroutine>,
    /// Where the next page starts. `None`: these were the last.
    pub next: Option<u64>,
}

/// Goroutines that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// What they have in common.
    pub name: Untrusted,
    /// How many there are.
    pub total: u64,
    /// The first of them.
    pub members: Vec<Goroutine>,
}

/// All groups, or as many as were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    /// The groups, as Delve sorted them.
    pub groups: Vec<Group>,
    /// Whether there are more groups than were asked for.
    pub more: bool,
    /// Where the goroutines begin that were not looked at yet.
    pub next: Option<u64>,
}

/// Which goroutines are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What must be so.
    pub matching: Matching,
    /// Whether it must not be so.
    pub negated: bool,
}

/// What a goroutine is sorted out by. The texts are parts of `file:line` and function as Delve prints them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matching {
    /// Where it is.
    Current(String),
    /// Where it is in code that is not the runtime's.
    User(String),
    /// The `go` statement that made it.
    GoStatement(String),
    /// The function it began with.
    Start(String),
    /// It has this label: `key=value`, or `key` with any value.
    Label(String),
    /// It is on a thread.
    Running,
    /// It is not the runtime's own.
    NotRuntime,
    /// It waits on the channel of this expression.
    OnChannel(String),
}

/// What goroutines are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// Where they are.
    Current,
    /// Where they are in code that is not the runtime's.
    User,
    /// The `go` statement that made them.
    GoStatement,
    /// The function they began with.
    Start,
    /// The value of this label.
    Label(String),
    /// Whether they are on a thread.
    Running,
    /// Whether they are the runtime's own.
    NotRuntime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collectors_bit_does_not_count() {
        assert_eq!(Status::from_number(4), Status::Waiting);
        assert_eq!(Status::from_number(0x1004), Status::Waiting);
        assert_eq!(Status::from_number(u64::MAX), Status::Other(!0x1000));
    }
}

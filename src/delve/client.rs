//! The calls of a debugger, sorted by whether the target is stopped.
#![allow(clippy::todo, unused_variables, clippy::unused_async, missing_docs)]

use tokio::io::{AsyncRead, AsyncWrite};

use super::hold::Hold;
use super::model::{
    Breakpoint, Change, Filter, Frame, Grouping, Groups, Instruction, Load, Location, NewBreakpoint, Page, PathRule,
    Register, Scope, State, Thread, Variable, Versions,
};
use crate::text::{Safe, Untrusted};

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Delve says no.
    #[error("delve: {0}")]
    Refused(Safe),
    /// The connection is closed: Delve ended, or was ended.
    #[error("delve is gone")]
    Gone,
    /// A call was not answered in time. Delve reads nothing more until it has answered it, so the connection is of no
    /// use any more: close it, and Delve lets go of the process.
    #[error("delve did not answer {method} within {seconds} s")]
    Stuck { method: &'static str, seconds: u64 },
    /// What came makes no sense.
    #[error("delve's answer makes no sense: {0}")]
    Malformed(&'static str),
}

/// How the target is to run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// Until something stops it.
    Continue,
    /// To the next line of this function.
    Next,
    /// To the next line, into calls.
    Step,
    /// Until this function returns.
    StepOut,
    /// One instruction.
    StepInstruction,
    /// One instruction, over calls.
    NextInstruction,
    /// Calls a function of the target, in its current goroutine. Evil things may come of it.
    Call(String),
}

/// A connection to Delve while the target is stopped: everything can be asked. To drop it ends Delve, which lets go of the
/// process first.
#[derive(Debug)]
pub struct Stopped {}

/// A connection to Delve while the target runs. To drop it ends Delve, which lets go of the process first.
#[derive(Debug)]
pub struct Running {}

/// Halts and asks, while somebody else waits for the stop.
#[derive(Debug, Clone)]
pub struct Control {}

/// What came after a run.
#[derive(Debug)]
pub enum After {
    /// It stopped.
    Stopped(Stopped, Box<State>),
    /// The process ended, with this status.
    Exited(i64),
    /// It was not set running: Delve says why.
    Refused(Stopped, Error),
}

impl Stopped {
    /// Speaks to a Delve that has just attached or opened a core. Waits until it has. The state is what it found.
    pub async fn open<S>(stream: S, hold: impl Hold) -> Result<(Self, State), Error>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        todo!()
    }
    pub async fn versions(&self) -> Result<Versions, Error> {
        todo!()
    }
    pub async fn state(&self) -> Result<State, Error> {
        todo!()
    }

    pub async fn goroutines(&self, start: u64, count: u32, filters: &[Filter]) -> Result<Page, Error> {
        todo!()
    }
    /// Groups at most `look_at` goroutines from `start` on, and tells at most `members` of each group.
    pub async fn groups(
        &self,
        start: u64,
        look_at: u32,
        by: &Grouping,
        members: u32,
        filters: &[Filter],
    ) -> Result<Groups, Error> {
        todo!()
    }
    /// The calls of a goroutine (`None`: of the current thread, which works on stripped programs too). `load`: with arguments and locals.
    pub async fn stack(&self, goroutine: Option<i64>, depth: u32, load: Option<Load>) -> Result<Vec<Frame>, Error> {
        todo!()
    }
    pub async fn locals(&self, scope: Scope, load: Load) -> Result<Vec<Variable>, Error> {
        todo!()
    }
    pub async fn arguments(&self, scope: Scope, load: Load) -> Result<Vec<Variable>, Error> {
        todo!()
    }
    pub async fn package_variables(&self, filter: &str, load: Load) -> Result<Vec<Variable>, Error> {
        todo!()
    }
    pub async fn eval(&self, scope: Scope, expression: &str, load: Load) -> Result<Variable, Error> {
        todo!()
    }
    pub async fn set(&self, scope: Scope, variable: &str, value: &str) -> Result<(), Error> {
        todo!()
    }

    pub async fn breakpoints(&self) -> Result<Vec<Breakpoint>, Error> {
        todo!()
    }
    pub async fn set_breakpoint(&self, new: &NewBreakpoint) -> Result<Breakpoint, Error> {
        todo!()
    }
    pub async fn change_breakpoint(&self, id: i64, change: &Change) -> Result<(), Error> {
        todo!()
    }
    pub async fn toggle_breakpoint(&self, id: i64) -> Result<Breakpoint, Error> {
        todo!()
    }
    pub async fn clear_breakpoint(&self, id: i64) -> Result<(), Error> {
        todo!()
    }

    /// Where an expression in Delve's notation leads to.
    pub async fn find(&self, scope: Scope, place: &str, rules: &[PathRule]) -> Result<Vec<Location>, Error> {
        todo!()
    }
    /// Source files whose names match a regular expression.
    pub async fn sources(&self, filter: &str) -> Result<Vec<Untrusted>, Error> {
        todo!()
    }
    pub async fn functions(&self, filter: &str) -> Result<Vec<Untrusted>, Error> {
        todo!()
    }
    pub async fn threads(&self) -> Result<Vec<Thread>, Error> {
        todo!()
    }
    /// Of the current thread (`None`) or another one.
    pub async fn registers(&self, thread: Option<i64>) -> Result<Vec<Register>, Error> {
        todo!()
    }
    /// The whole function that an address is in.
    pub async fn disassemble(&self, scope: Scope, address: u64) -> Result<Vec<Instruction>, Error> {
        todo!()
    }
    /// At most 64 KiB.
    pub async fn memory(&self, address: u64, length: u32) -> Result<Vec<u8>, Error> {
        todo!()
    }
    /// Guesses rules for source files. `module`: path and folder of the main module; `goroot`: this host's. Since Delve 1.24.
    pub async fn guess_path_rules(
        &self,
        main_package: &str,
        goroot: &str,
        modules: &[(String, String)],
    ) -> Result<Vec<PathRule>, Error> {
        todo!()
    }

    /// From now on what is current is of this goroutine.
    pub async fn switch_goroutine(&self, id: i64) -> Result<State, Error> {
        todo!()
    }
    pub async fn switch_thread(&self, id: i64) -> Result<State, Error> {
        todo!()
    }
    /// Forgets a step that was interrupted by a breakpoint.
    pub async fn cancel_step(&self) -> Result<(), Error> {
        todo!()
    }

    /// Lets the target run. Waits for the answer to a call that was given up before; nothing else.
    pub async fn resume(self, how: Resume) -> Result<Running, Error> {
        todo!()
    }
    /// Clears our breakpoints, lets go of the process, and waits until Delve has closed the connection.
    pub async fn detach(self) -> Result<(), Error> {
        todo!()
    }
}

impl Running {
    /// For whoever does not wait.
    #[must_use]
    pub fn control(&self) -> Control {
        todo!()
    }
    /// Asks for a stop; [`Running::stopped`] tells when it is there.
    pub async fn halt(&self) -> Result<(), Error> {
        todo!()
    }
    pub async fn state(&self) -> Result<State, Error> {
        todo!()
    }
    /// Waits until the target has stopped. May be dropped and called again. After it [`Running::stopped`] returns at once.
    pub async fn ended(&mut self) {
        todo!()
    }
    /// Waits until the target has stopped.
    pub async fn stopped(self) -> Result<After, Error> {
        todo!()
    }
    /// Halts, then as [`Stopped::detach`].
    pub async fn detach(self) -> Result<(), Error> {
        todo!()
    }
}

impl Control {
    /// Asks for a stop. Does nothing once the run is over.
    pub async fn halt(&self) -> Result<(), Error> {
        todo!()
    }
    /// Does not disturb the target.
    pub async fn state(&self) -> Result<State, Error> {
        todo!()
    }
}

//! What the debugger is asked, and what it answers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::corefile::Weight;
use crate::delve::model::{Breakpoint, Frame, Groups, Instruction, Page, PathRule, Place, State, Variable, Versions};
use crate::delve::version::Limits;
use crate::entry::tracer::Tracee;
use crate::exit::Failure;
use crate::target::ContainerPid;
use crate::text::Untrusted;
use crate::threads::Threads;

/// How long a live process may stand still at a time. Then it is let go.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What a look with the debugger would cost, before anything is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// The process.
    pub process: Tracee,
    /// What to say before Delve is attached to it, because it was entered as it was.
    pub risk: Option<&'static str>,
    /// The Go that built its program; or why no debugger for Go programs will do.
    pub go: Result<String, Failure>,
    /// What there is to be copied.
    pub weight: Weight,
    /// How long copying it will probably stop the process.
    pub pause: Duration,
    /// How long attaching to the process itself will probably stop it, if that can be told.
    pub attaching: Option<Duration>,
    /// The most bytes that would be taken: what this host has room for.
    pub most: u64,
    /// What was stripped from its program, in a file of this host; or why the one that was named is of no use.
    pub debug_file: Result<Option<String>, Failure>,
    /// Breakpoints that were set the last time.
    pub remembered: Vec<Wanted>,
    /// What Delve cannot show of the program, if not everything.
    pub limits: Option<Limits>,
    /// The debugger that would open it, in words; or why there is none.
    pub debugger: Result<String, Failure>,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A process as it was at one moment.
    Snapshot(Snapshot),
    /// A process that runs, and is stopped now and then. Since when it is held.
    Live(SystemTime),
}

/// A process as it was at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When.
    pub at: SystemTime,
    /// How long it was stopped for it.
    pub pause: Duration,
    /// Bytes of memory.
    pub size: u64,
    /// Bytes that are not in it, for want of time or room.
    pub left_out: u64,
}

/// A session that began.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The process, as it is numbered inside.
    pub pid: ContainerPid,
    /// What is looked at.
    pub subject: Subject,
    /// By which debugger.
    pub versions: Versions,
    /// What cannot be seen of the program, if not everything can.
    pub limits: Option<Limits>,
    /// Where the program's sources are on this host.
    pub rules: Rules,
}

/// Where the program's sources are on this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Those that somebody made, and that are remembered.
    pub made: Vec<PathRule>,
    /// Those that were guessed from what is here.
    pub guessed: Vec<PathRule>,
}

/// What comes from the debugger.
#[derive(Debug, Clone)]
pub enum Told {
    /// What is being done on the way to a session.
    Stage(String),
    /// The session begins.
    Opened(Box<Opened>),
    /// There is none, but these are the threads.
    Threads(Box<Threads>),
    /// There is no session; or there is none any more.
    Ended(Failure),
    /// An answer.
    Replied {
        /// What was asked.
        question: Question,
        /// The answer.
        result: Result<Reply, Failure>,
    },
    /// The process was set running, or stopped, or has ended.
    Moved(Motion),
    /// All breakpoints there are now; and what hindered remembering them.
    Breakpoints(Marks, Option<Failure>),
    /// A breakpoint that only logs was hit.
    Traced {
        /// Which one.
        id: i64,
        /// How often it was hit so far.
        hits: u64,
        /// What it logs.
        text: String,
    },
    /// A variable was changed.
    Set {
        /// Which one.
        name: String,
        /// What it is now.
        value: String,
    },
    /// What was to be done with the process or a breakpoint was not.
    Refused(Failure),
    /// The rules for source files are these now; and what hindered remembering them.
    Rules(Rules, Option<Failure>),
}

/// What a process does under a debugger.
#[derive(Debug, Clone, PartialEq)]
pub enum Motion {
    /// It stands still, and has for so long.
    Stopped(Box<State>, Duration),
    /// It runs, and stood still for so long before.
    Running(Duration),
    /// It has ended, with this status.
    Exited(i64),
}

/// How a process is to run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// Until something stops it.
    On,
    /// To the next line of the function.
    Over,
    /// To the next line, into calls.
    Into,
    /// Until the function returns.
    Out,
    /// To a place.
    To(Place),
}

/// A breakpoint that is to be set, as it is remembered from one session to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// Where, in Delve's notation: `/src/shop/store.go:42`, `main.handle`.
    pub place: String,
    /// The function that it was in when it was set; empty if nobody knows.
    #[serde(default)]
    pub function: String,
    /// Stops only if this is true; empty: always.
    #[serde(default)]
    pub condition: String,
    /// Stops only if the number of hits is so, `> 10`, `% 3`; empty: always.
    #[serde(default)]
    pub hit_condition: String,
    /// Whether it only logs.
    #[serde(default)]
    pub tracepoint: bool,
    /// Whether it is in force.
    #[serde(default)]
    pub enabled: bool,
}

/// A breakpoint that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// As the debugger has it.
    pub breakpoint: Breakpoint,
    /// The function that it was in the last time, if that is another one than now.
    pub moved: Option<Untrusted>,
}

/// A breakpoint that could not be set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unset {
    /// Which one.
    pub wanted: Wanted,
    /// Why, in the debugger's words.
    pub why: String,
}

/// All breakpoints of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// Those that are set.
    pub set: Vec<Known>,
    /// Those of the last time that could not be.
    pub unset: Vec<Unset>,
}

impl Marks {
    /// In the order of their numbers: Delve gives them in that of a map, another one each time.
    #[must_use]
    pub fn new(mut set: Vec<Known>, unset: Vec<Unset>) -> Self {
        set.sort_by_key(|known| known.breakpoint.id);
        Self { set, unset }
    }
}

/// What is to be done with a breakpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breakpointing {
    /// Set it.
    Set(Place),
    /// The same, but it only logs.
    Trace(Place),
    /// Take it away.
    Clear(i64),
    /// Let it stop only if this is true; empty: always.
    Condition(i64, String),
    /// Let it stop only if the number of its hits is so; empty: always.
    HitCondition(i64, String),
    /// Put it in force, or out of it.
    Enable(i64, bool),
    /// Remember one no more that could not be set.
    Forget(Wanted),
}

/// Which goroutines are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// Those of the program's own code.
    #[default]
    User,
    /// All.
    All,
    /// The runtime's own.
    System,
}

/// What goroutines are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Where they are in code that is not the runtime's.
    User,
    /// Where they are.
    Current,
    /// The function they began with.
    Start,
}

/// A call of a goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Call {
    /// The goroutine.
    pub goroutine: i64,
    /// Its call, 0 the innermost.
    pub frame: usize,
}

/// What the debugger is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Some goroutines.
    Goroutines {
        /// From which one on.
        from: u64,
        /// Which of them.
        which: Which,
    },
    /// The same, in groups.
    Groups {
        /// From which goroutine on.
        from: u64,
        /// Which of them.
        which: Which,
        /// By what.
        by: By,
    },
    /// The stack of a goroutine.
    Stack {
        /// The goroutine.
        goroutine: i64,
        /// So many calls at most.
        depth: u32,
    },
    /// Arguments and local variables of a call.
    Variables(Call),
    /// The value of an expression.
    Evaluate {
        /// Where.
        call: Call,
        /// As it was typed; or as Delve names what is missing of a value.
        expression: String,
        /// What for.
        purpose: Purpose,
    },
    /// A source file.
    Source(Untrusted),
    /// The instructions around a call's.
    Instructions {
        /// The call.
        call: Call,
        /// Its instruction.
        pc: u64,
    },
}

/// What an expression is evaluated for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To be shown once.
    Print,
    /// To be watched.
    Watch,
    /// More of a value: where in the tree that is.
    More(Vec<usize>),
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Goroutines.
    Goroutines(Page),
    /// Groups of them.
    Groups(Groups),
    /// Calls, the innermost first.
    Stack(Vec<Frame>),
    /// Arguments and local variables.
    Variables {
        /// What the function was called with.
        arguments: Vec<Variable>,
        /// Its local variables.
        locals: Vec<Variable>,
    },
    /// A value.
    Value(Box<Variable>),
    /// A source file of this host.
    Source(Arc<Text>),
    /// Instructions.
    Instructions(Vec<Instruction>),
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// Where it was found on this host.
    pub path: String,
    /// Its lines, safe to show, tabs expanded.
    pub lines: Vec<String>,
}

impl Question {
    /// Whether an older question of the same kind that was not asked yet need not be asked any more.
    #[must_use]
    pub fn replaces(&self, older: &Self) -> bool {
        match (self, older) {
            (Self::Goroutines { .. } | Self::Groups { .. }, Self::Goroutines { .. } | Self::Groups { .. })
            | (Self::Stack { .. }, Self::Stack { .. })
            | (Self::Variables(_), Self::Variables(_))
            | (Self::Source(_), Self::Source(_))
            | (Self::Instructions { .. }, Self::Instructions { .. }) => true,
            (
                Self::Evaluate { expression, purpose: Purpose::Watch, .. },
                Self::Evaluate { expression: other, purpose: Purpose::Watch, .. },
            ) => expression == other,
            _ => false,
        }
    }
}

//! What comes in: keys, time, and answers. Plain data.

pub mod debug;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::activity::Record;
use crate::engine::Summary;
use crate::engine::kube::Contexts;
use crate::engine::kube::list::Listed;
use crate::exit::Failure;
use crate::goroutines::Dump;
use crate::inspect::files::Listing;
use crate::inspect::network::Network;
use crate::inspect::process::Detail;
use crate::inspect::processes::Process;
use crate::logs::Line;
use crate::target::{ContainerPid, Target};
use crate::text::Untrusted;
use crate::tui::keymap::Key;

/// Everything that can happen.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(Mouse),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// A second has passed.
    Tick(Clock),
    /// The engine's containers, whenever they change; or why it cannot be asked.
    Containers(Result<Vec<Summary>, Failure>),
    /// Which clusters can be chosen; or why none can.
    Contexts(Result<Contexts, Failure>),
    /// The pods of a cluster; or why they cannot be listed.
    Pods {
        /// Of which place.
        number: u64,
        /// They.
        result: Result<Box<Listed>, Failure>,
    },
    /// The namespaces of a cluster; or why they cannot be listed.
    Namespaces {
        /// Of which place.
        number: u64,
        /// Their names.
        result: Result<Vec<String>, Failure>,
    },
    /// A target was found, and is not entered.
    Approached {
        /// Of which opening.
        generation: u64,
        /// It.
        target: Box<Target>,
        /// Why it is not.
        why: Outside,
    },
    /// A target was found, and entered if it runs.
    Opened {
        /// Of which opening.
        generation: u64,
        /// What came of it.
        result: Result<Box<Opened>, Failure>,
    },
    /// What the engine says of the target has changed.
    Inspected {
        /// Of which opening.
        generation: u64,
        /// The target now.
        target: Box<Target>,
    },
    /// The target ended, or the helper did.
    Lost {
        /// Of which opening.
        generation: u64,
        /// Why.
        reason: String,
    },
    /// What was done so far, step by step.
    Activity(Arc<Record>),
    /// An answer to a request.
    Reading {
        /// Of which opening.
        generation: u64,
        /// What was asked.
        request: Request,
        /// The answer.
        result: Result<Answer, Failure>,
    },
    /// What a look with the debugger would cost.
    Prospect {
        /// Of which opening.
        generation: u64,
        /// The cost; or why it cannot be had.
        result: Result<Box<debug::Prospect>, Failure>,
    },
    /// Something from the debugger.
    Debug {
        /// Of which session.
        session: u64,
        /// What.
        told: debug::Told,
    },
    /// Lines of the log.
    Log {
        /// Of which stream.
        stream: u64,
        /// What came.
        what: Log,
    },
    /// A timer ran out.
    Timer(Timer),
    /// Go on with work that was cut into slices.
    Continue(Job),
    /// A file on this host was opened for saving; or it exists; or it failed.
    SaveOpened(Result<(), SaveError>),
    /// All was written: bytes.
    Saved(Result<u64, Failure>),
    /// Bytes copied out so far.
    Copying(u64),
    /// A file was copied out: bytes.
    CopiedOut(Result<u64, SaveError>),
    /// Text went to the clipboard, or not.
    Yanked(Result<(), Failure>),
}

/// When it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Since the program started.
    pub uptime: Duration,
    /// On the wall.
    pub wall: SystemTime,
}

impl Default for Clock {
    fn default() -> Self {
        Self { uptime: Duration::ZERO, wall: SystemTime::UNIX_EPOCH }
    }
}

/// What the mouse did. Only while it is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// The wheel turned towards the start.
    WheelUp,
    /// The wheel turned towards the end.
    WheelDown,
    /// A click at this column and row.
    Click(u16, u16),
}

/// A target that was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it is.
    pub target: Target,
    /// How it was entered; or why not, e.g. because it does not run.
    pub session: Result<Session, Failure>,
}

/// Why a target that was found is not entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// A container would be added to its pod: as whom.
    Adds(String),
    /// It does not run.
    Down(Failure),
    /// Its log is all that was asked for.
    Log,
}

/// How the target was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Namespaces joined: `mnt`, `net`, …
    pub namespaces: Vec<String>,
    /// Who looks.
    pub identity: String,
    /// Which door.
    pub door: String,
    /// The first process, as it is numbered inside.
    pub init: ContainerPid,
}

/// What can be asked of an open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// All processes.
    Processes,
    /// One process in full.
    Detail(ContainerPid),
    /// The first process, for the overview.
    Init(ContainerPid),
    /// The network.
    Network,
    /// What the program is.
    Program,
    /// What it lacks.
    Check,
    /// All goroutines of a process; of the one that Go made, if none is named.
    Goroutines(Option<ContainerPid>),
    /// A directory.
    List(Vec<u8>),
    /// Whatever is there: a directory is listed, a file is read from its start.
    Open(Vec<u8>),
    /// Part of a file.
    View {
        /// Which.
        path: Vec<u8>,
        /// From where.
        from: Place,
    },
}

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// From this byte on.
    Byte(u64),
    /// The last part of it.
    End,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// All processes, and when they were read.
    Processes(Vec<Process>, Duration),
    /// One process in full.
    Detail(Box<Detail>),
    /// The network.
    Network(Box<Network>),
    /// What the program is.
    Program(Program),
    /// What it lacks.
    Check(Checked),
    /// All goroutines of a process.
    Goroutines(Arc<Goroutines>),
    /// A directory.
    Files(Listing),
    /// Part of a file.
    Window(Window),
}

/// The goroutines of a process, as they were at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Goroutines {
    /// The process, as it is numbered inside.
    pub pid: ContainerPid,
    /// The Go that made its program.
    pub go: Untrusted,
    /// The program's main module; empty if it does not say.
    pub module: Untrusted,
    /// What was read.
    pub dump: Dump,
}

/// What the program lacks: what `check` finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// How many failures there are.
    pub failures: usize,
    /// How many warnings.
    pub warnings: usize,
    /// The worst of both, worst first: whether it is a failure, what it is about, and what was found.
    pub worst: Vec<(bool, &'static str, String)>,
}

/// What is known of the program that runs, from its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// `scratch`, `distroless`, `has a shell`.
    pub kind: Option<String>,
    /// Go version it was built with.
    pub go: Option<String>,
    /// Its module and version.
    pub module: Option<String>,
    /// Further facts: name and value.
    pub facts: Vec<(String, String)>,
}

/// Part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    /// Where it starts in the file.
    pub offset: u64,
    /// The bytes.
    pub data: Vec<u8>,
    /// The file's size, if it has one that means something.
    pub size: Option<u64>,
    /// Whether the file ends where the bytes do.
    pub end: bool,
}

/// What a log stream brings.
#[derive(Debug, Clone)]
pub enum Log {
    /// Lines, oldest first.
    Lines(Vec<Line>),
    /// It ended; or it broke.
    Ended(Result<(), Failure>),
}

/// Timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Try to open the target again.
    Reopen(u64),
    /// Try to reach the engine again.
    Engine,
    /// Ask for the log again.
    Log(u64),
}

/// Work in slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Look for matches in the log.
    Scan,
    /// Write the log to a file.
    Save,
}

/// Why a file on this host was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveError {
    /// There is a file of that name.
    Exists,
    /// Something else.
    Failed(Failure),
}

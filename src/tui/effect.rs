//! What goes out: everything the state wants done in the world.

use std::time::Duration;

use crate::delve::model::PathRule;
use crate::target::{ContainerPid, TargetName};
use crate::tui::message::debug::{Breakpointing, Call, Question, Run, Wanted};
use crate::tui::message::{Job, Request, Timer};

/// Where pods are listed, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Of which cluster; otherwise the one that is configured.
    pub context: Option<String>,
    /// The namespace that is meant where none is named.
    pub namespace: Option<String>,
    /// Whether pods of all namespaces are listed.
    pub everywhere: bool,
    /// With which labels.
    pub selector: Option<String>,
}

/// Something to do. Each answers with messages, if at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Stop this program until the shell continues it.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Mouse on or off.
    Mouse(bool),
    /// Text for the clipboard; safe to show.
    Copy(String),
    /// Come back with the job after the keys that wait.
    Continue(Job),
    /// Come back after a while.
    After(Duration, Timer),
    /// List the containers, and again whenever they change.
    Watch,
    /// Find a target and enter it if it runs. Closes what was open before.
    Open {
        /// Number of this opening.
        generation: u64,
        /// What was named.
        name: TargetName,
    },
    /// Find a target, and say whether entering it would add anything to it for good. If not, it is entered. Closes what was open
    /// before.
    Approach {
        /// Number of this opening.
        generation: u64,
        /// What was named.
        name: TargetName,
        /// Whether its log is all that is wanted: then it is not entered.
        log: bool,
    },
    /// Read which clusters can be chosen.
    Contexts,
    /// List the pods of a cluster, once. Ends the listing before it.
    Pods {
        /// Number of the place: answers about older ones are not for us.
        number: u64,
        /// Where.
        place: Place,
    },
    /// List the namespaces of a cluster, once.
    Namespaces {
        /// Number of the place.
        number: u64,
    },
    /// Ask the engine about the open target again.
    Inspect {
        /// Number of the opening.
        generation: u64,
    },
    /// Close what is open.
    Close,
    /// Ask the open session.
    Read {
        /// Number of the opening.
        generation: u64,
        /// What.
        request: Request,
    },
    /// Say what a look with the debugger would cost. Changes nothing.
    Weigh {
        /// Number of the opening.
        generation: u64,
        /// The process; nothing picks it.
        pid: Option<ContainerPid>,
    },
    /// From now on this file of this host has what was stripped from the program; nothing: none is named.
    DebugFile {
        /// Its name, as it was typed.
        path: Option<String>,
    },
    /// Attach the debugger to the process itself.
    Attach {
        /// Number of the opening.
        generation: u64,
        /// Number of the session that begins.
        session: u64,
        /// The process; nothing picks it.
        pid: Option<ContainerPid>,
        /// What is to be set at once: it was shown to whoever wants to attach.
        breakpoints: Vec<Wanted>,
    },
    /// Take a snapshot and open it.
    Snapshot {
        /// Number of the opening.
        generation: u64,
        /// Number of the session that begins.
        session: u64,
        /// The process; nothing picks it.
        pid: Option<ContainerPid>,
    },
    /// Read the threads of a process, which stops it for a moment.
    Threads {
        /// Number of the opening.
        generation: u64,
        /// Number of the session that this stands for.
        session: u64,
        /// The process.
        pid: ContainerPid,
    },
    /// Ask the debugger.
    Debug {
        /// Number of the session.
        session: u64,
        /// What.
        question: Question,
    },
    /// Look for source files by these rules from now on, and remember them.
    Rules {
        /// Number of the session.
        session: u64,
        /// Those that somebody made.
        rules: Vec<PathRule>,
    },
    /// Let a process run on that the debugger has stopped.
    Run {
        /// Number of the session.
        session: u64,
        /// How far.
        how: Run,
    },
    /// Stop it again.
    Halt {
        /// Number of the session.
        session: u64,
    },
    /// Set, change or take away a breakpoint.
    Breakpoint {
        /// Number of the session.
        session: u64,
        /// Which, and how.
        what: Breakpointing,
    },
    /// Change a variable of a process.
    Set {
        /// Number of the session.
        session: u64,
        /// The call in which it is looked up.
        call: Call,
        /// As Go names it.
        name: String,
        /// What it is to be, as an expression.
        value: String,
    },
    /// End a session with the debugger.
    EndDebug {
        /// Its number.
        session: u64,
    },
    /// Stream the log of the open target. Ends the stream before it.
    Logs {
        /// Number of this stream.
        stream: u64,
        /// From when on.
        since: Since,
    },
    /// Open a file on this host for writing.
    SaveOpen {
        /// Its name.
        path: String,
        /// Whether one of that name may be replaced.
        overwrite: bool,
    },
    /// Write to it.
    SaveChunk(Vec<u8>),
    /// Close it.
    SaveClose,
    /// Copy a file out to this host.
    CopyOut {
        /// Number of the opening.
        generation: u64,
        /// Its path inside.
        from: Vec<u8>,
        /// Its name here.
        to: String,
        /// Whether one of that name may be replaced.
        overwrite: bool,
    },
}

/// How far back a log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Since {
    /// The newest lines.
    #[default]
    Tail,
    /// Lines younger than this.
    Ago(Duration),
    /// Lines after this moment: where a stream broke off.
    After(std::time::SystemTime),
    /// All there are.
    All,
}

impl Since {
    /// What can be chosen, in the order of the key.
    pub const CHOICES: [(Self, &'static str); 6] = [
        (Self::Tail, "tail"),
        (Self::Ago(Duration::from_secs(60)), "1m"),
        (Self::Ago(Duration::from_secs(300)), "5m"),
        (Self::Ago(Duration::from_secs(900)), "15m"),
        (Self::Ago(Duration::from_secs(3600)), "1h"),
        (Self::All, "all"),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::CHOICES.iter().find(|(choice, _)| *choice == self).map_or("", |(_, word)| word)
    }

    /// The choice of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::CHOICES.iter().find(|(_, name)| *name == word).map(|(choice, _)| *choice)
    }

    /// The next choice, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::CHOICES.iter().position(|(choice, _)| *choice == self).map_or(0, |at| at + 1);
        Self::CHOICES.get(at % Self::CHOICES.len()).map_or(Self::Tail, |(choice, _)| *choice)
    }
}

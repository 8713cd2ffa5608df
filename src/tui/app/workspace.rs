//! One container that is open: the connection to it, and its views.

use std::time::Duration;

use crate::engine::State;
use crate::exit::Failure;
use crate::inspect::process::Detail;
use crate::target::{Target, TargetName};
use crate::tui::app::cursor::Scroll;
use crate::tui::app::debug::Debug;
use crate::tui::app::files::Files;
use crate::tui::app::golang::Golang;
use crate::tui::app::held::Held;
use crate::tui::app::logs::Logs;
use crate::tui::app::net::Net;
use crate::tui::app::process::ProcessView;
use crate::tui::app::procs::{Processes, Procs, Rates};
use crate::tui::app::viewer::Viewer;
use crate::tui::keymap::{self, Action, Mode, Tab};
use crate::tui::message::{Checked, Program, Session};

/// How things stand with the helper inside.
#[derive(Debug, Clone, PartialEq)]
pub enum Connection {
    /// It is being entered for the first time.
    Opening,
    /// It answers.
    Live,
    /// The target does not run; it is looked for again and again.
    Down,
    /// It was lost, and will be tried again.
    Lost {
        /// Why.
        reason: String,
        /// Which try failed last; 0 before the first one.
        attempt: u32,
    },
    /// It is being entered again.
    Reconnecting {
        /// Why it was lost.
        reason: String,
        /// Which try this is.
        attempt: u32,
    },
    /// It will not work without somebody doing something.
    Refused(Failure),
    /// It is not entered, because that was not asked for.
    Outside,
}

/// Whether a target may be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// It may.
    #[default]
    Enter,
    /// It is asked first, if anything of that would stay.
    Ask,
    /// It may not: its log is all that is wanted.
    Log,
}

/// First pause before it is tried again; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long to wait before a try.
#[must_use]
pub fn pause(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE)
}

/// One container that is open.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// What was asked for.
    pub name: TargetName,
    /// Number of the opening; answers to older ones are not for us.
    pub generation: u64,
    /// What it is, once it was found.
    pub target: Option<Target>,
    /// How it was entered, the last time.
    pub session: Option<Session>,
    /// How things stand.
    pub connection: Connection,
    /// Whether it may be entered.
    pub manner: Manner,
    /// Whether it is being entered. An attempt is not given up for another one: it may just be about to succeed.
    pub opening: bool,
    /// Since when it does not answer.
    pub lost_at: Option<Duration>,
    /// Which view is on the screen.
    pub tab: Tab,
    /// All processes.
    pub processes: Held<Processes>,
    /// Rates over time.
    pub rates: Rates,
    /// The first process in full.
    pub init: Held<Box<Detail>>,
    /// What the program is.
    pub program: Held<Program>,
    /// What it lacks.
    pub check: Held<Checked>,
    /// The overview.
    pub overview: Scroll,
    /// The list of processes.
    pub procs: Procs,
    /// One process in full.
    pub process: Option<ProcessView>,
    /// The log.
    pub logs: Logs,
    /// The files.
    pub files: Files,
    /// One file.
    pub viewer: Option<Viewer>,
    /// The network.
    pub net: Net,
    /// The debugger.
    pub debug: Debug,
    /// Its goroutines.
    pub golang: Golang,
    /// Bytes copied out so far, while a file is copied.
    pub copying: Option<u64>,
    /// What is copied, and to where.
    pub copy_asked: Option<(Vec<u8>, String)>,
}

impl Workspace {
    /// A view of a target that is being opened.
    #[must_use]
    pub fn new(name: TargetName, generation: u64) -> Self {
        Self {
            name,
            generation,
            target: None,
            session: None,
            connection: Connection::Opening,
            manner: Manner::default(),
            opening: true,
            lost_at: None,
            tab: Tab::Overview,
            processes: Held::default(),
            rates: Rates::default(),
            init: Held::default(),
            program: Held::default(),
            check: Held::default(),
            overview: Scroll::default(),
            procs: Procs::default(),
            process: None,
            logs: Logs::default(),
            files: Files::default(),
            viewer: None,
            net: Net::default(),
            debug: Debug::default(),
            golang: Golang::default(),
            copying: None,
            copy_asked: None,
        }
    }

    /// Whether questions are answered.
    #[must_use]
    pub fn live(&self) -> bool {
        self.connection == Connection::Live
    }

    /// Where its keys go.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.tab {
            Tab::Overview => Mode::Overview,
            Tab::Procs if self.process.is_some() => Mode::Process,
            Tab::Procs => Mode::Procs,
            Tab::Logs => Mode::Logs,
            Tab::Files if self.viewer.is_some() => Mode::Viewer,
            Tab::Files => Mode::Files,
            Tab::Net => Mode::Net,
            Tab::Activity => Mode::Activity,
            Tab::Go => Mode::Goroutines,
            Tab::Debug => match &self.debug.session {
                Some(session) => session.mode(),
                None if self.debug.threads.is_some() => Mode::Threads,
                None => Mode::Depths,
            },
        }
    }

    /// What to call it.
    #[must_use]
    pub fn title(&self) -> String {
        self.target.as_ref().map_or_else(|| self.name.to_string(), Target::name)
    }

    /// The state of the container, in a word.
    #[must_use]
    pub fn state_word(&self) -> String {
        match &self.connection {
            Connection::Opening => "OPENING".to_owned(),
            Connection::Refused(_) | Connection::Outside => "NOT ENTERED".to_owned(),
            Connection::Lost { attempt, .. } => format!("LOST, try {}", attempt + 1),
            Connection::Reconnecting { attempt, .. } => format!("CONNECTING, try {attempt}"),
            Connection::Live | Connection::Down => match self.target.as_ref().and_then(Target::container) {
                None if self.live() => "RUNNING".to_owned(),
                None => "ENDED".to_owned(),
                Some(container) => match container.state {
                    State::Exited if container.oom_killed => "EXITED, out of memory".to_owned(),
                    State::Exited => {
                        container.exit_code.map_or_else(|| "EXITED".to_owned(), |code| format!("EXITED {code}"))
                    }
                    state => super::picker::state_word(state).to_uppercase(),
                },
            },
        }
    }

    /// Why data may be old, if they may be.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match &self.connection {
            Connection::Live => None,
            Connection::Opening => Some("opening …".to_owned()),
            Connection::Down => Some(format!("the container does not run ({})", self.state_word().to_lowercase())),
            Connection::Lost { reason, .. } => Some(reason.clone()),
            Connection::Reconnecting { reason, attempt } => Some(format!("{reason}; try {attempt} …")),
            Connection::Refused(failure) => Some(failure.message.clone()),
            Connection::Outside if self.manner != Manner::Log => {
                Some("not entered yet: that adds a container to the pod, which is asked first".to_owned())
            }
            Connection::Outside => {
                let key = keymap::first_key(self.mode(), Action::Refresh);
                Some(format!("only its log is shown: nothing was added to the pod; {key} asks whether it is entered"))
            }
        }
    }

    /// Nothing that was asked for will come any more.
    pub fn forget_requests(&mut self) {
        self.processes.forget();
        self.init.forget();
        self.program.forget();
        self.check.forget();
        self.golang.data.forget();
        self.net.data.forget();
        self.debug.prospect.forget();
        self.files.entries.forget();
        self.files.wanted = None;
        self.copying = None;
        if let Some(view) = &mut self.process {
            view.detail.forget();
        }
        if let Some(viewer) = &mut self.viewer {
            viewer.window.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let pauses: Vec<u128> = (0..6).map(|attempt| pause(attempt).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}

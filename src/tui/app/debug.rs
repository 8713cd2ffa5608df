//! The Debug tab: what looking closer would cost, and a session with the debugger.

mod act;
mod arrive;
pub mod breakpoints;
mod depths;
pub mod goroutines;
mod live;
pub mod place;
pub mod session;
pub mod source;
pub mod stack;
pub mod thread;
pub mod threads;
pub mod variables;

use crate::debuggee;
use crate::exit::Failure;
use crate::target::ContainerPid;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::held::Held;
use crate::tui::keymap::Action;
use crate::tui::message::debug::{Prospect, Wanted};
pub use session::{Focus, Session};

/// How deep one can look, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// A copy of the process as it was at one moment.
    Snapshot,
    /// The process itself, stopped at breakpoints, under guard.
    Live,
}

impl Depth {
    /// All of them, cheapest first.
    pub const ALL: [Self; 2] = [Self::Snapshot, Self::Live];

    /// What begins it.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Snapshot => Action::Snapshot,
            Self::Live => Action::DebugLive,
        }
    }
}

/// The Debug tab of one container.
#[derive(Debug, Clone, Default)]
pub struct Debug {
    /// What it would cost.
    pub prospect: Held<Box<Prospect>>,
    /// Which depth is selected; below them, which breakpoint of those to be set.
    pub cursor: Cursor,
    /// What is set when the process itself is attached to: what was set the last time, and was not taken off the list
    /// since. `None` while that is not known.
    pub wanted: Option<Vec<Wanted>>,
    /// The process that was asked for; nothing picks it.
    pub pid: Option<ContainerPid>,
    /// A session that is being opened: its number, and what is being done for it.
    pub opening: Option<(u64, String)>,
    /// Why there is no session, or none any more.
    pub failed: Option<Failure>,
    /// The session.
    pub session: Option<Box<Session>>,
    /// Its threads, where Delve has nothing to say.
    pub threads: Option<Box<threads::View>>,
}

impl Debug {
    /// The depth that is selected.
    #[must_use]
    pub fn depth(&self) -> Option<Depth> {
        Depth::ALL.get(self.cursor.at).copied()
    }

    /// Rows there are: the depths, and the breakpoints to be set.
    #[must_use]
    pub fn rows(&self) -> usize {
        Depth::ALL.len() + self.wanted().len()
    }

    /// The breakpoints to be set.
    #[must_use]
    pub fn wanted(&self) -> &[Wanted] {
        self.wanted.as_deref().unwrap_or_default()
    }

    /// The one of them that is selected.
    fn wanted_at_cursor(&mut self) -> Option<(usize, &mut Wanted)> {
        let at = self.cursor.at.checked_sub(Depth::ALL.len())?;
        Some((at, self.wanted.as_mut()?.get_mut(at)?))
    }

    /// Whether a depth can be had. All of them stop the process, and need a debugger for it.
    ///
    /// # Errors
    /// Why not, and what to try. `None` if that is not known yet.
    pub fn ready(&self, read_only: bool) -> Result<(), Option<Failure>> {
        if read_only {
            let hint = "start it without --read-only; what is written above changes nothing";
            return Err(Some(debuggee::forbidden().try_this(hint)));
        }
        if let Some(error) = &self.prospect.error {
            return Err(Some(error.clone()));
        }
        let Some(prospect) = &self.prospect.shown else { return Err(None) };
        let hindered = prospect.go.as_ref().err().or(prospect.debugger.as_ref().err());
        let hindered = hindered.or(prospect.debug_file.as_ref().err());
        hindered.map_or(Ok(()), |failure| Err(Some(failure.clone())))
    }
}

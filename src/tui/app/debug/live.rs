//! A process that runs, and is stopped now and then.

use std::time::Duration;

use super::session::State;
use super::source::Shown as Source;
use super::{Focus, Session};
use crate::delve::model::{self, Breakpoint, Place, Stop};
use crate::tui::app::App;
use crate::tui::app::prompt::Purpose as Asking;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Mode};
use crate::tui::message::debug::{Breakpointing, Motion, Run};

impl App {
    /// Runs, steps, stops; sets breakpoints. False if the action is none of these.
    pub(super) fn live(&mut self, action: Action, argument: Option<&str>) -> bool {
        let Some(session) = self.debugging() else { return false };
        let number = session.number;
        let how = match action {
            // While something is searched for in the pane, the next match is meant: a mistake moves nothing but a highlight.
            Action::StepOver if session.searches() => {
                self.choose_debug(Action::Next, None);
                return true;
            }
            Action::Continue => Run::On,
            Action::StepOver => Run::Over,
            Action::StepIn => Run::Into,
            Action::StepOut => Run::Out,
            Action::RunTo => {
                let Some(place) = session.place_at_cursor() else {
                    self.say("no line is selected");
                    return true;
                };
                Run::To(place)
            }
            Action::Halt => {
                self.effect(Effect::Halt { session: number });
                return true;
            }
            Action::Break | Action::Trace => {
                self.breakpoint(action, argument);
                return true;
            }
            Action::Condition => {
                self.condition(argument);
                return true;
            }
            _ => return false,
        };
        self.effect(Effect::Run { session: number, how });
        true
    }

    /// Why such an action does nothing now.
    pub(in crate::tui::app) fn may_run(&self, action: Action) -> Result<(), &'static str> {
        let session = self.work.as_ref().and_then(|work| work.debug.session.as_deref());
        let Some(session) = session.filter(|session| session.mode() == Mode::Live) else {
            return Err("no live process is looked at");
        };
        match (&session.state, action) {
            _ if session.ended.is_some() => Err("the debugger has ended"),
            (State::Exited(_), _) => Err("the process has ended"),
            (State::Running { .. }, Action::Halt) | (State::Stopped { .. }, Action::StepOver) => Ok(()),
            (_, Action::Halt) => Err("it stands still"),
            (State::Running { .. }, _) => Err("the process runs: halt it first"),
            _ => Ok(()),
        }
    }

    /// Whether `^c` stops the process, and not this program.
    pub(in crate::tui::app) fn halts(&self) -> bool {
        let work = self.work.as_deref().filter(|work| work.shows_session());
        let session = work.and_then(|work| work.debug.session.as_deref());
        session.is_some_and(|session| matches!(session.state, State::Running { .. }) && session.ended.is_none())
    }

    fn breakpoint(&mut self, action: Action, argument: Option<&str>) {
        let Some(session) = self.debugging() else { return };
        let number = session.number;
        let what = match argument {
            Some(place) if action == Action::Trace => Breakpointing::Trace(Place::Expression(place.to_owned())),
            Some(place) => Breakpointing::Set(Place::Expression(place.to_owned())),
            None if action == Action::Trace => return self.say("trace takes a place: main.go:12, main.handle"),
            None => match (session.breakpoint_at_cursor(), session.place_at_cursor()) {
                (Some(known), _) => Breakpointing::Clear(known.id),
                (None, Some(place)) => Breakpointing::Set(place),
                (None, None) => return self.say("no line is selected"),
            },
        };
        self.effect(Effect::Breakpoint { session: number, what });
    }

    fn condition(&mut self, argument: Option<&str>) {
        let Some(session) = self.debugging() else { return };
        let Some(known) = session.breakpoint_at_cursor() else { return self.say("no breakpoint is at the cursor") };
        let (id, before) = (known.id, known.condition.safe().into_string());
        match argument {
            Some(condition) => self.set_condition(id, condition),
            None => self.ask(Asking::Condition(id), before),
        }
    }

    /// Lets a breakpoint stop only if something is true.
    pub(in crate::tui::app) fn set_condition(&mut self, id: i64, condition: &str) {
        let Some(session) = self.debugging().map(|session| session.number) else { return };
        let what = Breakpointing::Condition(id, condition.trim().to_owned());
        self.effect(Effect::Breakpoint { session, what });
    }
}

impl Session {
    /// The process was set running, or stopped, or has ended. What was shown of it stays until something newer is there.
    pub(super) fn moved(&mut self, motion: Motion, now: Duration) {
        match motion {
            Motion::Running => self.state = State::Running { since: now },
            Motion::Exited(status) => self.state = State::Exited(status),
            Motion::Stopped(state) => {
                self.state = State::Stopped { since: now, why: why(&state) };
                self.current = state.goroutine.as_ref().map(|goroutine| goroutine.id);
                self.goroutines.list(self.goroutines.which, self.goroutines.by);
                (self.stack.goroutine, self.source.call) = (None, None);
                self.variables.anew();
            }
        }
    }

    /// The line under the cursor of the source, or the instruction.
    fn place_at_cursor(&self) -> Option<Place> {
        let row = self.source.cursor.at;
        match &self.source.shown {
            Source::Nothing => None,
            Source::Text(_) => {
                let file = self.source.at.file.lossy().into_owned();
                Some(Place::Line { file, line: u32::try_from(row + 1).ok()? })
            }
            Source::Instructions(instructions) => {
                instructions.get(row).map(|instruction| Place::Address(instruction.location.pc))
            }
        }
    }

    fn breakpoint_at_cursor(&self) -> Option<&Breakpoint> {
        self.breakpoint_at(self.source.cursor.at)
    }

    /// The breakpoint in a row of the source.
    #[must_use]
    pub fn breakpoint_at(&self, row: usize) -> Option<&Breakpoint> {
        let is_there = |known: &&Breakpoint| match &self.source.shown {
            Source::Nothing => false,
            Source::Text(_) => known.location.line as usize == row + 1 && known.location.file == self.source.at.file,
            Source::Instructions(instructions) => {
                instructions.get(row).is_some_and(|one| known.addresses.contains(&one.location.pc))
            }
        };
        self.breakpoints.iter().find(is_there)
    }

    /// Another goroutine was selected than the one that stopped.
    pub(super) fn wander(&mut self) {
        if self.focus == Focus::Goroutines {
            self.current = None;
        }
    }
}

/// Why it stands still, in a few words.
fn why(state: &model::State) -> String {
    let hit = state.thread.as_ref().and_then(|thread| thread.hit.as_ref()).or(state.hits().next().map(|(_, hit)| hit));
    match (hit, state.stop) {
        (Some(hit), _) if hit.is_panic() => {
            let text = hit.panic_text().map_or_else(String::new, |text| format!(": {}", text.safe()));
            format!("it is about to die{text}")
        }
        (Some(hit), _) => format!("breakpoint {}", hit.breakpoint.id),
        (None, Stop::Attached) => "attached".to_owned(),
        (None, Stop::Breakpoint) => "breakpoint".to_owned(),
        (None, Stop::Hardcoded) => "a breakpoint in the program itself".to_owned(),
        (None, Stop::Halted) => "halted".to_owned(),
        (None, Stop::Stepped) => "stepped".to_owned(),
        (None, Stop::Called) => "the call has returned".to_owned(),
        (None, Stop::Watchpoint) => "what is watched has changed".to_owned(),
        (None, Stop::Panicked) => "it is about to die".to_owned(),
        (None, Stop::Unknown) => "stopped".to_owned(),
    }
}

//! A process that runs, and is stopped now and then.

use std::time::Duration;

use super::breakpoints::Row;
use super::session::State;
use super::source::Shown as Source;
use super::thread;
use super::{Focus, Session};
use crate::delve::model::{self, Breakpoint, Place, Stop};
use crate::tui::app::App;
use crate::tui::app::prompt::Purpose as Asking;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Mode};
use crate::tui::message::debug::{Breakpointing, Motion, Question, Run};

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
            Action::Condition | Action::HitCondition => {
                self.condition(action, argument);
                return true;
            }
            Action::Toggle => {
                match session.breakpoint_at_cursor() {
                    Some(known) => {
                        let what = Breakpointing::Enable(known.id, !known.enabled);
                        self.change_breakpoint(what);
                    }
                    None => self.say("no breakpoint is at the cursor"),
                }
                return true;
            }
            Action::BreakpointList => {
                session.focus_on(Focus::Breakpoints);
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
        if action == Action::Set && self.read_only {
            return Err("--read-only forbids it");
        }
        if action == Action::Set && session.is_some_and(|session| !session.is_live()) {
            return Err("a copy cannot be changed: attach to the process itself");
        }
        let Some(session) = session.filter(|session| session.mode() == Mode::Live) else {
            return Err("no live process is looked at");
        };
        match (&session.state, action) {
            _ if session.ended.is_some() => Err("the debugger has ended"),
            (State::Exited(_), _) => Err("the process has ended"),
            (_, Action::BreakpointList)
            | (State::Running { .. }, Action::Halt)
            | (State::Stopped { .. }, Action::StepOver) => Ok(()),
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
        let what = match argument {
            Some(place) if action == Action::Trace => Breakpointing::Trace(Place::Expression(place.to_owned())),
            Some(place) => Breakpointing::Set(Place::Expression(place.to_owned())),
            None if action == Action::Trace => return self.say("trace takes a place: main.go:12, main.handle"),
            None if session.focus == Focus::Breakpoints => match session.breakpoints.selected() {
                Some(Row::Set(known)) => Breakpointing::Clear(known.breakpoint.id),
                Some(Row::Unset(unset)) => Breakpointing::Forget(unset.wanted.clone()),
                None => return self.say("no breakpoint is selected"),
            },
            None => match (session.breakpoint_at_cursor(), session.place_at_cursor()) {
                (Some(known), _) => Breakpointing::Clear(known.id),
                (None, Some(place)) => Breakpointing::Set(place),
                (None, None) => return self.say("no line is selected"),
            },
        };
        self.change_breakpoint(what);
    }

    fn condition(&mut self, action: Action, argument: Option<&str>) {
        let Some(session) = self.debugging() else { return };
        let Some(known) = session.breakpoint_at_cursor() else { return self.say("no breakpoint is at the cursor") };
        let id = known.id;
        let hits = action == Action::HitCondition;
        let before = if hits { &known.hit_condition } else { &known.condition }.safe().into_string();
        match argument.map(str::to_owned) {
            Some(text) if hits => self.change_breakpoint(Breakpointing::HitCondition(id, text)),
            Some(text) => self.change_breakpoint(Breakpointing::Condition(id, text)),
            None => self.ask(if hits { Asking::HitCondition(id) } else { Asking::Condition(id) }, before),
        }
    }

    /// Sets, changes or takes away a breakpoint.
    pub(in crate::tui::app) fn change_breakpoint(&mut self, what: Breakpointing) {
        let Some(session) = self.debugging().map(|session| session.number) else { return };
        self.effect(Effect::Breakpoint { session, what });
    }
}

impl Session {
    /// The process was set running, or stopped, or has ended. What was shown of it stays until something newer is there.
    pub(super) fn moved(&mut self, motion: Motion, now: Duration) {
        match motion {
            Motion::Running(stood) => self.state = State::Running { since: now, stood },
            Motion::Exited(status) => self.state = State::Exited(status),
            Motion::Stopped(state, stood) => {
                self.state = State::Stopped { since: now.saturating_sub(stood), why: why(&state) };
                // Of a stripped program Delve knows the thread alone. In any other one a thread without a goroutine idles.
                let goroutine = state.goroutine.as_ref().map(|goroutine| goroutine.id).filter(|&id| id > 0);
                let thread = state.thread.as_ref().filter(|_| self.opened.limits.is_some());
                self.current = goroutine.or_else(|| thread.map(|thread| thread::as_goroutine(thread.id)));
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

    /// The breakpoint that is meant: in the list the one that is selected, elsewhere the one in the line under the cursor.
    fn breakpoint_at_cursor(&self) -> Option<&Breakpoint> {
        if self.focus != Focus::Breakpoints {
            return self.breakpoint_at(self.source.cursor.at);
        }
        match self.breakpoints.selected()? {
            Row::Set(known) => Some(&known.breakpoint),
            Row::Unset(_) => None,
        }
    }

    /// Shows the source of the breakpoint that is selected.
    pub(super) fn jump(&mut self) -> Option<Question> {
        let Some(Row::Set(known)) = self.breakpoints.selected() else { return None };
        let location = known.breakpoint.location.clone();
        self.focus_on(Focus::Source);
        self.source.visit(&location)
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
        self.breakpoints.set.iter().map(|known| &known.breakpoint).find(is_there)
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

//! A session with the debugger: its panes, and what is to be asked for them.

use std::time::Duration;

use super::breakpoints::Breakpoints;
use super::goroutines::Goroutines;
use super::source::Source;
use super::stack::Stack;
use super::thread::{self, THREAD};
use super::variables::Variables;
use crate::engine::health::Verdict;
use crate::tui::keymap::Mode;
use crate::tui::message::debug::{LIMIT, Opened, Question, Rules, Subject};
use crate::tui::words;

/// A pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// The list of goroutines.
    #[default]
    Goroutines,
    /// The stack of the selected one.
    Stack,
    /// The values of the selected call.
    Variables,
    /// Its source.
    Source,
    /// The list of breakpoints, of a live process only.
    Breakpoints,
}

impl Focus {
    /// All of them, in the order of the key.
    pub const ALL: [Self; 5] = [Self::Goroutines, Self::Stack, Self::Variables, Self::Source, Self::Breakpoints];

    /// The next or the previous one.
    #[must_use]
    pub fn step(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|focus| *focus == self).unwrap_or_default();
        let len = Self::ALL.len();
        let next = if forward { at + 1 } else { at + len - 1 } % len;
        Self::ALL.get(next).copied().unwrap_or_default()
    }
}

/// What the process does.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It is a copy: it does nothing.
    Still,
    /// It stands still.
    Stopped {
        /// Since when.
        since: Duration,
        /// Why.
        why: String,
    },
    /// It runs.
    Running {
        /// Since when.
        since: Duration,
        /// How long it stood still before.
        stood: Duration,
    },
    /// It has ended, with this status.
    Exited(i64),
}

/// A session with the debugger.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its number; answers to older ones are not for us.
    pub number: u64,
    /// What is looked at, and by what.
    pub opened: Opened,
    /// Where the sources are.
    pub rules: Rules,
    /// What the process does.
    pub state: State,
    /// What the container's health check makes of it, since it stands still.
    pub health: Option<Verdict>,
    /// Whether the engine was not asked about it since then.
    pub health_is_old: bool,
    /// Where it is to be stopped.
    pub breakpoints: Breakpoints,
    /// The goroutine that stopped, which is looked at until another one is selected.
    pub current: Option<i64>,
    /// The pane that keys go to.
    pub focus: Focus,
    /// The pane that is shown beside the source where there is no room for all.
    pub beside: Focus,
    /// The list of goroutines.
    pub goroutines: Goroutines,
    /// The stack of the selected one.
    pub stack: Stack,
    /// The values of the selected call.
    pub variables: Variables,
    /// Its source.
    pub source: Source,
    /// Why nothing more is answered. What was, stays.
    pub ended: Option<String>,
}

impl Session {
    /// A session that began. `before` is the one in place of which it is: what was watched there is watched on.
    #[must_use]
    pub fn new(number: u64, opened: Opened, before: Option<Self>) -> Self {
        let rules = opened.rules.clone();
        let mut session = Self {
            number,
            opened,
            rules,
            state: State::Still,
            health: None,
            health_is_old: false,
            breakpoints: Breakpoints::default(),
            current: None,
            focus: Focus::default(),
            beside: Focus::default(),
            goroutines: Goroutines::default(),
            stack: Stack::default(),
            variables: Variables::default(),
            source: Source::default(),
            ended: None,
        };
        if let Some(before) = before {
            session.variables = before.variables;
            session.variables.anew();
            (session.focus, session.beside) = (before.focus, before.beside);
            session.goroutines.list(before.goroutines.which, before.goroutines.by);
            session.goroutines.set_filter(before.goroutines.filter);
        }
        session
    }

    /// Gives the focus to the next pane there is, or to the one before.
    pub fn step_focus(&mut self, forward: bool) {
        let mut focus = self.focus.step(forward);
        if focus == Focus::Breakpoints && !self.is_live() {
            focus = focus.step(forward);
        }
        self.focus_on(focus);
    }

    /// Whether it is on the process itself.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.opened.subject, Subject::Live(_))
    }

    /// Gives the focus to a pane.
    pub fn focus_on(&mut self, focus: Focus) {
        self.focus = focus;
        if focus != Focus::Source {
            self.beside = focus;
        }
    }

    /// What is to be asked, for what is selected now. `page` is how many goroutines are shown.
    pub fn due(&mut self, page: usize) -> Vec<Question> {
        // While it runs nothing can be asked, and what was answered may be wrong by now.
        if self.ended.is_some() || matches!(self.state, State::Running { .. } | State::Exited(_)) {
            return Vec::new();
        }
        let mut questions: Vec<Question> = self.goroutines.due(page).into_iter().collect();
        if self.goroutines.hurries() {
            return questions;
        }
        let selected =
            self.current.or_else(|| self.goroutines.selected().or(self.goroutines.error.is_some().then_some(THREAD)));
        match selected.filter(|id| self.stack.goroutine != Some(*id)) {
            Some(goroutine) => questions.push(self.stack.of(goroutine)),
            None => questions.extend(self.stack.due()),
        }
        let Some((call, frame)) = self.stack.call() else { return questions };
        if self.variables.call != Some(call) {
            questions.extend(self.variables.of(call));
        }
        if !self.source.shows(call, &frame.location) {
            let location = frame.location.clone();
            questions.extend(self.source.of(call, &location));
        }
        questions
    }

    /// Where one is: `goroutine 18`, `frame 2`.
    #[must_use]
    pub fn crumbs(&self) -> Vec<String> {
        let call = self.stack.call().map(|(call, _)| call);
        let goroutine = self.stack.goroutine.filter(|goroutine| *goroutine != THREAD).map(thread::words);
        goroutine.into_iter().chain(call.map(|call| format!("frame {}", call.frame))).collect()
    }

    /// Where its keys go.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.opened.subject {
            Subject::Snapshot(_) => Mode::Copy,
            Subject::Live(_) => Mode::Live,
        }
    }

    /// How long it may stand still until its container may count as unhealthy: `unhealthy in 00:07`. Empty if nobody checks.
    #[must_use]
    pub fn health_words(&self, now: Duration) -> String {
        let (State::Stopped { since, .. }, None, Some(verdict)) = (&self.state, &self.ended, self.health) else {
            return String::new();
        };
        let stood = now.saturating_sub(*since);
        match verdict {
            Verdict::Within(earliest, _) if stood < earliest => {
                // Rather too soon than too late.
                let left = earliest.saturating_sub(stood).as_secs();
                format!("unhealthy in {:02}:{:02} or later", left / 60, left % 60)
            }
            Verdict::Within(_, latest) if stood < latest => "unhealthy at any moment".to_owned(),
            Verdict::Within(..) | Verdict::Unhealthy => "unhealthy".to_owned(),
        }
    }

    /// What is looked at, in a few words: `SNAPSHOT 14:03:22, 2.6 ms`, `STOPPED 00:12`.
    #[must_use]
    pub fn chip(&self, now: Duration) -> String {
        let words = |time: Duration| format!("{:02}:{:02}", time.as_secs() / 60, time.as_secs() % 60);
        let clock = |since: Duration| words(now.saturating_sub(since));
        if self.ended.is_some() {
            return "ENDED".to_owned();
        }
        match &self.state {
            State::Stopped { since, why } => {
                return format!("STOPPED {} of {}, {why}", clock(*since), words(LIMIT));
            }
            State::Running { since, stood } => {
                return format!("RUNNING {}, stood still for {:.3} s", clock(*since), stood.as_secs_f64());
            }
            State::Exited(status) => return format!("EXITED {status}"),
            State::Still => {}
        }
        match &self.opened.subject {
            Subject::Live(_) => "ATTACHED".to_owned(),
            Subject::Snapshot(snapshot) => {
                let time = words::time_of_day(snapshot.at);
                let time = time.get(..8).unwrap_or(&time);
                format!("SNAPSHOT {time}, {:.1} ms", snapshot.pause.as_secs_f64() * 1e3)
            }
        }
    }
}

#[cfg(test)]
mod tests;

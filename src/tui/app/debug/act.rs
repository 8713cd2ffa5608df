//! What keys and commands do in the Debug tab.

use super::variables::Sort;
use super::{Focus, Session};
use crate::delve::model::PathRule;
use crate::text::{self, Untrusted};
use crate::tui::app::App;
use crate::tui::app::held::Held;
use crate::tui::app::layer::{Confirm, Layer};
use crate::tui::app::pattern::Pattern;
use crate::tui::app::prompt::Purpose as Asking;
use crate::tui::app::workspace::Workspace;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Tab};
use crate::tui::layout;
use crate::tui::message::debug::{By, Purpose, Question, Which};

/// Letters of an expression at most.
const LONGEST: usize = 1000;

impl App {
    /// The session of the open container.
    pub(in crate::tui::app) fn debugging(&mut self) -> Option<&mut Session> {
        self.work.as_deref_mut()?.debug.session.as_deref_mut()
    }

    /// Opens the tab on a process; the number may be left out.
    pub(in crate::tui::app) fn debug_process(&mut self, argument: Option<&str>) {
        let Some(pid) = self.process_named("debug", argument) else { return };
        let Some(work) = &mut self.work else { return };
        work.debug.pid = Some(pid);
        (work.debug.prospect, work.debug.wanted) = (Held::default(), None);
        if work.debug.session.is_some() {
            self.say("end this session first; then it is about that process");
        }
    }

    /// Choices of the tab.
    pub(in crate::tui::app) fn choose_debug(&mut self, action: Action, argument: Option<&str>) {
        if self.live(action, argument) {
            return;
        }
        match action {
            Action::Snapshot if self.confirm_threads() => {}
            Action::Detach if self.leave_threads() => {}
            Action::Snapshot => self.confirm_snapshot(),
            Action::DebugLive => self.confirm_attach(),
            Action::Print | Action::Pin => self.expression(action, argument),
            Action::Rule => self.rule(argument),
            Action::Set => match argument {
                Some(text) => self.confirm_set(text),
                None => self.ask_set(),
            },
            Action::Break | Action::Toggle => self.change_wanted(action),
            Action::DebugFile => self.name_debug_file(argument),
            Action::Detach => {
                let Some(work) = &mut self.work else { return };
                // What it would cost now is not what it cost then, and other breakpoints are remembered.
                (work.debug.prospect, work.debug.wanted) = (Held::default(), None);
                if let Some(session) = work.debug.session.take() {
                    self.effect(Effect::EndDebug { session: session.number });
                    self.say("the session has ended");
                }
            }
            Action::Next | Action::Previous => {
                let found = self.debugging().is_some_and(|session| session.step_match(action == Action::Next));
                if !found {
                    self.say("no match");
                }
            }
            _ => {
                if let Some(session) = self.debugging() {
                    session.choose(action);
                }
            }
        }
    }

    /// Opens what is selected.
    pub(in crate::tui::app) fn open_in_session(&mut self) {
        let Some(session) = self.debugging() else { return };
        let number = session.number;
        match session.focus {
            Focus::Goroutines => {
                if !session.goroutines.toggle() {
                    session.focus_on(Focus::Stack);
                }
            }
            Focus::Stack => session.focus_on(Focus::Variables),
            Focus::Variables => {
                let question = session.variables.fold(None);
                self.ask_debugger(number, question);
            }
            Focus::Source => {}
            Focus::Breakpoints => {
                let question = session.jump();
                self.ask_debugger(number, question);
            }
        }
    }

    /// Moves in the pane that has the focus.
    pub(in crate::tui::app) fn go_in_session(&mut self, motion: Action) -> bool {
        let size = self.size;
        let Some(session) = self.debugging() else { return false };
        let number = session.number;
        let page = layout::debug_page(size, session.focus, session.beside, session.is_live()).1;
        if let (Focus::Variables, Action::Left | Action::Right) = (session.focus, motion) {
            let question = session.variables.fold(Some(motion == Action::Right));
            self.ask_debugger(number, question);
            return true;
        }
        let shift = match session.focus {
            Focus::Goroutines => &mut session.goroutines.shift,
            Focus::Stack => &mut session.stack.shift,
            Focus::Variables => &mut session.variables.shift,
            Focus::Source => &mut session.source.shift,
            Focus::Breakpoints => &mut session.breakpoints.shift,
        };
        match motion {
            Action::Left => *shift = shift.saturating_sub(8),
            Action::Right => *shift = (*shift + 8).min(4096),
            _ => {}
        }
        session.wander();
        match session.focus {
            Focus::Goroutines => session.goroutines.go(motion, page),
            Focus::Stack => session.stack.cursor.go(motion, session.stack.frames.len(), page),
            Focus::Variables => session.variables.cursor.go(motion, session.variables.rows.len(), page),
            Focus::Source => {
                let len = session.source.len();
                session.source.cursor.go(motion, len, page)
            }
            Focus::Breakpoints => {
                let len = session.breakpoints.len();
                session.breakpoints.cursor.go(motion, len, page)
            }
        }
    }

    /// Selects a row of the pane that has the focus, as a click does.
    pub(in crate::tui::app) fn click_in_session(&mut self, at: usize) {
        if let Some(session) = self.debugging() {
            session.wander();
            let cursor = session.cursor_mut();
            cursor.at = cursor.top + at;
        }
    }

    /// What is to be asked for what is on the screen now.
    pub(in crate::tui::app) fn poll_session(&mut self) {
        let size = self.size;
        let Some(session) = self.debugging() else { return };
        let (number, page) =
            (session.number, layout::debug_page(size, Focus::Goroutines, session.beside, session.is_live()).1);
        // Where the list is not shown, it is filled all the same: what is selected in it is.
        let questions = session.due(page.max(10));
        self.effects.extend(questions.into_iter().map(|question| Effect::Debug { session: number, question }));
    }

    pub(in crate::tui::app) fn ask_debugger(&mut self, session: u64, question: impl IntoIterator<Item = Question>) {
        self.effects.extend(question.into_iter().map(|question| Effect::Debug { session, question }));
    }

    fn expression(&mut self, action: Action, argument: Option<&str>) {
        let (asking, purpose) = match action {
            Action::Pin => (Asking::Pin, Purpose::Watch),
            _ => (Asking::Print, Purpose::Print),
        };
        if let Some(expression) = argument {
            return self.evaluate(expression, purpose);
        }
        // What was printed last is what one wants to watch.
        let printed = self.debugging().and_then(|session| session.variables.roots.first());
        let printed = printed.filter(|root| action == Action::Pin && root.sort == Sort::Printed);
        let text = printed.map_or_else(String::new, |root| root.name.clone());
        self.ask(asking, text);
    }

    /// Evaluates what was typed.
    pub(in crate::tui::app) fn evaluate(&mut self, expression: &str, purpose: Purpose) {
        let expression = expression.trim();
        let Some(session) = self.debugging().filter(|_| !expression.is_empty()) else { return };
        if expression.len() > LONGEST {
            return self.say("that is too long");
        }
        let number = session.number;
        let question = session.variables.ask(expression, purpose);
        session.focus_on(Focus::Variables);
        if question.is_none() {
            self.say("there is no call to evaluate it in");
        }
        self.ask_debugger(number, question);
    }

    /// Asks what the selected variable is to be.
    fn ask_set(&mut self) {
        let Some(session) = self.debugging() else { return };
        let selected = if session.focus == Focus::Variables { session.variables.settable() } else { None };
        let text = selected.map_or_else(String::new, |(name, value)| format!("{name} = {value}"));
        self.ask(Asking::Set, text);
    }

    /// Asks whether a variable of the process may be changed: `NAME = VALUE`.
    pub(in crate::tui::app) fn confirm_set(&mut self, text: &str) {
        let parts = text.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        let Some((name, value)) = parts.filter(|(name, value)| !name.is_empty() && !value.is_empty()) else {
            return self.say("set takes NAME=VALUE: count = 3");
        };
        if text.len() > LONGEST {
            return self.say("that is too long");
        }
        let (name, value) = (name.to_owned(), value.to_owned());
        let Some(session) = self.debugging() else { return };
        let Some(call) = session.variables.call else { return self.say("there is no call to find it in") };
        let question = format!("Set {name} to {value} in process {}?", session.opened.pid);
        let note = "This changes the process itself, and it goes on with it. Nothing takes it back.".to_owned();
        let yes = Effect::Set { session: session.number, call, name, value };
        self.layers.push(Layer::Confirm(Confirm { question, note, verb: "set it", yes }));
    }

    fn rule(&mut self, argument: Option<&str>) {
        if let Some(text) = argument {
            return self.make_rule(text);
        }
        let Some(session) = self.debugging() else { return };
        let file = text::escape(session.source.at.file.bytes());
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.ask(Asking::Rule, format!("={folder}"));
        if let Some(prompt) = &mut self.prompt {
            // What is to be typed comes first.
            prompt.cursor = 0;
        }
    }

    /// Makes a rule of `LOCAL=INBINARY`. An empty `LOCAL` takes it back.
    pub(in crate::tui::app) fn make_rule(&mut self, text: &str) {
        let Some((local, inside)) = text.trim().split_once('=').filter(|(_, inside)| !inside.is_empty()) else {
            return self.say("a rule is LOCAL=INBINARY: a folder here, and what the program calls it");
        };
        if !local.is_empty() && !local.starts_with('/') {
            return self.say("the folder here must be a whole path, from / on");
        }
        let rule = PathRule { from: Untrusted::from(trimmed(inside)), to: Untrusted::from(trimmed(local)) };
        let Some(session) = self.debugging() else { return };
        let number = session.number;
        session.rules.made.retain(|known| known.from != rule.from);
        if !local.is_empty() {
            session.rules.made.insert(0, rule);
        }
        let rules = session.rules.made.clone();
        let question = session.source.again();
        self.effect(Effect::Rules { session: number, rules });
        self.ask_debugger(number, question);
    }
}

/// Without slashes at the end; the root stays.
fn trimmed(path: &str) -> &str {
    let end = path.trim_end_matches('/');
    if end.is_empty() { path.get(..1).unwrap_or(path) } else { end }
}

impl Session {
    fn choose(&mut self, action: Action) {
        let goroutines = &mut self.goroutines;
        match action {
            Action::All => {
                let which = match goroutines.which {
                    Which::User => Which::All,
                    Which::All => Which::System,
                    Which::System => Which::User,
                };
                goroutines.list(which, goroutines.by);
                self.focus_on(Focus::Goroutines);
            }
            Action::Group => {
                let by = match goroutines.by {
                    None => Some(By::User),
                    Some(By::User) => Some(By::Current),
                    Some(By::Current) => Some(By::Start),
                    Some(By::Start) => None,
                };
                goroutines.list(goroutines.which, by);
                self.focus_on(Focus::Goroutines);
            }
            Action::FrameUp => {
                self.stack.cursor.at = (self.stack.cursor.at + 1).min(self.stack.frames.len().saturating_sub(1));
            }
            Action::FrameDown => self.stack.cursor.at = self.stack.cursor.at.saturating_sub(1),
            Action::Unpin => {
                self.variables.unpin();
            }
            _ => {}
        }
    }

    /// What is searched for in the pane that has the focus; of goroutines, what they are filtered by.
    #[must_use]
    pub fn pattern(&self) -> Option<&Pattern> {
        match self.focus {
            Focus::Goroutines => self.goroutines.filter.as_ref(),
            Focus::Stack => self.stack.search.as_ref().map(|search| &search.pattern),
            Focus::Variables => self.variables.search.as_ref().map(|search| &search.pattern),
            Focus::Source => self.source.search.as_ref().map(|search| &search.pattern),
            Focus::Breakpoints => self.breakpoints.search.as_ref().map(|search| &search.pattern),
        }
    }

    /// Whether `n` goes anywhere.
    #[must_use]
    pub fn searches(&self) -> bool {
        self.focus != Focus::Goroutines && self.pattern().is_some()
    }

    /// Searches the pane that has the focus.
    pub fn find(&mut self, pattern: Option<Pattern>) {
        match self.focus {
            Focus::Goroutines => self.goroutines.set_filter(pattern),
            Focus::Stack => self.stack.find(pattern),
            Focus::Variables => self.variables.find(pattern),
            Focus::Source => self.source.find(pattern),
            Focus::Breakpoints => self.breakpoints.find(pattern),
        }
    }

    fn step_match(&mut self, forward: bool) -> bool {
        let (search, cursor) = match self.focus {
            Focus::Goroutines => return false,
            Focus::Stack => (&mut self.stack.search, &mut self.stack.cursor),
            Focus::Variables => (&mut self.variables.search, &mut self.variables.cursor),
            Focus::Source => (&mut self.source.search, &mut self.source.cursor),
            Focus::Breakpoints => (&mut self.breakpoints.search, &mut self.breakpoints.cursor),
        };
        match search.as_mut().and_then(|search| search.step(forward)) {
            Some(line) => {
                cursor.at = line;
                true
            }
            None => false,
        }
    }

    fn cursor_mut(&mut self) -> &mut crate::tui::app::cursor::Cursor {
        match self.focus {
            Focus::Goroutines => &mut self.goroutines.cursor,
            Focus::Stack => &mut self.stack.cursor,
            Focus::Variables => &mut self.variables.cursor,
            Focus::Source => &mut self.source.cursor,
            Focus::Breakpoints => &mut self.breakpoints.cursor,
        }
    }

    /// Rows of the pane that has the focus.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self.focus {
            Focus::Goroutines => self.goroutines.rows.len(),
            Focus::Stack => self.stack.frames.len(),
            Focus::Variables => self.variables.rows.len(),
            Focus::Source => self.source.len(),
            Focus::Breakpoints => self.breakpoints.len(),
        }
    }

    /// Keeps what is selected on the screen.
    pub(in crate::tui::app) fn settle(&mut self, size: (u16, u16)) {
        let page = |focus| layout::debug_page(size, focus, self.beside, self.is_live()).1;
        let pages = Focus::ALL.map(page);
        let [goroutines, stack, variables, source, breakpoints] = pages;
        self.breakpoints.cursor.settle(self.breakpoints.len(), breakpoints);
        self.goroutines.cursor.settle(self.goroutines.rows.len(), goroutines);
        self.stack.cursor.settle(self.stack.frames.len(), stack);
        self.variables.cursor.settle(self.variables.rows.len(), variables);
        self.source.settle(source);
    }

    /// A row of the pane that has the focus, as it is copied.
    #[must_use]
    pub fn copied(&self, row: usize) -> Option<String> {
        match self.focus {
            Focus::Goroutines => self.goroutines.copied(row),
            Focus::Stack => self.stack.copied(row),
            Focus::Variables => self.variables.copied(row),
            Focus::Source => self.source.line(row),
            Focus::Breakpoints => self.breakpoints.copied(row),
        }
    }

    /// The selected row of the pane that has the focus.
    #[must_use]
    pub fn selected(&self) -> usize {
        match self.focus {
            Focus::Goroutines => self.goroutines.cursor.at,
            Focus::Stack => self.stack.cursor.at,
            Focus::Variables => self.variables.cursor.at,
            Focus::Source => self.source.cursor.at,
            Focus::Breakpoints => self.breakpoints.cursor.at,
        }
    }
}

impl Workspace {
    /// Whether the session is what is on the screen.
    #[must_use]
    pub fn shows_session(&self) -> bool {
        self.tab == Tab::Debug && self.debug.session.is_some()
    }

    /// Whether the list of goroutines has the focus.
    #[must_use]
    pub fn lists_goroutines(&self) -> bool {
        let session = self.debug.session.as_ref().filter(|_| self.tab == Tab::Debug);
        session.is_some_and(|session| session.focus == Focus::Goroutines)
    }
}

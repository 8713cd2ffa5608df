//! The threads of a process as they were at one moment. It needs no debugger: it is what there is of a program that Go did not
//! make.

use std::time::SystemTime;

use super::Debug;
use crate::corefile::Line;
use crate::exit::Failure;
use crate::threads::{Thread, Threads};
use crate::tui::app::App;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::layer::{Confirm, Layer};
use crate::tui::effect::Effect;
use crate::tui::keymap::Action;
use crate::tui::layout;

/// A pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The list of threads.
    #[default]
    Threads,
    /// The registers of the selected one.
    Registers,
    /// What is where in memory.
    Memory,
}

impl Pane {
    /// All of them, in the order of the key.
    pub const ALL: [Self; 3] = [Self::Threads, Self::Registers, Self::Memory];

    fn step(self, forward: bool) -> Self {
        let at = Self::ALL.iter().position(|pane| *pane == self).unwrap_or_default();
        let next = if forward { at + 1 } else { at + Self::ALL.len() - 1 } % Self::ALL.len();
        Self::ALL.get(next).copied().unwrap_or_default()
    }

    fn number(self) -> usize {
        match self {
            Self::Threads => 0,
            Self::Registers => 1,
            Self::Memory => 2,
        }
    }
}

/// The threads, and where one is in them.
#[derive(Debug, Clone)]
pub struct View {
    /// What was read.
    pub threads: Threads,
    /// When.
    pub at: SystemTime,
    /// Why Delve does not look at it.
    pub why: String,
    /// The pane that keys go to.
    pub focus: Pane,
    /// The one that is shown beside the threads where there is no room for both.
    pub beside: Pane,
    cursors: [Cursor; 3],
    shifts: [usize; 3],
}

impl View {
    /// What was just read. `before` is the one in place of which it is.
    #[must_use]
    pub fn new(threads: Threads, at: SystemTime, why: String, before: Option<Self>) -> Self {
        let mut view = Self {
            threads,
            at,
            why,
            focus: Pane::default(),
            beside: Pane::Registers,
            cursors: Default::default(),
            shifts: Default::default(),
        };
        if let Some(before) = before {
            (view.focus, view.beside) = (before.focus, before.beside);
            (view.cursors, view.shifts) = (before.cursors, before.shifts);
            let selected = before.selected().map(|thread| thread.about.tid);
            let again = view.threads.all.iter().position(|thread| Some(thread.about.tid) == selected);
            view.cursors[0].at = again.unwrap_or_default();
        }
        view.show_place();
        view
    }

    /// The thread that is looked at.
    #[must_use]
    pub fn selected(&self) -> Option<&Thread> {
        self.threads.all.get(self.cursors[0].at)
    }

    /// Where one is in a pane.
    #[must_use]
    pub fn cursor(&self, pane: Pane) -> Cursor {
        self.cursors[pane.number()]
    }

    /// How many columns a pane is scrolled to the right.
    #[must_use]
    pub fn shift(&self, pane: Pane) -> usize {
        self.shifts[pane.number()]
    }

    /// Rows of a pane.
    #[must_use]
    pub fn rows(&self, pane: Pane) -> usize {
        match pane {
            Pane::Threads => self.threads.all.len(),
            Pane::Registers => self.selected().map_or(0, |thread| thread.registers.len()),
            Pane::Memory => self.threads.mappings.len(),
        }
    }

    /// What is said of the part of memory in a row: whether the selected thread's next instruction is in it, or its stack.
    #[must_use]
    pub fn mark(&self, row: usize) -> &'static str {
        let (spot, place) = (self.selected().and_then(|thread| thread.spot.as_ref()), self.threads.mappings.get(row));
        let Some((spot, place)) = spot.zip(place) else { return "" };
        let has = |address: u64| (place.start..place.end).contains(&address);
        if has(spot.pc) {
            "pc"
        } else if has(spot.sp) {
            "sp"
        } else {
            ""
        }
    }

    /// A row of a pane as text.
    #[must_use]
    pub fn line(&self, pane: Pane, row: usize) -> Option<String> {
        match pane {
            Pane::Threads => {
                let Thread { about, spot, .. } = self.threads.all.get(row)?;
                let call = about.call.map_or_else(String::new, |call| format!("{} ", call.word()));
                let spot = spot.as_ref().map_or_else(|| "runs".to_owned(), crate::threads::Spot::words);
                Some(format!("{:>7} {} {:<15} {call}{spot}", about.tid, about.state, about.name.safe()))
            }
            Pane::Registers => {
                let register = self.selected()?.registers.get(row)?;
                Some(format!("{:<8} {}", register.name, register.hex()))
            }
            Pane::Memory => {
                let Line { start, end, readable, writable, executable, name, .. } = self.threads.mappings.get(row)?;
                let right = |has: &bool, letter| if *has { letter } else { '-' };
                let rights = [right(readable, 'r'), right(writable, 'w'), right(executable, 'x')];
                let rights: String = rights.iter().collect();
                let name = crate::text::escape(name);
                Some(format!("{:<2} {start:012x}-{end:012x} {rights} {name}", self.mark(row)))
            }
        }
    }

    /// Moves in the pane that has the focus.
    pub(in crate::tui::app) fn go(&mut self, motion: Action, page: usize) -> bool {
        let (at, len) = (self.focus.number(), self.rows(self.focus));
        match motion {
            Action::Left => self.shifts[at] = self.shifts[at].saturating_sub(8),
            Action::Right => self.shifts[at] = (self.shifts[at] + 8).min(4096),
            _ => {}
        }
        let moved = self.cursors[at].go(motion, len, page);
        if self.focus == Pane::Threads {
            self.show_place();
        }
        moved
    }

    /// Shows the part of memory that the selected thread's next instruction is in.
    fn show_place(&mut self) {
        let place = (0..self.rows(Pane::Memory)).find(|&row| self.mark(row) == "pc");
        if let Some(place) = place {
            self.cursors[Pane::Memory.number()].at = place;
        }
    }

    /// Gives the focus to the next pane.
    pub(in crate::tui::app) fn step(&mut self, forward: bool) {
        self.focus = self.focus.step(forward);
        if self.focus != Pane::Threads {
            self.beside = self.focus;
        }
    }

    /// Selects a row of the pane that has the focus, as a click does.
    pub(in crate::tui::app) fn click(&mut self, row: usize) {
        let cursor = &mut self.cursors[self.focus.number()];
        cursor.at = cursor.top + row;
        if self.focus == Pane::Threads {
            self.show_place();
        }
    }

    /// Keeps what is selected on the screen.
    pub(in crate::tui::app) fn settle(&mut self, size: (u16, u16)) {
        for pane in Pane::ALL {
            let rows = self.rows(pane);
            self.cursors[pane.number()].settle(rows, layout::threads_page(size, pane, self.beside));
        }
    }
}

impl Debug {
    /// Why Delve cannot look at the process, if that is known, and it does not do so just now. Its threads can be looked at all
    /// the same.
    #[must_use]
    pub fn without_delve(&self) -> Option<&Failure> {
        let is_known = self.prospect.error.is_none() && self.session.is_none();
        let prospect = self.prospect.shown.as_ref().filter(|_| is_known)?;
        prospect.go.as_ref().err().or(prospect.debugger.as_ref().err())
    }
}

impl App {
    /// The threads that are looked at.
    pub(in crate::tui::app) fn thread_view(&mut self) -> Option<&mut View> {
        self.work.as_deref_mut()?.debug.threads.as_deref_mut()
    }

    /// Asks whether the process may be stopped for its registers. False if Delve can look at it: then there is more to be had.
    pub(super) fn confirm_threads(&mut self) -> bool {
        let Some(work) = &self.work else { return false };
        let Some(prospect) = work.debug.prospect.shown.as_ref().filter(|_| work.debug.without_delve().is_some()) else {
            return false;
        };
        let (generation, pid) = (work.generation, prospect.process.pid);
        let question = format!("Read the registers of {}?", prospect.process);
        let note = format!(
            "Its {} threads stop for about a millisecond and then run on, whatever happens here. No memory is copied.",
            prospect.weight.threads
        );
        self.sessions += 1;
        let yes = Effect::Threads { generation, session: self.sessions, pid };
        self.layers.push(Layer::Confirm(Confirm { question, note, verb: "read them", yes }));
        true
    }

    /// Takes the threads that were read.
    pub(super) fn threads_read(&mut self, threads: Threads) {
        let at = self.clock.wall;
        let Some(work) = &mut self.work else { return };
        let why = work.debug.without_delve().map_or_else(String::new, |failure| failure.message.clone());
        let before = work.debug.threads.take();
        work.debug.threads = Some(Box::new(View::new(threads, at, why, before.map(|before| *before))));
    }

    /// Forgets the threads, if there are any.
    pub(super) fn leave_threads(&mut self) -> bool {
        let left = self.work.as_mut().is_some_and(|work| {
            work.debug.prospect.hurry();
            let left = work.debug.session.is_none() && work.debug.threads.take().is_some();
            if left {
                // Nor are those looked at that are being read just now.
                work.debug.opening = None;
            }
            left
        });
        if left {
            self.say("what was read is forgotten");
        }
        left
    }
}

//! What keys do in the tab.

use super::{Golang, Pane, Shown, Sort};
use crate::goroutines::watch;
use crate::tui::app::App;
use crate::tui::keymap::Action;

impl Golang {
    /// Choices of the tab.
    pub(in crate::tui::app) fn choose(&mut self, action: Action) {
        match action {
            Action::Group => {
                self.focus = Pane::List;
                self.shown = if self.shown == Shown::Groups { Shown::Single } else { Shown::Groups };
            }
            Action::All => self.system = !self.system,
            Action::Sort => {
                let at = (self.sort.column() + 1) % Sort::ALL.len();
                self.sort = Sort::ALL.get(at).copied().unwrap_or_default();
            }
            Action::Reverse => self.reverse = !self.reverse,
            _ => return,
        }
        self.arrange();
    }

    /// Shows the goroutines of the selected place one by one; the stack of one that is selected.
    pub(in crate::tui::app) fn open(&mut self) {
        let Some(dump) = self.dump() else { return };
        let key = self.selected().map(|row| watch::key(dump, &row.group.place));
        match (&self.shown, self.focus, key) {
            (Shown::Groups, Pane::List, Some(key)) => {
                self.shown = Shown::Of(key);
                self.cursor.at = 0;
                self.arrange();
            }
            _ => self.step(),
        }
    }

    /// Back to all places. False if they are shown.
    pub(in crate::tui::app) fn up(&mut self) -> bool {
        if self.focus == Pane::Stack {
            self.step();
            return true;
        }
        let Shown::Of(key) = &self.shown else { return false };
        self.chosen = Some((key.clone(), None));
        self.shown = Shown::Groups;
        self.arrange();
        true
    }
}

impl App {
    /// From now on it is about another process, if one is named.
    pub(in crate::tui::app) fn golang_process(&mut self, argument: Option<&str>) {
        let Some(pid) = self.process_named("go", argument) else { return };
        if let Some(work) = &mut self.work {
            work.golang.pid = Some(pid);
            work.golang.restart();
        }
    }
}

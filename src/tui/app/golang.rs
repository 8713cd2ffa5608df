//! The goroutines of a process that runs on, read again and again: which places they wait in, and which of these grow.

mod act;
mod rows;
mod stack;

use std::sync::Arc;
use std::time::Duration;

pub use self::rows::Row;
use crate::goroutines::Dump;
use crate::goroutines::filter::Filter;
use crate::goroutines::group::Group;
use crate::goroutines::watch::{self, Key, Trend, Watch};
use crate::target::ContainerPid;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::held::Held;
use crate::tui::app::pattern::Pattern;
use crate::tui::keymap::Action;
use crate::tui::layout;
use crate::tui::message::Goroutines;
use crate::tui::widgets::table::Column;

/// How often they are read.
const EVERY: Duration = Duration::from_secs(2);
/// A reading takes at most this part of the time, however many there are.
const SHARE: u32 = 20;
/// Readings in a row in which a group grew, from which on that is said.
pub const GROWS: u32 = 3;

/// A pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The list.
    #[default]
    List,
    /// The stack of what is selected in it.
    Stack,
}

/// What the list is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Shown {
    /// Those in the same place together.
    #[default]
    Groups,
    /// One by one.
    Single,
    /// One by one, of one place.
    Of(Key),
}

/// What can be told of a row, as columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// How many there are; of one, its number.
    #[default]
    Count,
    /// By how many more since the reading before.
    Change,
    /// By how many more since the first one.
    Since,
    /// What they do.
    State,
    /// How long they wait.
    Waited,
    /// Where they are.
    Where,
}

impl Sort {
    const ALL: [Self; 6] = [Self::Count, Self::Change, Self::Since, Self::State, Self::Waited, Self::Where];

    /// Its column.
    #[must_use]
    pub fn column(self) -> usize {
        Self::ALL.iter().position(|sort| *sort == self).unwrap_or_default()
    }
}

/// The tab.
#[derive(Debug, Clone, Default)]
pub struct Golang {
    /// The process that was asked for; nothing: the one that Go made.
    pub pid: Option<ContainerPid>,
    /// What was read.
    pub data: Held<Arc<Goroutines>>,
    /// How it was in the readings before.
    watch: Watch,
    /// What the list is of.
    pub shown: Shown,
    /// The runtime's own, too.
    pub system: bool,
    /// What they must have in their functions, files, state or labels.
    pub filter: Option<Pattern>,
    /// What the list is sorted by.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub reverse: bool,
    /// The list.
    pub rows: Vec<Row>,
    /// Goroutines in it.
    pub count: usize,
    /// Where one is in it.
    pub cursor: Cursor,
    /// The lines of the stack of what is selected.
    pub lines: Vec<String>,
    /// Where one is in them.
    pub stack: Cursor,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// The pane that keys go to.
    pub focus: Pane,
    /// What is to be selected once the list is made anew.
    chosen: Option<(Key, Option<u64>)>,
}

impl Golang {
    /// How long to wait from one reading to the next: what is read is not to be felt.
    #[must_use]
    pub fn every(&self) -> Duration {
        let took = self.data.shown.as_ref().map_or(Duration::ZERO, |data| data.dump.took);
        EVERY.max(took.saturating_mul(SHARE))
    }

    /// What was read last.
    #[must_use]
    pub fn dump(&self) -> Option<&Dump> {
        self.data.shown.as_ref().map(|data| &data.dump)
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<&Row> {
        self.rows.get(self.cursor.at)
    }

    /// The columns of the list.
    #[must_use]
    pub fn columns(&self) -> &'static [Column] {
        const GROUPS: [Column; 6] = [
            Column::number("COUNT", 7, 0),
            Column::number("CHANGE", 7, 0),
            Column::number("SINCE", 7, 76),
            Column::text("STATE", 17, 0),
            Column::text("WAITED", 8, 70),
            Column::text("WHERE", 0, 0),
        ];
        const SINGLE: [Column; 6] = [
            Column::number("NUMBER", 9, 0),
            Column::number("PARENT", 9, 76),
            Column::number("THREAD", 7, 90),
            Column::text("STATE", 17, 0),
            Column::text("WAITED", 8, 70),
            Column::text("WHERE", 0, 0),
        ];
        if self.shown == Shown::Groups { &GROUPS } else { &SINGLE }
    }

    /// How a place came to have as many as it has.
    fn trend(&self, dump: &Dump, group: &Group) -> Option<Trend> {
        self.watch.trend(&watch::key(dump, &group.place))
    }

    /// Takes in what has just been shown.
    pub(super) fn arrived(&mut self) {
        let Some(data) = self.data.shown.clone() else { return };
        // Of all of them: what is shown of them changes, and a group is not to grow by that.
        self.watch.next(&data.dump, &Filter { system: true, ..Filter::default() });
        self.arrange();
    }

    /// Compares with nothing that was read so far: the program may have begun anew.
    pub(super) fn renewed(&mut self) {
        self.watch = Watch::default();
    }

    /// Forgets what was read: it was of another process.
    pub(super) fn restart(&mut self) {
        *self = Self {
            pid: self.pid,
            filter: self.filter.take(),
            system: self.system,
            sort: self.sort,
            reverse: self.reverse,
            ..Self::default()
        };
    }

    /// Columns of text and rows that are moved in.
    fn len(&self) -> usize {
        match self.focus {
            Pane::List => self.rows.len(),
            Pane::Stack => self.lines.len(),
        }
    }

    /// Moves in the pane that has the focus.
    pub(super) fn go(&mut self, motion: Action, page: usize) -> bool {
        match motion {
            Action::Left => self.shift = self.shift.saturating_sub(8),
            Action::Right => self.shift = (self.shift + 8).min(4096),
            _ => {}
        }
        let len = self.len();
        match self.focus {
            Pane::List => {
                let moved = self.cursor.go(motion, len, page);
                self.unwind();
                moved
            }
            Pane::Stack => self.stack.go(motion, len, page),
        }
    }

    /// Selects a row of the pane that has the focus, as a click does.
    pub(super) fn click(&mut self, row: usize) {
        match self.focus {
            Pane::List => {
                self.cursor.at = (self.cursor.top + row).min(self.rows.len().saturating_sub(1));
                self.unwind();
            }
            Pane::Stack => self.stack.at = self.stack.top + row,
        }
    }

    /// Gives the focus to the other pane.
    pub(super) fn step(&mut self) {
        self.shift = 0;
        self.focus = match self.focus {
            Pane::List => Pane::Stack,
            Pane::Stack => Pane::List,
        };
    }

    /// Keeps what is selected on the screen.
    pub(super) fn settle(&mut self, size: (u16, u16)) {
        let (list, stack) = layout::goroutines(size);
        self.cursor.settle(self.rows.len(), layout::table_rows(list).height.into());
        self.stack.settle(self.lines.len(), layout::inside(stack).height.into());
    }

    /// What is copied: the selected line, or all of the pane.
    #[must_use]
    pub fn copied(&self, all: bool) -> Vec<String> {
        match (self.focus, all) {
            (Pane::Stack, true) => self.lines.clone(),
            (Pane::Stack, false) => {
                self.lines.get(self.stack.at).map(|line| line.trim().to_owned()).into_iter().collect()
            }
            (Pane::List, true) => (0..self.rows.len()).filter_map(|row| Some(self.cells(row)?.join("  "))).collect(),
            (Pane::List, false) => self.cells(self.cursor.at).map(|cells| cells.join("  ")).into_iter().collect(),
        }
    }

    /// The process and what it has, in short.
    #[must_use]
    pub fn title(&self) -> String {
        let Some(data) = &self.data.shown else { return "Goroutines".to_owned() };
        let count = self.count;
        let what = match &self.shown {
            Shown::Groups => format!("Goroutines {count} in {} places", self.rows.len()),
            Shown::Single => format!("Goroutines {count}, one by one"),
            Shown::Of(_) => format!("Goroutines {count} of one place"),
        };
        format!("{what} ─ process {}, {}", data.pid, data.go.safe())
    }
}

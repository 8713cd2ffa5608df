//! Moving in whatever has the focus, and keeping it on the screen.

use super::cursor::Cursor;
use super::debug::Depth;
use super::golang::Pane;
use super::pods::Source;
use super::{App, Layer, overview};
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Mode, Tab};
use crate::tui::layout;
use crate::tui::message::{Mouse, Request};
use crate::tui::screens;

/// Rows the wheel turns by.
const WHEEL: usize = 3;

impl App {
    /// Columns and rows in which the pane's rows are drawn.
    #[must_use]
    pub fn page(&self) -> (usize, usize) {
        let area = self.rows_area();
        (area.width.into(), area.height.into())
    }

    /// Where the pane's rows are drawn.
    #[must_use]
    pub fn rows_area(&self) -> ratatui::layout::Rect {
        let Some(work) = &self.work else {
            return match self.source {
                Source::Engine => layout::table_rows(layout::picker(self.size).0),
                Source::Cluster => layout::pods(self.size, self.pods.stale()).rows,
            };
        };
        let body = layout::areas(self.size, true).body;
        match work.mode() {
            Mode::Overview => layout::inside(layout::overview(self.size).1),
            Mode::Procs | Mode::Files | Mode::Net | Mode::Activity | Mode::Depths => layout::table_rows(body),
            Mode::Copy | Mode::Live => work.debug.session.as_ref().map_or(body, |session| {
                layout::inside(layout::debug(self.size, session.beside, session.is_live()).of(session.focus))
            }),
            Mode::Threads => {
                let view = work.debug.threads.as_ref();
                view.map_or(body, |view| layout::inside(layout::threads(self.size, view.beside).of(view.focus)))
            }
            Mode::Goroutines => {
                let (list, stack) = layout::goroutines(self.size);
                if work.golang.focus == Pane::List { layout::table_rows(list) } else { layout::inside(stack) }
            }
            _ => layout::inside(body),
        }
    }

    /// Moves, if the action is a motion.
    pub(super) fn go(&mut self, motion: Action) -> bool {
        if !motion.moves() {
            return false;
        }
        let size = self.size;
        if let Some(layer) = self.layers.last_mut() {
            let (len, page) = screens::layer_rows(layer, size);
            return match layer {
                Layer::Help(help) => help.scroll.go(motion, len, page),
                Layer::Message(message) => message.scroll.go(motion, len, page),
                Layer::Line(line) => line.scroll.go(motion, len, page),
                Layer::Choose(choose) => choose.cursor.go(motion, len, page),
                Layer::Confirm(_) => false,
            };
        }
        let (width, page) = self.page();
        let Some(work) = &mut self.work else {
            let (cursor, len) = self.list();
            return cursor.go(motion, len, page);
        };
        let sideways = |shift: &mut usize| match motion {
            Action::Left => *shift = shift.saturating_sub(8),
            Action::Right => *shift = (*shift + 8).min(4096),
            _ => {}
        };
        match work.mode() {
            Mode::Overview => {
                let len = overview::rows(work, self.clock, layout::wide(size));
                work.overview.go(motion, len, page)
            }
            Mode::Procs => {
                sideways(&mut work.procs.shift);
                work.procs.cursor.go(motion, work.procs.rows.len(), page)
            }
            Mode::Process => work.process.as_mut().is_some_and(|view| {
                sideways(&mut view.shift);
                view.cursor.go(motion, view.lines.len(), page)
            }),
            Mode::Logs => work.logs.go(motion, width, page),
            Mode::Files => work.files.cursor.go(motion, work.files.order.len(), page),
            Mode::Viewer => {
                let generation = work.generation;
                let live = work.live();
                let Some(viewer) = &mut work.viewer else { return false };
                if motion == Action::Bottom && live {
                    viewer.follow = true;
                }
                if let Some(from) = viewer.go(motion, page).filter(|_| live) {
                    viewer.window.busy = true;
                    let request = Request::View { path: viewer.path.clone(), from };
                    self.effect(Effect::Read { generation, request });
                }
                true
            }
            Mode::Net => {
                sideways(&mut work.net.shift);
                let table = work.net.table_mut();
                let len = table.order.len();
                table.cursor.go(motion, len, page)
            }
            Mode::Activity => {
                sideways(&mut self.activity.shift);
                self.activity.go(motion, page)
            }
            Mode::Copy | Mode::Live => self.go_in_session(motion),
            Mode::Threads => self.thread_view().is_some_and(|view| view.go(motion, page)),
            Mode::Goroutines => work.golang.go(motion, page),
            Mode::Depths => {
                let len = work.debug.rows();
                work.debug.cursor.go(motion, len, page)
            }
            _ => false,
        }
    }

    /// Where one is in the list of containers or pods, and how long that is.
    fn list(&mut self) -> (&mut Cursor, usize) {
        match self.source {
            Source::Engine => (&mut self.picker.cursor, self.picker.order.len()),
            Source::Cluster => (&mut self.pods.cursor, self.pods.order.len()),
        }
    }

    /// Keeps what is selected on the screen, whatever changed.
    pub(super) fn settle(&mut self) {
        let size = self.size;
        for layer in &mut self.layers {
            let (len, page) = screens::layer_rows(layer, size);
            match layer {
                Layer::Help(help) => help.scroll.settle(len, page),
                Layer::Message(message) => message.scroll.settle(len, page),
                Layer::Line(line) => line.scroll.settle(len, page),
                Layer::Choose(choose) => choose.cursor.settle(len, page),
                Layer::Confirm(_) => {}
            }
        }
        let (width, page) = self.page();
        let Some(work) = &mut self.work else {
            let (cursor, len) = self.list();
            cursor.settle(len, page);
            return;
        };
        match work.tab {
            Tab::Overview => {
                let len = overview::rows(work, self.clock, layout::wide(size));
                work.overview.settle(len, page);
            }
            Tab::Procs => {
                work.procs.cursor.settle(work.procs.rows.len(), page);
                if let Some(view) = &mut work.process {
                    view.cursor.settle(view.lines.len(), page);
                }
            }
            Tab::Logs => work.logs.settle(width, page),
            Tab::Files => {
                work.files.cursor.settle(work.files.order.len(), page);
                if let Some(viewer) = &mut work.viewer {
                    let rows = viewer.rows();
                    viewer.scroll.settle(rows, page);
                }
            }
            Tab::Net => {
                let table = work.net.table_mut();
                let len = table.order.len();
                table.cursor.settle(len, page);
            }
            Tab::Go => work.golang.settle(size),
            Tab::Activity => self.activity.cursor.settle(self.activity.order.len(), page),
            Tab::Debug => {
                let rows = work.debug.rows();
                if let Some(session) = &mut work.debug.session {
                    session.settle(size);
                } else {
                    work.debug.cursor.at = work.debug.cursor.at.min(rows - 1);
                }
                if let Some(view) = &mut work.debug.threads {
                    view.settle(size);
                }
            }
        }
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) {
        match mouse {
            Mouse::WheelUp => self.wheel(Action::Up),
            Mouse::WheelDown => self.wheel(Action::Down),
            Mouse::Click(column, row) => self.click(column, row),
        }
    }

    fn wheel(&mut self, motion: Action) {
        for _ in 0..WHEEL {
            self.go(motion);
        }
    }

    fn click(&mut self, column: u16, row: u16) {
        if !self.layers.is_empty() || self.prompt.is_some() {
            return;
        }
        let tabs = layout::areas(self.size, self.work.is_some()).tabs;
        if tabs.is_some_and(|tabs| tabs.y == row) {
            if let Some(tab) = self.work.as_ref().and_then(|work| screens::tab_at(column, self.size.0, work.tab)) {
                self.act(Action::Tab(tab), None);
            }
            return;
        }
        let area = self.rows_area();
        if !area.contains((column, row).into()) {
            return;
        }
        let at = usize::from(row - area.y);
        let Some(work) = &mut self.work else {
            let (cursor, _) = self.list();
            cursor.at = cursor.top + at;
            return;
        };
        match work.mode() {
            Mode::Procs => work.procs.cursor.at = work.procs.cursor.top + at,
            Mode::Process => {
                if let Some(view) = &mut work.process {
                    view.cursor.at = view.cursor.top + at;
                }
            }
            Mode::Files => work.files.cursor.at = work.files.cursor.top + at,
            Mode::Copy | Mode::Live => self.click_in_session(at),
            Mode::Threads => {
                if let Some(view) = self.thread_view() {
                    view.click(at);
                }
            }
            Mode::Goroutines => work.golang.click(at),
            Mode::Depths => work.debug.cursor.at = at.min(Depth::ALL.len() - 1),
            Mode::Net => {
                let table = work.net.table_mut();
                table.cursor.at = table.cursor.top + at;
            }
            Mode::Activity => {
                self.activity.cursor.at = self.activity.cursor.top + at;
                self.activity.follow = false;
            }
            Mode::Logs if !work.logs.wrap => {
                let position = work.logs.position_of(work.logs.top) + at;
                if let Some(id) = work.logs.id_at(position) {
                    work.logs.follow = false;
                    work.logs.cursor = id;
                }
            }
            _ => {}
        }
    }
}

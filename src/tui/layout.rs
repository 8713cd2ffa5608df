//! Where things are on the screen. Pure geometry, shared by what moves and what draws.

use ratatui::layout::Rect;

use crate::tui::app::debug::Focus;
use crate::tui::app::debug::threads::Pane;

/// Below this nothing but one line is drawn.
pub const MIN: (u16, u16) = (60, 15);
/// From this on there is room for panes side by side.
pub const FULL: (u16, u16) = (100, 30);

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Where one is.
    pub crumb: Rect,
    /// The tabs, if a container is open.
    pub tabs: Option<Rect>,
    /// The pane, with its border.
    pub body: Rect,
    /// State and small messages.
    pub status: Rect,
    /// Keys, or the line being typed.
    pub footer: Rect,
}

/// Whether anything but a sorry line fits.
#[must_use]
pub fn fits(size: (u16, u16)) -> bool {
    size.0 >= MIN.0 && size.1 >= MIN.1
}

/// Whether panes side by side fit.
#[must_use]
pub fn wide(size: (u16, u16)) -> bool {
    size.0 >= FULL.0
}

/// Whether panes above each other fit too.
#[must_use]
pub fn full(size: (u16, u16)) -> bool {
    size.0 >= FULL.0 && size.1 >= FULL.1
}

/// Cuts the screen.
#[must_use]
pub fn areas(size: (u16, u16), tabs: bool) -> Areas {
    let (width, height) = size;
    let row = |y: u16| Rect::new(0, y.min(height), width, 1.min(height.saturating_sub(y)));
    let top = 1 + u16::from(tabs);
    let bottom = height.saturating_sub(2).max(top.min(height));
    Areas {
        crumb: row(0),
        tabs: tabs.then(|| row(1)),
        body: Rect::new(0, top.min(height), width, bottom.saturating_sub(top)),
        status: row(bottom),
        footer: row(bottom.saturating_add(1)),
    }
}

/// What is inside a border.
#[must_use]
pub fn inside(area: Rect) -> Rect {
    Rect::new(
        area.x.saturating_add(1),
        area.y.saturating_add(1),
        area.width.saturating_sub(2),
        area.height.saturating_sub(2),
    )
}

/// The rows of a table with a border and a line of column names.
#[must_use]
pub fn table_rows(area: Rect) -> Rect {
    let inner = inside(area);
    Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner }
}

/// The picker: the list, and details beside it if there is room.
#[must_use]
pub fn picker(size: (u16, u16)) -> (Rect, Option<Rect>) {
    let body = areas(size, false).body;
    if !wide(size) {
        return (body, None);
    }
    let right = (body.width * 2 / 5).min(60);
    let left = body.width - right;
    (Rect { width: left, ..body }, Some(Rect { x: body.x + left, width: right, ..body }))
}

/// Rows in which it is said why a list is old.
pub const TROUBLE: u16 = 3;
/// Rows of what is known of one container of a pod, with their border.
const DETAILS: u16 = 12;

/// The list of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodAreas {
    /// The list, with its border.
    pub list: Rect,
    /// Why it is old, if it is.
    pub trouble: Rect,
    /// Names of columns, and rows.
    pub table: Rect,
    /// Rows alone.
    pub rows: Rect,
    /// What is known of the selected one, with its border, if there is room.
    pub details: Option<Rect>,
}

/// The list of pods; above its rows, why they are old, if they are; and details below, if there is room.
#[must_use]
pub fn pods(size: (u16, u16), old: bool) -> PodAreas {
    let body = areas(size, false).body;
    let below = if size.1 >= FULL.1 { DETAILS.min(body.height) } else { 0 };
    let list = Rect { height: body.height - below, ..body };
    let inner = inside(list);
    let top = if old { TROUBLE.min(inner.height) } else { 0 };
    let table = Rect { y: inner.y.saturating_add(top), height: inner.height - top, ..inner };
    let rows = Rect { y: table.y.saturating_add(1), height: table.height.saturating_sub(1), ..table };
    let details = (below > 0).then(|| Rect { y: body.y + list.height, height: below, ..body });
    PodAreas { list, trouble: Rect { height: top, ..inner }, table, rows, details }
}

/// The overview: rates on top, then one column of facts or two.
#[must_use]
pub fn overview(size: (u16, u16)) -> (Rect, Rect, Option<Rect>) {
    let body = areas(size, true).body;
    let top = 4.min(body.height);
    let rates = Rect { height: top, ..body };
    let rest = Rect { y: body.y + top, height: body.height - top, ..body };
    if !wide(size) {
        return (rates, rest, None);
    }
    let left = rest.width / 2;
    (rates, Rect { width: left, ..rest }, Some(Rect { x: rest.x + left, width: rest.width - left, ..rest }))
}

/// The panes of a session with the debugger, each with its border. What there is no room for is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebugAreas {
    /// What is looked at.
    pub header: Rect,
    goroutines: Rect,
    stack: Rect,
    variables: Rect,
    source: Rect,
    breakpoints: Rect,
}

impl DebugAreas {
    /// A pane.
    #[must_use]
    pub fn of(&self, focus: Focus) -> Rect {
        match focus {
            Focus::Goroutines => self.goroutines,
            Focus::Stack => self.stack,
            Focus::Variables => self.variables,
            Focus::Source => self.source,
            Focus::Breakpoints => self.breakpoints,
        }
    }
}

/// A session with the debugger: the source, and beside it all panes, or below it one of them. Below the source of a live
/// process, its breakpoints.
#[must_use]
pub fn debug(size: (u16, u16), beside: Focus, live: bool) -> DebugAreas {
    let body = areas(size, true).body;
    let top = 1.min(body.height);
    let header = Rect { height: top, ..body };
    let rest = Rect { y: body.y + top, height: body.height - top, ..body };
    let none = Rect { width: 0, height: 0, ..rest };
    let all = DebugAreas { header, goroutines: none, stack: none, variables: none, source: rest, breakpoints: none };
    let (source, panes) = if wide(size) {
        let left = rest.width / 2;
        (Rect { width: left, ..rest }, Rect { x: rest.x + left, width: rest.width - left, ..rest })
    } else {
        let above = rest.height * 2 / 5;
        (Rect { height: above, ..rest }, Rect { y: rest.y + above, height: rest.height - above, ..rest })
    };
    if full(size) {
        let (first, second) = (panes.height * 2 / 5, panes.height / 4);
        let stack = panes.y + first;
        let below = if live { (source.height / 5).max(4) } else { 0 };
        let above = source.height - below;
        return DebugAreas {
            source: Rect { height: above, ..source },
            breakpoints: Rect { y: source.y + above, height: below, ..source },
            goroutines: Rect { height: first, ..panes },
            stack: Rect { y: stack, height: second, ..panes },
            variables: Rect { y: stack + second, height: panes.height - first - second, ..panes },
            ..all
        };
    }
    match beside {
        Focus::Stack => DebugAreas { source, stack: panes, ..all },
        Focus::Variables => DebugAreas { source, variables: panes, ..all },
        Focus::Breakpoints if live => DebugAreas { source, breakpoints: panes, ..all },
        Focus::Goroutines | Focus::Source | Focus::Breakpoints => DebugAreas { source, goroutines: panes, ..all },
    }
}

/// Columns and rows inside a pane of a session. One that is not shown is as large as it would be.
#[must_use]
pub fn debug_page(size: (u16, u16), focus: Focus, beside: Focus, live: bool) -> (usize, usize) {
    let beside = if focus == Focus::Source { beside } else { focus };
    let inner = inside(debug(size, beside, live).of(focus));
    (inner.width.into(), inner.height.into())
}

/// The threads of a process, each pane with its border. What there is no room for is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadAreas {
    /// What is looked at.
    pub header: Rect,
    threads: Rect,
    registers: Rect,
    memory: Rect,
}

impl ThreadAreas {
    /// A pane.
    #[must_use]
    pub fn of(&self, pane: Pane) -> Rect {
        match pane {
            Pane::Threads => self.threads,
            Pane::Registers => self.registers,
            Pane::Memory => self.memory,
        }
    }
}

/// The threads of a process, and beside or below them the other panes, or one of them.
#[must_use]
pub fn threads(size: (u16, u16), beside: Pane) -> ThreadAreas {
    let DebugAreas { header, source: left, goroutines: right, .. } = debug(size, Focus::Goroutines, false);
    if full(size) {
        let rest = areas(size, true).body.bottom().saturating_sub(right.y);
        let above = rest / 2;
        let registers = Rect { height: above, ..right };
        let memory = Rect { y: right.y + above, height: rest - above, ..right };
        return ThreadAreas { header, threads: left, registers, memory };
    }
    let none = Rect { width: 0, height: 0, ..left };
    match beside {
        Pane::Memory => ThreadAreas { header, threads: left, registers: none, memory: right },
        Pane::Threads | Pane::Registers => ThreadAreas { header, threads: left, registers: right, memory: none },
    }
}

/// Rows inside a pane of it. One that is not shown is as large as it would be.
#[must_use]
pub fn threads_page(size: (u16, u16), pane: Pane, beside: Pane) -> usize {
    let beside = if pane == Pane::Threads { beside } else { pane };
    inside(threads(size, beside).of(pane)).height.into()
}

/// Goroutines: the list, and below it the stack of what is selected.
#[must_use]
pub fn goroutines(size: (u16, u16)) -> (Rect, Rect) {
    let body = areas(size, true).body;
    let above = body.height / 2;
    (Rect { height: above, ..body }, Rect { y: body.y + above, height: body.height - above, ..body })
}

/// A box over everything: help, a message, a question, a long line.
#[must_use]
pub fn overlay(size: (u16, u16), width: u16, height: u16) -> Rect {
    let width = width.min(size.0);
    let height = height.min(size.1);
    Rect::new((size.0 - width) / 2, (size.1 - height) / 2, width, height)
}

/// The box of the help and of a long line.
#[must_use]
pub fn large_overlay(size: (u16, u16)) -> Rect {
    let (width, height) = (size.0.saturating_sub(4).min(100), size.1.saturating_sub(3));
    Rect { y: 1.min(size.1), ..overlay(size, width, height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_outside_the_screen() {
        for width in 0..130 {
            for height in 0..45 {
                let screen = Rect::new(0, 0, width, height);
                let inside_screen = |area: Rect| area.is_empty() || screen.intersection(area) == area;
                for tabs in [false, true] {
                    let areas = areas((width, height), tabs);
                    for area in [areas.crumb, areas.body, areas.status, areas.footer] {
                        assert!(inside_screen(area), "{area:?} at {width}x{height}");
                    }
                }
                let (list, details) = picker((width, height));
                let (rates, left, right) = overview((width, height));
                for area in [Some(list), details, Some(rates), Some(left), right].into_iter().flatten() {
                    assert!(inside_screen(area), "{area:?} at {width}x{height}");
                }
                assert!(inside_screen(large_overlay((width, height))));
                for old in [false, true] {
                    let areas = pods((width, height), old);
                    for area in
                        [Some(areas.list), Some(areas.trouble), Some(areas.rows), areas.details].into_iter().flatten()
                    {
                        assert!(inside_screen(area), "{areas:?} at {width}x{height}");
                    }
                }
                let (list, stack) = goroutines((width, height));
                assert!(inside_screen(list) && inside_screen(stack));
                for (beside, live) in Focus::ALL.into_iter().flat_map(|beside| [(beside, false), (beside, true)]) {
                    let areas = debug((width, height), beside, live);
                    for focus in Focus::ALL {
                        assert!(inside_screen(areas.of(focus)), "{areas:?} at {width}x{height}");
                    }
                    assert!(inside_screen(areas.header));
                }
                for beside in Pane::ALL {
                    let areas = threads((width, height), beside);
                    for pane in Pane::ALL {
                        assert!(inside_screen(areas.of(pane)), "{areas:?} at {width}x{height}");
                    }
                }
            }
        }
    }
}

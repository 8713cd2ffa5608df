//! Where things are on the screen. Pure geometry, shared by what moves and what draws.

use ratatui::layout::Rect;

use crate::tui::app::debug::Focus;

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
        }
    }
}

/// A session with the debugger: the source, and beside it all panes, or below it one of them.
#[must_use]
pub fn debug(size: (u16, u16), beside: Focus) -> DebugAreas {
    let body = areas(size, true).body;
    let top = 1.min(body.height);
    let header = Rect { height: top, ..body };
    let rest = Rect { y: body.y + top, height: body.height - top, ..body };
    let none = Rect { width: 0, height: 0, ..rest };
    let all = DebugAreas { header, goroutines: none, stack: none, variables: none, source: rest };
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
        return DebugAreas {
            source,
            goroutines: Rect { height: first, ..panes },
            stack: Rect { y: stack, height: second, ..panes },
            variables: Rect { y: stack + second, height: panes.height - first - second, ..panes },
            ..all
        };
    }
    match beside {
        Focus::Stack => DebugAreas { source, stack: panes, ..all },
        Focus::Variables => DebugAreas { source, variables: panes, ..all },
        Focus::Goroutines | Focus::Source => DebugAreas { source, goroutines: panes, ..all },
    }
}

/// Columns and rows inside a pane of a session. One that is not shown is as large as it would be.
#[must_use]
pub fn debug_page(size: (u16, u16), focus: Focus, beside: Focus) -> (usize, usize) {
    let beside = if focus == Focus::Source { beside } else { focus };
    let inner = inside(debug(size, beside).of(focus));
    (inner.width.into(), inner.height.into())
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
                for beside in Focus::ALL {
                    let areas = debug((width, height), beside);
                    for focus in Focus::ALL {
                        assert!(inside_screen(areas.of(focus)), "{areas:?} at {width}x{height}");
                    }
                    assert!(inside_screen(areas.header));
                }
            }
        }
    }
}

//! One process in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{nothing, stale};
use crate::tui::app::process::Kind;
use crate::tui::app::workspace::Workspace;
use crate::tui::message::Clock;
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

pub fn draw(work: &Workspace, clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let Some(view) = &work.process else { return };
    let search = view
        .search
        .as_ref()
        .map_or_else(String::new, |search| format!(" ─ /{} {}", search.pattern.text, search.counter()));
    let secrets = match (view.secrets, view.reveal) {
        (0, _) => String::new(),
        (count, true) => format!(" ─ {} SHOWN", words::count(count, "secret")),
        (count, false) => format!(" ─ {} masked", words::count(count, "secret")),
    };
    let mut right = stale(work, clock, view.detail.at);
    if right.is_empty() && !view.lines.is_empty() {
        right = format!("{}/{}", view.cursor.at + 1, view.lines.len());
    }
    let below = view.detail.error.as_ref().map_or("", |error| &error.message);
    let title = format!("Process {}{secrets}{search}", view.pid);
    let inner = panel::draw(buf, area, theme, &title, &right, below);
    if view.detail.shown.is_none() {
        panel::notice(buf, inner, &nothing(work, view.detail.error.as_ref(), theme));
        return;
    }
    let current = view.search.as_ref().and_then(super::super::app::pattern::Search::line);
    for (at, line) in view.lines.iter().enumerate().skip(view.cursor.top).take(inner.height.into()) {
        let Ok(row) = u16::try_from(at - view.cursor.top) else { return };
        let y = inner.y + row;
        let style = match line.kind {
            Kind::Heading => theme.heading,
            Kind::Fact => theme.text,
            Kind::Missing => theme.warn,
        };
        let text = cells::skip(&line.text, view.shift);
        cells::put_cut(buf, inner.x + 1, y, inner.width.saturating_sub(1), text, style);
        if at == view.cursor.at {
            cells::restyle(buf, Rect { y, height: 1, ..inner }, theme.selected);
        }
        if let Some(search) = &view.search {
            let found = if current == Some(at) { theme.found_here } else { theme.found };
            let places = search.pattern.places(text);
            super::logs::mark(buf, inner.x + 1, y, inner.right(), text, &places, found);
        }
    }
}

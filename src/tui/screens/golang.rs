//! Goroutines: the list, and the stack of what is selected in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{nothing, stale};
use crate::inspect::files::human_size;
use crate::tui::app::golang::{GROWS, Golang, Pane, Shown};
use crate::tui::app::workspace::Workspace;
use crate::tui::layout;
use crate::tui::message::Clock;
use crate::tui::theme::Theme;
use crate::tui::widgets::table::Table;
use crate::tui::widgets::{cells, list, panel};
use crate::tui::words;

pub fn draw(work: &Workspace, clock: Clock, buf: &mut Buffer, theme: &Theme) {
    let (above, below) = layout::goroutines((buf.area.width, buf.area.height));
    rows(work, clock, buf, above, theme);
    lines(&work.golang, buf, below, theme);
}

fn rows(work: &Workspace, clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let golang = &work.golang;
    let filter = golang.filter.as_ref().map_or_else(String::new, |filter| format!(" ─ filter: {}", filter.text));
    let title = format!("{}{filter}", golang.title());
    let below = match &golang.data.error {
        Some(error) if golang.data.shown.is_some() => error.message.clone(),
        _ => figures(golang),
    };
    let focused = golang.focus == Pane::List;
    let inner = panel::pane(focused, buf, area, theme, [&title, &stale(work, clock, golang.data.at), &below]);
    if golang.data.shown.is_none() {
        panel::notice(buf, inner, &nothing(work, golang.data.error.as_ref(), theme));
        return;
    }
    if golang.rows.is_empty() {
        let text = if golang.filter.is_some() { "nothing passes the filter" } else { "there are no goroutines" };
        panel::notice(buf, inner, &[(text.to_owned(), theme.text)]);
        return;
    }
    let drawn = Table {
        columns: golang.columns(),
        sorted: Some((golang.sort.column(), golang.reverse)),
        len: golang.rows.len(),
        cursor: golang.cursor,
        shift: if focused { golang.shift } else { 0 },
    };
    drawn.draw(buf, inner, theme, |at| {
        let grows = golang.rows.get(at)?.trend.is_some_and(|trend| trend.grew >= GROWS);
        let cells = golang.cells(at)?.into_iter().enumerate();
        let mark = |(column, text): (usize, String)| match (column, golang.shown == Shown::Groups) {
            // It grew each time that it was looked at.
            (1, true) if grows => (format!("↑{text}"), theme.bad),
            (1 | 2, true) if text.starts_with('+') => (text, theme.warn),
            (1..=4, _) => (text, theme.dim),
            _ => (text, theme.text),
        };
        Some(cells.map(mark).collect())
    });
}

/// What the runtime says of itself, and what became of the reading.
fn figures(golang: &Golang) -> String {
    let Some(dump) = golang.dump() else { return String::new() };
    let (figures, tally) = (&dump.figures, &dump.tally);
    let parts = [
        figures.heap_in_use.map(|size| format!("heap {}", human_size(size))),
        figures.heap_goal.map(|size| format!("goal {}", human_size(size))),
        figures.gc_cycles.map(|count| words::count(usize::try_from(count).unwrap_or(usize::MAX), "GC")),
        figures.gomaxprocs.map(|count| format!("GOMAXPROCS {count}")),
        figures.threads.map(|count| format!("{count} threads")),
        figures.uptime.map(|time| format!("up {}", words::span(time))),
        Some(format!("read in {:.1} ms", dump.took.as_secs_f64() * 1e3)),
        (tally.moving > 0).then(|| format!("{} moved", tally.moving)),
        (tally.unreadable > 0).then(|| format!("{} unreadable", tally.unreadable)),
        (tally.left_out > 0).then(|| format!("{} left out", tally.left_out)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn lines(golang: &Golang, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let focused = golang.focus == Pane::Stack;
    let inner = panel::pane(focused, buf, area, theme, [&golang.heading(), "", ""]);
    let shift = if focused { golang.shift } else { 0 };
    list::rows(buf, inner, theme, golang.stack, focused, |row| {
        let line = golang.lines.get(row)?;
        let style = if line.starts_with(' ') { theme.dim } else { theme.text };
        Some(vec![(cells::skip(line, shift).to_owned(), style)])
    });
}

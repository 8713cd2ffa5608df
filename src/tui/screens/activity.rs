//! What was done, step by step.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::activity::Outcome;
use crate::tui::app::activity::Activity;
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{Column, Table};
use crate::tui::words;

/// From this width on there is room for what takes a step back.
const WIDE: u16 = 98;
/// Columns of all but the last two.
const OTHERS: u16 = 12 + 7 + 7 + 6 + 6;

/// The columns at a width: where there is room, the step leaves some to its undoing.
fn columns(width: u16) -> Vec<Column> {
    let wide = width >= WIDE;
    let step = if wide { width.saturating_sub(OTHERS) * 3 / 5 } else { 0 };
    let mut columns = vec![
        Column::text("TIME", if wide { 12 } else { 8 }, 0),
        Column::text("DOOR", 7, 0),
        Column::text("OUTCOME", 7, 0),
        Column::text("UNDONE", 6, 0),
        Column::text("STEP", step, 0),
    ];
    if wide {
        columns.push(Column::text("UNDONE BY", 0, 0));
    }
    columns
}

pub fn draw(activity: &Activity, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let record = activity.record.shown.as_deref();
    let all = record.map_or(0, crate::activity::Record::len);
    let mut title = "Activity".to_owned();
    if let Some(filter) = &activity.filter {
        // Writing to a `String` cannot fail.
        let _ = write!(title, " ─ filter: {} ({}/{all})", filter.text, activity.order.len());
    }
    let mut below = words::count(all, "step");
    if let Some(left_out) = record.map(crate::activity::Record::left_out).filter(|left_out| *left_out > 0) {
        let _ = write!(below, " · {left_out} older ones left out");
    }
    let inner = panel::draw(buf, area, theme, &title, "", &below);
    if activity.order.is_empty() {
        let text = if all == 0 {
            ("nothing was done yet that takes rights, or that changes an engine or a file", theme.dim)
        } else {
            ("nothing passes the filter", theme.text)
        };
        panel::notice(buf, inner, &[(text.0.to_owned(), text.1)]);
        return;
    }
    let columns = columns(inner.width);
    let table = Table {
        columns: &columns,
        sorted: None,
        len: activity.order.len(),
        cursor: activity.cursor,
        shift: activity.shift,
    };
    table.draw(buf, inner, theme, |row| {
        let step = activity.row(row)?;
        let style = match step.outcome {
            Outcome::Doing => theme.warn,
            Outcome::Done => theme.good,
            Outcome::Failed(_) => theme.bad,
        };
        let (undone, how) = match step.undo() {
            None => (("-", theme.dim), ""),
            Some(undo) => (if undo.done { ("yes", theme.text) } else { ("no", theme.text) }, undo.how.as_str()),
        };
        let mut time = words::time_of_day(step.at);
        if inner.width < WIDE {
            // The column is for the time without its fraction.
            time.truncate("00:00:00".len());
        }
        Some(vec![
            (time, theme.dim),
            (step.door(), theme.text),
            (step.outcome.word().to_owned(), style),
            (undone.0.to_owned(), undone.1),
            (step.what(), if matches!(step.outcome, Outcome::Failed(_)) { theme.bad } else { theme.text }),
            (how.to_owned(), theme.dim),
        ])
    });
}

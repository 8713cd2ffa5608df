//! A list to choose from, over the pane.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text::Untrusted;
use crate::tui::app::pods::choose::{Choose, What};
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::layout;
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, list, panel};
use crate::tui::words;

/// Columns.
const WIDTH: u16 = 72;

/// Columns of a name, where notes stand below each other.
const LABEL: usize = 32;
/// Rows without the border, at least.
const LEAST: usize = 6;

/// Where it is: as high as it must be, and while one filters no less than before.
pub(super) fn area(choose: &Choose, size: (u16, u16)) -> Rect {
    let rows = choose.all.len().max(LEAST) + lines(choose, WIDTH.min(size.0).saturating_sub(2)).len() + 2;
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(size.1.saturating_sub(4));
    layout::overlay(size, WIDTH, height)
}

/// How many rows it has, and how many of them are shown.
pub(super) fn rows(choose: &Choose, size: (u16, u16)) -> (usize, usize) {
    let inner = layout::inside(area(choose, size));
    (choose.rows().len(), usize::from(inner.height).saturating_sub(lines(choose, inner.width).len()))
}

/// Why there is no more to choose from, if there is not.
fn lines(choose: &Choose, width: u16) -> Vec<(String, bool)> {
    let Some(failure) = &choose.failure else { return Vec::new() };
    let key = keymap::first_key(Mode::Choose, Action::Command);
    let hint = failure.hint.iter().flat_map(|hint| words::tries(hint)).map(|line| (line, false));
    let typed = (choose.what == What::Namespace).then(|| (format!("{key} takes a name that is typed"), false));
    std::iter::once((failure.message.clone(), true))
        .chain(hint)
        .chain(typed)
        .flat_map(|(text, bad)| {
            let text = Untrusted::from(text.as_str()).safe().into_string();
            cells::wrap(&text, width.saturating_sub(2).into()).into_iter().map(move |line| (line, bad))
        })
        .collect()
}

pub(super) fn draw(choose: &Choose, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let what = match choose.what {
        What::Context => "Contexts",
        What::Namespace => "Namespaces",
    };
    let filter = choose.filter.as_ref().map_or_else(String::new, |filter| format!(" ─ filter: {}", filter.text));
    let right = if choose.busy { "asking …" } else { "" };
    let close = format!("{} close", keymap::first_key(Mode::Choose, Action::Close));
    let inner = panel::draw(buf, area, theme, &format!("{what}{filter}"), right, &close);
    let mut y = inner.y;
    for (line, bad) in lines(choose, inner.width) {
        if y >= inner.bottom() {
            return;
        }
        cells::put(buf, inner.x + 1, y, inner.width.saturating_sub(2), &line, if bad { theme.bad } else { theme.text });
        y += 1;
    }
    let below = Rect { y, height: inner.bottom() - y, ..inner };
    let rows = choose.rows();
    if rows.is_empty() && choose.failure.is_none() && !choose.busy {
        let why = if choose.all.is_empty() { "there is none" } else { "none matches the filter" };
        panel::notice(buf, below, &[(why.to_owned(), theme.dim)]);
    }
    let longest = rows.iter().map(|choice| cells::width(choice.label())).max().unwrap_or_default().min(LABEL);
    list::rows(buf, below, theme, choose.cursor, true, |at| {
        let choice = rows.get(at)?;
        let mark = if choice.current { "● " } else { "  " };
        let row: Vec<(String, Style)> = vec![
            (format!(" {mark}"), theme.good),
            (format!("{:longest$}", choice.label()), theme.text),
            (format!("  {}", choice.note), theme.dim),
        ];
        Some(row)
    });
}

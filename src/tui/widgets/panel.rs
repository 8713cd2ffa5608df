//! A box with a title.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells;
use crate::text::Untrusted;
use crate::tui::layout;
use crate::tui::theme::Theme;

/// Draws a box and gives what is inside. `right` stands at the right end of the upper border, `below` at the lower one.
pub fn draw(buf: &mut Buffer, area: Rect, theme: &Theme, title: &str, right: &str, below: &str) -> Rect {
    let area = area.intersection(buf.area);
    if area.width < 2 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    let style = theme.border;
    let (left, top, end, bottom) = (area.left(), area.top(), area.right() - 1, area.bottom() - 1);
    for x in left + 1..end {
        set(buf, x, top, "─", style);
        set(buf, x, bottom, "─", style);
    }
    for y in top + 1..bottom {
        set(buf, left, y, "│", style);
        set(buf, end, y, "│", style);
    }
    for (x, y, corner) in [(left, top, "┌"), (end, top, "┐"), (left, bottom, "└"), (end, bottom, "┘")] {
        set(buf, x, y, corner, style);
    }
    let room = area.width.saturating_sub(4);
    let used = label(buf, left + 2, top, room, title, theme.heading);
    let rest = room.saturating_sub(used + 1);
    let wide = u16::try_from(cells::width(right)).unwrap_or(u16::MAX).saturating_add(2);
    if wide <= rest {
        label(buf, end - 1 - wide, top, wide, right, theme.label);
    }
    let wide = u16::try_from(cells::width(below)).unwrap_or(u16::MAX).saturating_add(2).min(room);
    label(buf, end - 1 - wide, bottom, wide, below, theme.dim);
    layout::inside(area)
}

/// Facts below each other, each with its name, which has so many columns, and its value, wrapped into so many lines at most.
pub fn facts(buf: &mut Buffer, area: Rect, theme: &Theme, facts: &[(&str, String)], names: u16, most: usize) {
    let (from, mut y) = (names + 2, area.y);
    let width = area.width.saturating_sub(from);
    for (name, value) in facts {
        let value = Untrusted::from(value.as_str()).safe().into_string();
        for (at, line) in cells::wrap(&value, width.into()).into_iter().take(most).enumerate() {
            if y >= area.bottom() {
                return;
            }
            if at == 0 {
                cells::put(buf, area.x + 1, y, names, name, theme.label);
            }
            cells::put(buf, area.x + from, y, width, &line, theme.text);
            y += 1;
        }
    }
}

/// One of several boxes: the one that has the focus stands out, and not by its colour alone. `words`: the title, and what stands at
/// the right end of the upper border and at the lower one.
pub fn pane(focused: bool, buf: &mut Buffer, area: Rect, theme: &Theme, words: [&str; 3]) -> Rect {
    let [title, right, below] = words;
    if focused {
        let theme = Theme { border: theme.focus, ..theme.clone() };
        return draw(buf, area, &theme, &format!("▶ {title}"), right, below);
    }
    draw(buf, area, theme, title, right, below)
}

fn label(buf: &mut Buffer, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
    if text.is_empty() || room < 3 {
        return 0;
    }
    let text = format!(" {} ", cells::cut(text, usize::from(room) - 2));
    cells::put(buf, x, y, room, &text, style)
}

fn set(buf: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    if let Some(cell) = buf.cell_mut((x, y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}

/// Some lines in the middle of nothing: why there is nothing.
pub fn notice(buf: &mut Buffer, area: Rect, lines: &[(String, Style)]) {
    let mut y = area.y;
    for (text, style) in lines {
        for line in cells::wrap(text, area.width.saturating_sub(2).into()) {
            if y >= area.bottom() {
                return;
            }
            cells::put(buf, area.x + 1, y, area.width.saturating_sub(2), &line, *style);
            y += 1;
        }
    }
}

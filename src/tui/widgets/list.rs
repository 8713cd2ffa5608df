//! Rows of text, one of which is selected.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells;
use crate::tui::app::cursor::Cursor;
use crate::tui::theme::Theme;

/// Draws the rows of a pane that are on the screen. The selected one stands out, in the pane that has the focus as
/// anywhere else, in the others by its mark.
pub fn rows(
    buf: &mut Buffer,
    area: Rect,
    theme: &Theme,
    cursor: Cursor,
    focused: bool,
    mut row: impl FnMut(usize) -> Option<Vec<(String, Style)>>,
) {
    for (at, y) in (cursor.top..).zip(area.y..area.bottom()) {
        let Some(parts) = row(at) else { break };
        let mut x = area.x + 1;
        for (text, style) in parts {
            x += cells::put_cut(buf, x, y, area.right().saturating_sub(x), &text, style);
        }
        if at == cursor.at {
            if focused {
                cells::restyle(buf, Rect { y, height: 1, ..area }, theme.selected);
            }
            cells::put(buf, area.x, y, 1, "▶", if focused { theme.selected } else { theme.heading });
        }
    }
}

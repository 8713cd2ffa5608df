//! A table of which only the rows on the screen are made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells;
use crate::tui::app::cursor::Cursor;
use crate::tui::theme::Theme;

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub title: &'static str,
    /// Its width; 0 takes what is left.
    pub width: u16,
    /// How wide the table must be for it to be shown.
    pub from: u16,
    /// Whether it ends at the right.
    pub right: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(title: &'static str, width: u16, from: u16) -> Self {
        Self { title, width, from, right: false }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn number(title: &'static str, width: u16, from: u16) -> Self {
        Self { title, width, from, right: true }
    }
}

/// One cell: text and style.
pub type Cell = (String, Style);

/// What is drawn.
pub struct Table<'a> {
    /// Its columns.
    pub columns: &'a [Column],
    /// By which column it is sorted, and whether that is turned round.
    pub sorted: Option<(usize, bool)>,
    /// Rows in all.
    pub len: usize,
    /// Where one is.
    pub cursor: Cursor,
    /// Columns the last cell is scrolled to the right.
    pub shift: usize,
}

impl Table<'_> {
    /// Draws the column names in the first line, and the rows below.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: &Theme, row: impl Fn(usize) -> Option<Vec<Cell>>) {
        if area.width < 3 || area.height == 0 {
            return;
        }
        let places = self.places(area);
        for (at, column, x, width) in &places {
            let mark = match self.sorted {
                Some((sorted, reverse)) if sorted == *at => {
                    if reverse {
                        "▲"
                    } else {
                        "▼"
                    }
                }
                _ => "",
            };
            let title = format!("{}{mark}", column.title);
            if column.right {
                cells::put_right(buf, *x, area.y, *width, &title, theme.label);
            } else {
                cells::put_cut(buf, *x, area.y, *width, &title, theme.label);
            }
        }
        for line in 1..area.height {
            let at = self.cursor.top + usize::from(line) - 1;
            if at >= self.len {
                break;
            }
            let Some(cells_of_row) = row(at) else { continue };
            let y = area.y + line;
            for (at, column, x, width) in &places {
                let Some((text, style)) = cells_of_row.get(*at) else { continue };
                if column.right {
                    cells::put_right(buf, *x, y, *width, text, *style);
                } else if column.width == 0 {
                    cells::put_cut(buf, *x, y, *width, cells::skip(text, self.shift), *style);
                } else {
                    cells::put_cut(buf, *x, y, *width, text, *style);
                }
            }
            if at == self.cursor.at {
                cells::restyle(buf, Rect { y, height: 1, ..area }, theme.selected);
                cells::put(buf, area.x, y, 1, "▶", theme.selected);
            }
        }
    }

    fn places(&self, area: Rect) -> Vec<(usize, Column, u16, u16)> {
        let mut x = area.x + 2;
        let mut out = Vec::new();
        for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| column.from <= area.width) {
            let left = area.right().saturating_sub(x);
            let width = if column.width == 0 { left } else { column.width.min(left) };
            if width > 0 {
                out.push((at, *column, x, width));
            }
            x = x.saturating_add(width + 1);
        }
        out
    }
}

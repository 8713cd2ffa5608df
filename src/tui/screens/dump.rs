//! A buffer as text that shows styles too.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// The letters row by row, then runs of cells that are not plain: `3:10-18 REV|fg=Red`.
pub fn styled_dump(buf: &Buffer) -> String {
    let mut out = String::new();
    let area = buf.area;
    for y in area.top()..area.bottom() {
        let mut row = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            let Some(cell) = buf.cell((x, y)) else { continue };
            if skip > 0 {
                skip -= 1;
                continue;
            }
            row.push_str(cell.symbol());
            skip = cell.symbol().width().saturating_sub(1);
        }
        let _ = writeln!(out, "{}", row.trim_end());
    }
    for y in area.top()..area.bottom() {
        let styles: Vec<String> = (area.left()..area.right()).filter_map(|x| buf.cell((x, y))).map(style).collect();
        let mut start = 0;
        while start < styles.len() {
            let length = styles[start..].iter().take_while(|style| **style == styles[start]).count();
            if !styles[start].is_empty() {
                let _ = writeln!(out, "{y}:{start}-{} {}", start + length - 1, styles[start]);
            }
            start += length;
        }
    }
    out
}

fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    for (modifier, word) in [
        (Modifier::REVERSED, "REV"),
        (Modifier::BOLD, "BOLD"),
        (Modifier::DIM, "DIM"),
        (Modifier::UNDERLINED, "UNDER"),
        (Modifier::ITALIC, "ITALIC"),
    ] {
        if cell.modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    for (name, color) in [("fg", cell.fg), ("bg", cell.bg)] {
        if color != Color::Reset {
            words.push(format!("{name}={color}"));
        }
    }
    words.join("|")
}

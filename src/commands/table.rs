//! Tables for a person: columns as wide as they must be, and no wider than the terminal.

use std::io::IsTerminal as _;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::inspect::process::Part;
use crate::text;

/// Between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this to fit a terminal.
const NARROW: usize = 6;

/// On which side a column is even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under titles. Cells are escaped when they are put in, so anything may be put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. Cells beyond the columns are dropped, missing ones are empty.
    pub fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let mut cells: Vec<String> =
            cells.into_iter().take(self.columns.len()).map(|cell| text::escape(cell.as_ref().as_bytes())).collect();
        cells.resize_with(self.columns.len(), String::new);
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, titles first unless all are empty. With a width, wide columns of words are cut (`…`) to fit it.
    #[must_use]
    pub fn text(&self, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let mut out = String::new();
        if self.columns.iter().any(|(title, _)| !title.is_empty()) {
            self.line(&mut out, self.columns.iter().map(|(title, _)| *title), &widths);
        }
        for row in &self.rows {
            self.line(&mut out, row.iter().map(String::as_str), &widths);
        }
        out
    }

    fn line<'c>(&self, out: &mut String, cells: impl Iterator<Item = &'c str>, widths: &[usize]) {
        let start = out.len();
        for (index, ((cell, &width), (_, align))) in cells.zip(widths).zip(&self.columns).enumerate() {
            if index > 0 {
                out.extend(std::iter::repeat_n(' ', GAP));
            }
            let cell = fit(cell, width);
            let room = width.saturating_sub(cell.width());
            let (before, after) = if *align == Align::Right { (room, 0) } else { (0, room) };
            out.extend(std::iter::repeat_n(' ', before));
            out.push_str(&cell);
            out.extend(std::iter::repeat_n(' ', after));
        }
        let end = out[start..].trim_end().len();
        out.truncate(start + end);
        out.push('\n');
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|(title, _)| title.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let Some(most) = width else { return widths };
        for (width, (_, align)) in widths.iter_mut().zip(&self.columns) {
            if *align == Align::Left {
                *width = (*width).min(most.max(NARROW));
            }
        }
        let gaps = GAP * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > most {
            // The widest column of words gives way; numbers are never cut.
            let words = widths.iter_mut().zip(&self.columns).filter(|(_, (_, align))| *align == Align::Left);
            match words.map(|(width, _)| width).filter(|width| **width > NARROW).max() {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        widths
    }
}

/// The text in at most `width` columns of a terminal, with `…` where it was cut. Never cuts a character that is made of
/// several code points.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used + 1 > width {
            break;
        }
        kept.push_str(grapheme);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// A title and the table of a part below it; in brackets the reason where there is none.
pub fn section<T>(out: &mut String, title: &str, part: &Part<T>, table: impl Fn(&T) -> Table, width: Option<usize>) {
    out.push_str(title);
    out.push('\n');
    match part {
        Part::Ok(value) => match table(value) {
            table if table.is_empty() => out.push_str("(none)\n"),
            table => out.push_str(&table.text(width)),
        },
        Part::Unavailable(why) => {
            out.extend(["(", &text::escape(why.as_bytes()), ")\n"]);
        }
    }
}

/// How wide standard output's terminal is; `None` if it is none, so that nothing is cut in a pipe.
#[must_use]
pub fn width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|&columns| columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[("PID", Align::Right), ("USER", Align::Left), ("COMMAND", Align::Left)]);
        table.row(["1", "root", "/app --greet 日本語 and more"]);
        table.row(["65532", "a\x1b[2Jb", "x"]);
        table
    }

    #[test]
    fn in_a_pipe_nothing_is_cut() {
        insta::assert_snapshot!(table().text(None), @r"
          PID  USER       COMMAND
            1  root       /app --greet 日本語 and more
        65532  a\x1b[2Jb  x
        ");
    }

    #[test]
    fn a_terminal_is_not_overrun() {
        insta::assert_snapshot!(table().text(Some(34)), @r"
          PID  USER       COMMAND
            1  root       /app --greet 日…
        65532  a\x1b[2Jb  x
        ");
        // Too narrow for everything: columns of words go down to their least, numbers stay whole.
        assert!(table().text(Some(5)).contains("65532  a\\x1b…"));
    }

    #[test]
    fn rows_of_any_length() {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
        table.row(["a", "b", "c"]);
        table.row(["d"]);
        assert_eq!(table.text(None), "a  b\nd\n");
    }

    #[test]
    fn cuts() {
        for (text, width, cut) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本", 3, "日…"),
            ("日本", 2, "…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(fit(text, width), cut, "{text} {width}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_overflows(text: String, width in 0_usize..40) {
            let safe = crate::text::escape(text.as_bytes());
            proptest::prop_assert!(fit(&safe, width).width() <= width);
        }
    }
}

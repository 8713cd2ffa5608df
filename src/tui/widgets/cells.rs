//! Writing text into cells: by width as it is seen, and never anything that drives a terminal.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::text;

/// Columns a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Texts are made safe where they come in. This holds whatever slipped through.
fn guarded(text: &str) -> Cow<'_, str> {
    if text.chars().any(text::is_dangerous) { Cow::Owned(text::escape(text.as_bytes())) } else { Cow::Borrowed(text) }
}

/// Writes a text, at most so many columns of it. Gives the columns used.
pub fn put(buf: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
    let area = buf.area;
    if x < area.x || y < area.y || x >= area.right() || y >= area.bottom() {
        return 0;
    }
    let columns = columns.min(area.right() - x);
    let (end, _) = buf.set_stringn(x, y, guarded(text), columns.into(), style);
    end.saturating_sub(x)
}

/// The same, with a sign where the text was cut.
pub fn put_cut(buf: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
    put(buf, x, y, columns, &cut(&guarded(text), columns.into()), style)
}

/// The same, ending at the right.
pub fn put_right(buf: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) {
    let text = guarded(text);
    let text = cut(&text, columns.into());
    let used = u16::try_from(width(&text)).unwrap_or(columns);
    put(buf, x + columns.saturating_sub(used), y, columns, &text, style);
}

/// A text that is not wider than so many columns; `…` at its end if something was left out.
#[must_use]
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    // A letter takes a byte or more, so short texts need not be measured... except that wide ones take two columns
    // and three bytes or more.
    if text.len() <= columns || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used >= columns {
            break;
        }
        out.push_str(grapheme);
    }
    out.push('…');
    Cow::Owned(out)
}

/// A text without its first columns.
#[must_use]
pub fn skip(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        if used >= columns {
            return text.get(at..).unwrap_or_default();
        }
        used += width(grapheme);
    }
    if used > columns || columns == 0 { text } else { "" }
}

/// A text in lines of at most so many columns, broken at spaces where there are any.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_word_bounds() {
        let wide = width(word);
        if used + wide > columns && used > 0 {
            lines.push(String::new());
            used = 0;
            if word == " " {
                continue;
            }
        }
        for grapheme in word.graphemes(true) {
            let wide = width(grapheme);
            if used + wide > columns && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(grapheme);
            }
            used += wide;
        }
    }
    lines
}

/// Empties an area for something that lies over it.
pub fn clear(buf: &mut Buffer, area: Rect) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        // The right half of a wide letter must not be left without its left half.
        if let Some(cell) = area.x.checked_sub(1).and_then(|x| buf.cell_mut((x, y)))
            && width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
}

/// Lays a style over an area, within the screen.
pub fn restyle(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buf.area);
    buf.set_style(area, style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_what_is_seen() {
        for (text, columns, out) in [
            ("hello", 5, "hello"),
            ("hello", 4, "hel…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(cut(text, columns), out, "{text} in {columns}");
        }
        assert_eq!(skip("日本語", 2), "本語");
        assert_eq!(skip("abc", 5), "");
    }

    #[test]
    fn text_is_wrapped_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn what_lies_over_a_wide_letter_leaves_no_half() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
        put(&mut buf, 0, 0, 6, "日本語", Style::new());
        clear(&mut buf, Rect::new(1, 0, 2, 1));
        assert_eq!(buf.cell((0, 0)).map(|cell| cell.symbol().to_owned()).as_deref(), Some(" "));
    }

    proptest::proptest! {
        #[test]
        fn nothing_leaves_its_cell_and_nothing_drives_a_terminal(text in "\\PC{0,20}|.{0,20}", columns in 0u16..12) {
            assert!(width(&cut(&guarded(&text), columns.into())) <= columns.into());
            for line in wrap(&guarded(&text), 5) {
                assert!(width(&line) <= 5, "{line:?}");
            }
            let mut buf = Buffer::empty(Rect::new(0, 0, 20, 2));
            put_cut(&mut buf, 3, 0, columns, &text, Style::new());
            put_right(&mut buf, 3, 1, columns, &text, Style::new());
            for y in 0..2 {
                for x in (0..3).chain(3 + columns..20) {
                    assert_eq!(buf.cell((x, y)).unwrap().symbol(), " ");
                }
            }
            assert!(!buf.content().iter().any(|cell| cell.symbol().chars().any(text::is_dangerous)));
        }
    }
}

//! Colours in log text: SGR sequences become styles, every other escape is shown as text.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};

use crate::text;

/// A run of text with one style. The text is safe to show.
pub type Span = (Style, String);

/// Columns between tabulator stops.
const STOPS: usize = 8;

/// Splits a line into styled runs. Tabulators become spaces; whatever else could drive a terminal is
/// shown, as [`text::escape`] does.
#[must_use]
pub fn spans(bytes: &[u8]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    let mut style = Style::new();
    let mut rest = bytes;
    let mut column = 0;
    while !rest.is_empty() {
        let escape = find_escape(rest).unwrap_or(rest.len());
        let (plain, after) = rest.split_at(escape);
        push(&mut out, style, plain, &mut column);
        rest = after;
        if rest.is_empty() {
            break;
        }
        if let Some((parameters, length)) = sequence(rest) {
            style = apply(style, parameters);
            rest = rest.get(length..).unwrap_or_default();
        } else {
            push(&mut out, style, rest.get(..1).unwrap_or_default(), &mut column);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    out
}

/// The line without its SGR sequences: what a search looks through.
#[must_use]
pub fn strip(bytes: &[u8]) -> Cow<'_, [u8]> {
    if find_escape(bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = find_escape(rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let skip = if let Some((_, length)) = sequence(rest) {
            length
        } else {
            out.push(0x1b);
            1
        };
        rest = rest.get(skip..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn find_escape(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == 0x1b)
}

fn push(out: &mut Vec<Span>, style: Style, bytes: &[u8], column: &mut usize) {
    if bytes.is_empty() {
        return;
    }
    let mut shown = String::new();
    for (at, part) in bytes.split(|byte| *byte == b'\t').enumerate() {
        if at > 0 {
            let spaces = STOPS - *column % STOPS;
            shown.extend(std::iter::repeat_n(' ', spaces));
            *column += spaces;
        }
        let part = text::escape(part);
        *column += unicode_width::UnicodeWidthStr::width(part.as_str());
        shown.push_str(&part);
    }
    match out.last_mut() {
        Some((last, text)) if *last == style => text.push_str(&shown),
        _ => out.push((style, shown)),
    }
}

/// An SGR sequence at the start: its parameters, and how long it is. At most 64 bytes of parameters.
fn sequence(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let body = bytes.strip_prefix(b"\x1b[")?;
    let length = body.iter().take(65).position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'))?;
    (body.get(length) == Some(&b'm')).then(|| (body.get(..length).unwrap_or_default(), length + 3))
}

fn apply(mut style: Style, parameters: &[u8]) -> Style {
    let mut numbers = parameters
        .split(|byte| matches!(byte, b';' | b':'))
        .map(|number| number.iter().fold(0u32, |sum, digit| (sum * 10 + u32::from(digit - b'0')).min(9999)));
    while let Some(number) = numbers.next() {
        style = match number {
            0 => Style::new(),
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 => style.add_modifier(Modifier::UNDERLINED),
            7 => style.add_modifier(Modifier::REVERSED),
            9 => style.add_modifier(Modifier::CROSSED_OUT),
            22 => without(style, Modifier::BOLD | Modifier::DIM),
            23 => without(style, Modifier::ITALIC),
            24 => without(style, Modifier::UNDERLINED),
            27 => without(style, Modifier::REVERSED),
            29 => without(style, Modifier::CROSSED_OUT),
            30..=37 => style.fg(basic(number - 30)),
            38 => match extended(&mut numbers) {
                Some(color) => style.fg(color),
                None => style,
            },
            39 => Style { fg: None, ..style },
            40..=47 => style.bg(basic(number - 40)),
            48 => match extended(&mut numbers) {
                Some(color) => style.bg(color),
                None => style,
            },
            49 => Style { bg: None, ..style },
            90..=97 => style.fg(bright(number - 90)),
            100..=107 => style.bg(bright(number - 100)),
            // Hidden (8) and blinking (5, 6) text is shown as plain text: nothing may hide.
            _ => style,
        };
    }
    style
}

fn without(style: Style, modifier: Modifier) -> Style {
    Style { add_modifier: style.add_modifier.difference(modifier), ..style }
}

fn basic(number: u32) -> Color {
    const BASIC: [Color; 8] =
        [Color::Black, Color::Red, Color::Green, Color::Yellow, Color::Blue, Color::Magenta, Color::Cyan, Color::Gray];
    BASIC.get(number as usize).copied().unwrap_or(Color::Reset)
}

fn bright(number: u32) -> Color {
    const BRIGHT: [Color; 8] = [
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    BRIGHT.get(number as usize).copied().unwrap_or(Color::Reset)
}

fn extended(numbers: &mut impl Iterator<Item = u32>) -> Option<Color> {
    let mut byte = || numbers.next().map(|number| u8::try_from(number).unwrap_or(u8::MAX));
    match byte()? {
        5 => Some(Color::Indexed(byte()?)),
        2 => Some(Color::Rgb(byte()?, byte()?, byte()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> String {
        spans(bytes).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn colours_become_styles() {
        let red = Style::new().fg(Color::Red);
        assert_eq!(
            spans(b"a \x1b[31mb\x1b[1mc\x1b[0md"),
            vec![
                (Style::new(), "a ".into()),
                (red, "b".into()),
                (red.add_modifier(Modifier::BOLD), "c".into()),
                (Style::new(), "d".into())
            ]
        );
        assert_eq!(spans(b"\x1b[38;5;208mx"), vec![(Style::new().fg(Color::Indexed(208)), "x".into())]);
        assert_eq!(spans(b"\x1b[48;2;1;2;300mx"), vec![(Style::new().bg(Color::Rgb(1, 2, 255)), "x".into())]);
        assert_eq!(spans(b"\x1b[31;39mx"), vec![(Style::new(), "x".into())]);
    }

    #[test]
    fn other_escapes_are_shown() {
        for (bytes, shown) in [
            (&b"\x1b[2Jx"[..], r"\x1b[2Jx"),
            (b"\x1b]0;title\x07", r"\x1b]0;title\x07"),
            (b"\x1b[31", r"\x1b[31"),
            (b"\x1b", r"\x1b"),
            (b"\x1b[?25l", r"\x1b[?25l"),
            (b"\xff", r"\xff"),
            (b"a\tb", "a       b"),
            (b"\x1b[31ma\x1b[0m\tb", "a       b"),
        ] {
            assert_eq!(plain(bytes), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_dangerous_survives(bytes: Vec<u8>) {
            assert!(!plain(&bytes).chars().any(crate::text::is_dangerous));
        }

        #[test]
        fn stripping_leaves_what_is_shown(text in "[a-z\x1b\\[0-9;m]{0,40}") {
            let shown: String = plain(text.as_bytes());
            assert_eq!(crate::text::escape(&strip(text.as_bytes())), shown);
        }
    }
}

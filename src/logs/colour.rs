//! Colours in a log: kept where they are wanted, while everything else that drives a terminal is shown.

use crate::text;

/// The longest colour sequence that counts as one, in bytes.
const LONGEST: usize = 64;

/// A stretch of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span<'a> {
    /// Text, to be escaped.
    Text(&'a [u8]),
    /// What stands between `ESC [` and `m`: digits, `;` and `:` only (ECMA-48, "SGR").
    Sgr(&'a [u8]),
}

/// The length of the colour sequence these bytes start with.
#[must_use]
pub fn sequence(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"\x1b[")?;
    let length = rest.iter().take(LONGEST).take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')).count();
    (rest.get(length) == Some(&b'm')).then_some(length + 3)
}

/// Takes a line apart.
pub fn spans(line: &[u8]) -> impl Iterator<Item = Span<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(length) = sequence(rest) {
            let (span, after) = rest.split_at(length);
            rest = after;
            return Some(Span::Sgr(&span[2..length - 1]));
        }
        let end = memchr::memchr_iter(b'\x1b', rest).find(|&at| sequence(&rest[at..]).is_some()).unwrap_or(rest.len());
        let (span, after) = rest.split_at(end);
        rest = after;
        Some(Span::Text(span))
    })
}

/// Appends a line for a terminal: escaped, tabs kept, colours kept or taken out. Colours never outlive the line.
pub fn write(out: &mut Vec<u8>, line: &[u8], colour: bool) {
    let mut coloured = false;
    for span in spans(line) {
        match span {
            Span::Sgr(parameters) if colour => {
                out.extend_from_slice(b"\x1b[");
                out.extend_from_slice(parameters);
                out.push(b'm');
                coloured = true;
            }
            Span::Sgr(_) => {}
            Span::Text(bytes) => {
                for (index, part) in bytes.split(|&byte| byte == b'\t').enumerate() {
                    if index > 0 {
                        out.push(b'\t');
                    }
                    if part.iter().all(|byte| matches!(byte, b' '..=b'~')) {
                        out.extend_from_slice(part);
                    } else {
                        out.extend_from_slice(text::escape(part).as_bytes());
                    }
                }
            }
        }
    }
    if coloured {
        out.extend_from_slice(b"\x1b[0m");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, colour: bool) -> String {
        let mut out = Vec::new();
        write(&mut out, line.as_bytes(), colour);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn colours_are_kept_or_taken_out() {
        let line = "\x1b[1;31mred\x1b[m and\tplain \x1b[38;2;1;2;3mtrue";
        assert_eq!(shown(line, true), "\x1b[1;31mred\x1b[m and\tplain \x1b[38;2;1;2;3mtrue\x1b[0m");
        assert_eq!(shown(line, false), "red and\tplain true");
        assert_eq!(shown("plain é", true), "plain é");
    }

    #[test]
    fn nothing_else_gets_through() {
        for line in ["\x1b[2J", "\x1b]52;c;aGk=\x07", "\x1b[31", "\x1b[?25l", "\x1b[1;31;x m", "\r\x08", "\u{9b}31m"] {
            let text = shown(line, true);
            assert!(!text.chars().any(text::is_dangerous), "{text:?}");
        }
        let long = format!("\x1b[{}m", "1;".repeat(100));
        assert!(shown(&long, true).starts_with("\\x1b[1;1;"));
    }

    proptest::proptest! {
        #[test]
        fn only_colours_and_tabs_remain(bytes: Vec<u8>) {
            let mut out = Vec::new();
            write(&mut out, &bytes, false);
            let text = String::from_utf8(out).unwrap();
            proptest::prop_assert!(!text.chars().any(|c| text::is_dangerous(c) && c != '\t'));
        }

        #[test]
        fn no_byte_is_lost(bytes: Vec<u8>) {
            let sum: usize = spans(&bytes).map(|span| match span {
                Span::Text(text) => text.len(),
                Span::Sgr(parameters) => parameters.len() + 3,
            }).sum();
            proptest::prop_assert_eq!(sum, bytes.len());
        }
    }
}

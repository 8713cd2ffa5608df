//! Text that came from a container, and the one way it reaches a terminal.
//!
//! File names, arguments, log lines and environments are bytes somebody else chose. [`Untrusted`] holds
//! them as they came. It does not implement `Display`: whoever wants to show it must go through [`Untrusted::safe`],
//! which makes every byte visible that could move the cursor, change colours, set the clipboard, reorder
//! letters or hide.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// Bytes from inside a container, exactly as they came.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Untrusted(Vec<u8>);

/// Text that is safe to write to a terminal: one line, no control, bidi or zero-width characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct Safe(String);

impl Untrusted {
    /// Takes the bytes as they are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they came. Not for a terminal.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text for a terminal, escapes shown as `\x1b`, `\u{202e}`, `\n`, and bytes that are not UTF-8 as `\xff`.
    #[must_use]
    pub fn safe(&self) -> Safe {
        Safe(escape(&self.0))
    }

    /// Appends what [`Untrusted::safe`] gives, for lists too long to make a string of each name.
    pub fn push_safe(&self, out: &mut String) {
        escape_into(&self.0, out);
    }

    /// As UTF-8, with U+FFFD where it is not. For JSON, whose writer escapes what a terminal must not see.
    #[must_use]
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Whether the bytes are UTF-8, so that [`Untrusted::lossy`] loses nothing.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        std::str::from_utf8(&self.0).is_ok()
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Untrusted {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", escape(&self.0))
    }
}

impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.lossy())
    }
}

impl Safe {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a character may not reach a terminal as it is: C0, DEL, C1, bidi controls, zero-width and
/// other format characters, line and paragraph separators, tags, private use and non-characters.
#[must_use]
pub fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Escapes bytes for a terminal. See [`Untrusted::safe`].
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    escape_into(bytes, &mut out);
    out
}

fn escape_into(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        // Nearly every name there is: nothing in it needs a second look.
        if chunk.valid().bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            out.push_str(chunk.valid());
        } else {
            escape_text(chunk.valid(), out);
        }
        for &byte in chunk.invalid() {
            push_hex(out, byte);
        }
    }
}

fn escape_text(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => push_hex(out, c as u8),
            c if is_dangerous(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
}

fn push_hex(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("\\x");
    out.push(DIGITS[usize::from(byte >> 4)].into());
    out.push(DIGITS[usize::from(byte & 15)].into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays() {
        for text in ["", "server.go", "日本語", "naïve café", "a b", r"C:\dir"] {
            assert_eq!(Untrusted::from(text).safe().as_str(), text);
        }
    }

    #[test]
    fn what_drives_a_terminal_is_shown() {
        for (bytes, shown) in [
            (&b"\x1b[2J"[..], r"\x1b[2J"),
            (b"\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
            ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
            ("a\u{202e}b".as_bytes(), r"a\u{202e}b"),
            ("a\u{200b}b".as_bytes(), r"a\u{200b}b"),
            (b"a\nb\r\tc", r"a\nb\r\tc"),
            (b"\xff\xfe.txt", r"\xff\xfe.txt"),
            (b"\x7f\0", r"\x7f\x00"),
        ] {
            assert_eq!(Untrusted::from(bytes).safe().as_str(), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_dangerous_survives(bytes: Vec<u8>) {
            assert!(!escape(&bytes).chars().any(is_dangerous));
        }
    }
}

//! What bytes look like: text or not, and lines of a hex dump.

use std::fmt::Write as _;

/// Whether bytes are text for a person: UTF-8 (one character may be cut at the end, as where a range ends), no NUL,
/// and hardly any control characters.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            // Only an unfinished character at the very end.
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let odd =
        text.bytes().filter(|byte| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x1b)).count();
    !text.contains('\0') && odd * 32 <= text.len()
}

/// How many bytes of `bytes` are whole characters: all, or up to one that is cut at the end.
#[must_use]
pub fn whole(bytes: &[u8]) -> usize {
    // The longest character has four bytes, so a cut one starts among the last three.
    for back in 1..=3.min(bytes.len()) {
        let at = bytes.len() - back;
        let need = match bytes.get(at) {
            Some(0xc2..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf4) => 4,
            Some(0x80..=0xbf) => continue,
            _ => return bytes.len(),
        };
        return if need > back { at } else { bytes.len() };
    }
    bytes.len()
}

/// Bytes of one line of [`hex_line`].
pub const HEX_WIDTH: usize = 16;

/// One line of a hex dump as `hexdump -C` writes it: offset, up to 16 bytes, and those that are ASCII.
#[must_use]
pub fn hex_line(offset: u64, bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(HEX_WIDTH)];
    let mut line = format!("{offset:08x} ");
    for at in 0..HEX_WIDTH {
        if at % 8 == 0 {
            line.push(' ');
        }
        match bytes.get(at) {
            // Writing to a `String` cannot fail.
            Some(byte) => _ = write!(line, "{byte:02x} "),
            None => line.push_str("   "),
        }
    }
    line.push_str(" |");
    line.extend(bytes.iter().map(|&byte| if byte.is_ascii_graphic() || byte == b' ' { byte.into() } else { '.' }));
    line.push('|');
    line
}

#[cfg(test)]
#[allow(unused_must_use)] // Of hostile bytes it only matters that parsers return.
mod tests {
    use super::*;

    #[test]
    fn text_or_not() {
        for (bytes, text) in [
            (&b""[..], true),
            (b"hello\n\tworld\r\n", true),
            ("日本語".as_bytes(), true),
            (&"日本語".as_bytes()[..7], true),
            (b"\x1b[31mred\x1b[0m", true),
            (b"a\0b", false),
            (b"\xff\xfe", false),
            (b"\x7fELF\x02\x01\x01", false),
            (b"\x01\x02\x03abc", false),
            (b"\xe6", true),
            (b"\xe6a", false),
        ] {
            assert_eq!(is_text(bytes), text, "{bytes:?}");
        }
    }

    #[test]
    fn characters_are_not_cut() {
        let text = "aé日𝄞".as_bytes();
        for (len, kept) in [(0, 0), (1, 1), (2, 1), (3, 3), (4, 3), (5, 3), (6, 6), (7, 6), (8, 6), (9, 6), (10, 10)] {
            assert_eq!(whole(&text[..len]), kept, "{len}");
        }
        // What is no character is not waited for.
        assert_eq!((whole(b"\xff"), whole(b"\x80\x80\x80\x80"), whole(b"a\xc0")), (1, 4, 2));
    }

    #[test]
    fn hex() {
        assert_eq!(
            hex_line(0x10, b"GET / \x1b\xff"),
            "00000010  47 45 54 20 2f 20 1b ff                           |GET / ..|"
        );
        assert_eq!(hex_line(0, b"").len(), hex_line(0, &[0; 16]).len() - 16);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>) {
            is_text(&bytes);
            proptest::prop_assert!(whole(&bytes) <= bytes.len() && whole(&bytes) + 3 >= bytes.len());
            hex_line(u64::MAX, &bytes);
        }
    }
}

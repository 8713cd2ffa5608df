//! Strings as Go quotes them: the language specification, "String literals".

/// The string that a text begins with, without its quotes, and what follows. `None` if it begins with none.
pub(super) fn prefix(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    match text.split_first()? {
        (b'`', rest) => {
            let end = memchr::memchr(b'`', rest)?;
            // A raw string has no carriage returns, whatever stands in the source.
            let inner = rest.get(..end)?.iter().copied().filter(|&byte| byte != b'\r').collect();
            Some((inner, rest.get(end + 1..)?))
        }
        (b'"', rest) => interpreted(rest),
        _ => None,
    }
}

/// Behind the opening quote.
fn interpreted(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut inner = Vec::new();
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'"' => return Some((inner, rest)),
            b'\n' => return None,
            b'\\' => rest = escape(rest, &mut inner)?,
            byte => inner.push(byte),
        }
    }
}

/// Behind a backslash. Gives what follows the escape.
fn escape<'t>(text: &'t [u8], inner: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (&byte, rest) = text.split_first()?;
    let digits = match byte {
        b'x' => 2,
        b'u' => 4,
        b'U' => 8,
        b'0'..=b'7' => {
            let value = u32::from_str_radix(std::str::from_utf8(text.get(..3)?).ok()?, 8).ok()?;
            inner.push(u8::try_from(value).ok()?);
            return text.get(3..);
        }
        _ => {
            let index = b"abfnrtv\\\"".iter().position(|&name| name == byte)?;
            inner.push(*b"\x07\x08\x0c\n\r\t\x0b\\\"".get(index)?);
            return Some(rest);
        }
    };
    let number = rest.get(..digits).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    let value = u32::from_str_radix(std::str::from_utf8(number).ok()?, 16).ok()?;
    if byte == b'x' {
        inner.push(u8::try_from(value).ok()?);
    } else {
        inner.extend_from_slice(char::from_u32(value)?.encode_utf8(&mut [0; 4]).as_bytes());
    }
    rest.get(digits..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_strings() {
        let of = |text: &[u8]| prefix(text).map(|(inner, rest)| (inner, rest.to_vec()));
        for (text, inner, rest) in [
            (&b"\"\""[..], &b""[..], &b""[..]),
            (br#""a b"=c"#, b"a b", b"=c"),
            (br#""\a\b\f\n\r\t\v\\\"""#, b"\x07\x08\x0c\n\r\t\x0b\\\"", b""),
            (b"`a\\n\r\"`x", b"a\\n\"", b"x"),
        ] {
            assert_eq!(of(text), Some((inner.to_vec(), rest.to_vec())));
        }
        assert_eq!(of(br#""\x1b\377\u00e9\U0001F600""#).unwrap().0, [b"\x1b\xff", "é😀".as_bytes()].concat());
        for bad in [
            &b""[..],
            b"a",
            b"\"",
            b"`",
            b"\"\\",
            b"\"\\x1\"",
            b"\"\\400\"",
            b"\"\\ud800\"",
            b"\"\\'\"",
            b"\"\n\"",
            b"\"\\x+1\"",
        ] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(text: Vec<u8>) {
            let _ = prefix(&text);
            let _ = prefix(&[b"\"", text.as_slice()].concat());
        }
    }
}

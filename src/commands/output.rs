//! Standard output: JSON that is safe on a terminal, and pipes that may close.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::exit::{Exit, Failure};
use crate::text::is_dangerous;

/// Writes one JSON document, indented, with a line end.
///
/// # Errors
/// If it cannot be written.
pub fn document<T: Serialize>(out: &mut dyn Write, value: &T) -> Result<(), Failure> {
    write(out, value, PrettyFormatter::new())
}

/// Writes one JSON object as one line: an element of a stream.
///
/// # Errors
/// If it cannot be written.
pub fn line<T: Serialize>(out: &mut dyn Write, value: &T) -> Result<(), Failure> {
    write(out, value, CompactFormatter)
}

fn write<T: Serialize>(out: &mut dyn Write, value: &T, formatter: impl Formatter) -> Result<(), Failure> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Escaped(formatter));
    value.serialize(&mut serializer).map_err(|error| failure(&error.into()))?;
    out.write_all(b"\n").map_err(|error| failure(&error))
}

/// What a failed write to standard output means: a reader that has seen enough is no failure.
#[must_use]
pub fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(Exit::Done, ""),
        _ => Failure::new(Exit::No, format!("cannot write to standard output: {error}")),
    }
}

/// Writes characters that could drive a terminal as `\uXXXX`: the same JSON, safe to look at.
struct Escaped<F>(F);

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $arg: $kind)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        })*
    };
}

impl<F: Formatter> Formatter for Escaped<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut start = 0;
        for (at, c) in fragment.char_indices().filter(|&(_, c)| is_dangerous(c)) {
            writer.write_all(&fragment.as_bytes()[start..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            start = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[start..])
    }

    pass_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_a_terminal_is_harmless_and_means_the_same() {
        let hostile = "a\u{9b}31m\u{202e}\x7f\x1b[2J\u{e0041}é";
        let mut out = Vec::new();
        line(&mut out, &hostile).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\"a\\u009b31m\\u202e\\u007f\\u001b[2J\\udb40\\udc41é\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
    }
}

//! How serious a line is, as far as it says.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// How serious a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every step.
    Trace,
    /// For developers.
    Debug,
    /// All is well.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
    /// The end: fatal, panic, critical and above.
    Fatal,
}

/// How far into a line without structure a level's word is looked for, in bytes.
const WINDOW: usize = 120;

impl Level {
    /// What a line says of itself: `level`, `severity` or `lvl` of JSON (slog, zap, zerolog, logrus, pino) and of
    /// logfmt, the letter of klog, a word like `ERROR` or `[warn]` near the front, Go's `panic:`.
    #[must_use]
    pub fn detect(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii_start();
        if text.first() == Some(&b'{')
            && let Some(level) = json(text)
        {
            return Some(level);
        }
        let front = &text[..text.len().min(WINDOW)];
        klog(front).or_else(|| go(front)).or_else(|| logfmt(text)).or_else(|| words(front))
    }

    /// One word, in any case; slog's `ERROR+2` and `DEBUG-4` count as what they are next to.
    #[must_use]
    pub fn from_word(word: &[u8]) -> Option<Self> {
        let base = word.split(|byte| matches!(byte, b'+' | b'-')).next().unwrap_or_default();
        let mut lower = [0; 9];
        let lower = lower.get_mut(..base.len())?;
        lower.copy_from_slice(base);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"trace" | b"trc" | b"finest" => Self::Trace,
            b"debug" | b"dbg" | b"debu" | b"fine" => Self::Debug,
            b"info" | b"inf" | b"notice" | b"default" => Self::Info,
            b"warn" | b"warning" | b"wrn" => Self::Warn,
            b"error" | b"err" | b"erro" | b"severe" => Self::Error,
            b"fatal" | b"ftl" | b"fata" | b"panic" | b"pnc" | b"dpanic" | b"crit" | b"critical" | b"alert"
            | b"emerg" | b"emergency" => Self::Fatal,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// All of them, least serious first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_word(text.as_bytes())
            .ok_or_else(|| format!("{text:?} is no level: write trace, debug, info, warn, error or fatal"))
    }
}

/// The first member of an object that tells a level. Reading stops there, so a line that was cut is no problem.
fn json(text: &[u8]) -> Option<Level> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_slice(text);
    // The error is how reading stops.
    let _ = reader.deserialize_map(Members(&mut found));
    found
}

struct Members<'a>(&'a mut Option<Level>);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if matches!(&*key, "level" | "severity" | "lvl" | "log.level" | "loglevel" | "L" | "Level") {
                *self.0 = value(&map.next_value()?);
                if self.0.is_some() {
                    return Err(A::Error::custom("found"));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

fn value(value: &Value) -> Option<Level> {
    match value {
        Value::String(word) => Level::from_word(word.as_bytes()),
        // Bunyan and pino: 10 trace, 20 debug, … 60 fatal.
        Value::Number(number) => match number.as_i64()? {
            10..20 => Some(Level::Trace),
            20..30 => Some(Level::Debug),
            30..40 => Some(Level::Info),
            40..50 => Some(Level::Warn),
            50..60 => Some(Level::Error),
            60..70 => Some(Level::Fatal),
            _ => None,
        },
        _ => None,
    }
}

/// klog and glog: `E0102 15:04:05.000000`.
fn klog(text: &[u8]) -> Option<Level> {
    let (&[letter, ref digits @ ..], b' ') = (text.first_chunk::<5>()?, *text.get(5)?) else { return None };
    if !digits.iter().all(u8::is_ascii_digit) || !text.get(6).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    match letter {
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warn),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// What Go's runtime writes when it gives up.
fn go(text: &[u8]) -> Option<Level> {
    let fatal = [&b"panic: "[..], b"fatal error: ", b"SIGSEGV: ", b"SIGABRT: ", b"SIGQUIT: "];
    fatal.iter().any(|start| text.starts_with(start)).then_some(Level::Fatal)
}

/// `level=warn`, `lvl="error"` at the start of a word.
fn logfmt(text: &[u8]) -> Option<Level> {
    let text = &text[..text.len().min(1024)];
    for at in memchr::memchr_iter(b'=', text) {
        let key = text[..at].rsplit(|&byte| matches!(byte, b' ' | b'\t' | b'm')).next().unwrap_or_default();
        if matches!(key, b"level" | b"lvl" | b"severity" | b"LEVEL") {
            let value = &text[at + 1..];
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let end = value.iter().position(|byte| matches!(byte, b' ' | b'"' | b'\t')).unwrap_or(value.len());
            return Level::from_word(&value[..end]);
        }
    }
    None
}

/// A level among the first words: in capitals, in brackets, or before a colon. Colours between words are looked through.
fn words(text: &[u8]) -> Option<Level> {
    let mut at = 0;
    while at < text.len() {
        if let Some(after) = super::colour::sequence(&text[at..]) {
            at += after;
            continue;
        }
        if !text[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let length = text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let word = &text[at..at + length];
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let after = text.get(at + length);
        let marked = word.iter().all(u8::is_ascii_uppercase)
            || matches!((before, after), (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>')))
            || (after == Some(&b':') && matches!(before, None | Some(b' ' | b'\t')));
        if marked && let Some(level) = Level::from_word(word) {
            return Some(level);
        }
        at += length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lines_say_of_themselves() {
        use Level::{Debug, Error, Fatal, Info, Trace, Warn};
        for (line, level) in [
            (r#"{"time":"2026-11-23T08:00:00Z","level":"INFO","msg":"level is ERROR"}"#, Some(Info)),
            (r#"{"level":"ERROR+2","msg":"x"}"#, Some(Error)),
            (r#"{"msg":{"level":"error"},"level":"debug"}"#, Some(Debug)),
            (r#"{"severity":"WARNING","message":"x"}"#, Some(Warn)),
            (r#"{"level":50,"msg":"pino"}"#, Some(Error)),
            (r#"{"lvl":"dpanic"}"#, Some(Fatal)),
            (r#"{"msg":"no level"}"#, None),
            (r#"{"level":"error","msg":"cut off"#, Some(Error)),
            (r#"{"level":7,"severity":"ERROR","level":"info"}"#, Some(Error)),
            (r#"{"L\u0065vel":"x","\u006cevel":"warn"}"#, Some(Warn)),
            ("time=2026-11-23T08:00:00.000Z level=WARN msg=\"an ERROR\"", Some(Warn)),
            ("ts=1 lvl=\"error\" msg=x", Some(Error)),
            ("time=\"x\" level=fatal msg=x", Some(Fatal)),
            ("sublevel=error", None),
            ("E0102 15:04:05.000000       1 main.go:10] broken", Some(Error)),
            ("I1123 08:00:00.000000       1 main.go:10] an ERROR was avoided", Some(Info)),
            ("E0102 is a part number", None),
            ("2026/11/23 08:00:00 ERROR something", Some(Error)),
            ("2026/11/23 08:00:00 INFO GET /error", Some(Info)),
            ("\x1b[90m8:00AM\x1b[0m \x1b[32mINF\x1b[0m starting", Some(Info)),
            ("\x1b[31mERROR\x1b[0m[0001] logrus", Some(Error)),
            ("[warn] low disk", Some(Warn)),
            ("error: no such file", Some(Error)),
            ("2026-11-23 TRACE x", Some(Trace)),
            ("panic: runtime error: index out of range", Some(Fatal)),
            ("fatal error: all goroutines are asleep", Some(Fatal)),
            ("there was an error in the info", None),
            ("GET /warning 200", None),
            ("INFORMATION", None),
            ("", None),
        ] {
            assert_eq!(Level::detect(line.as_bytes()), level, "{line}");
        }
    }

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::ALL.is_sorted());
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
        assert!("loud".parse::<Level>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            let _ = Level::detect(&bytes);
        }
    }
}

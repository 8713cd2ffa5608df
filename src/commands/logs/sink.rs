//! Where lines go: buffered, in the order they came, in the form each output wants.

use std::io::{self, Write as _};
use std::os::fd::AsFd;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::commands::output;
use crate::logs::level::Level;
use crate::logs::{LineRef, Output, colour};

/// Bytes that are written at once.
const BUFFER: usize = 128 << 10;

/// How an output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The engine's bytes as they come, to a pipe or a file.
    Raw,
    /// Lines as they are, to a pipe or a file.
    Text,
    /// Lines made safe for a terminal.
    Terminal {
        /// Whether the container's own colours are kept.
        colour: bool,
    },
    /// One JSON object a line; both outputs go to standard output.
    Json,
}

/// Who says a line, where there are others.
#[derive(Debug, Clone, Serialize)]
pub struct Speaker {
    /// Where it is.
    pub namespace: String,
    /// Its pod.
    pub pod: String,
    /// It.
    pub container: String,
    /// What stands before its lines, made safe for a terminal.
    #[serde(skip)]
    pub prefix: String,
}

/// One line as JSON.
#[derive(Serialize)]
struct Object<'a> {
    #[serde(flatten)]
    speaker: Option<&'a Speaker>,
    time: Option<String>,
    stream: Output,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    text: std::borrow::Cow<'a, str>,
    /// The bytes, of a line that is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_bytes: Option<String>,
    /// How long the line was, of one that was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
}

/// Both outputs.
pub struct Sink {
    forms: [Form; 2],
    buffers: [Vec<u8>; 2],
    /// Whether both end in the same place, where the order between them can be seen.
    together: bool,
    error: Option<io::Error>,
}

impl Sink {
    /// For standard output and standard error in these forms.
    pub fn new(forms: [Form; 2]) -> Self {
        Self { forms, buffers: [Vec::new(), Vec::new()], together: same_place(), error: None }
    }

    /// How an output is written.
    pub fn form(&self, output: Output) -> Form {
        self.forms[output as usize]
    }

    /// Adds bytes as they are.
    pub fn bytes(&mut self, output: Output, bytes: &[u8]) {
        let buffer = self.buffer(output);
        buffer.extend_from_slice(bytes);
        self.spill(output);
    }

    /// Adds a line.
    pub fn line(&mut self, line: LineRef<'_>, level: Option<Level>, times: bool, speaker: Option<&Speaker>) {
        let form = self.form(line.output);
        let output = if form == Form::Json { Output::Stdout } else { line.output };
        let time = line.time.map(humantime::format_rfc3339_nanos);
        let buffer = self.buffer(output);
        if form == Form::Json {
            let text = String::from_utf8_lossy(line.text);
            let whole = matches!(text, std::borrow::Cow::Borrowed(_));
            let object = Object {
                speaker,
                time: time.map(|time| time.to_string()),
                stream: line.output,
                level,
                text,
                text_bytes: (!whole).then(|| STANDARD.encode(line.text)),
                length: line.cut.then_some(line.length),
            };
            // Writing to memory cannot fail.
            let _ = output::line(buffer, &object);
        } else {
            if let Some(speaker) = speaker {
                buffer.extend_from_slice(speaker.prefix.as_bytes());
            }
            if let Some(time) = time.filter(|_| times) {
                let _ = write!(buffer, "{time} ");
            }
            match form {
                Form::Terminal { colour } => colour::write(buffer, line.text, colour),
                _ => buffer.extend_from_slice(line.text),
            }
            buffer.push(b'\n');
        }
        self.spill(output);
    }

    fn buffer(&mut self, output: Output) -> &mut Vec<u8> {
        let [out, err] = &mut self.buffers;
        let (this, other) = match output {
            Output::Stdout => (out, err),
            Output::Stderr => (err, out),
        };
        if self.together && !other.is_empty() {
            let place = if output == Output::Stdout { Output::Stderr } else { Output::Stdout };
            if let Err(error) = write_all(place, other) {
                self.error.get_or_insert(error);
            }
        }
        this
    }

    fn spill(&mut self, output: Output) {
        let buffer = &mut self.buffers[output as usize];
        if buffer.len() >= BUFFER
            && let Err(error) = write_all(output, buffer)
        {
            self.error.get_or_insert(error);
        }
    }

    /// Whether all could be written so far.
    ///
    /// # Errors
    /// The first failure.
    pub fn check(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// The first failure.
    pub fn flush(&mut self) -> io::Result<()> {
        self.check()?;
        for output in [Output::Stdout, Output::Stderr] {
            write_all(output, &mut self.buffers[output as usize])?;
        }
        Ok(())
    }

    /// Outputs that end in two places, so that nothing is written before its time.
    #[cfg(test)]
    pub fn apart(form: Form) -> Self {
        Self { together: false, ..Self::new([form; 2]) }
    }

    /// What is buffered for standard output, then for standard error.
    #[cfg(test)]
    pub fn text(&mut self) -> String {
        self.buffers.iter_mut().map(|buffer| String::from_utf8(std::mem::take(buffer)).unwrap()).collect()
    }
}

fn write_all(output: Output, buffer: &mut Vec<u8>) -> io::Result<()> {
    if buffer.is_empty() {
        return Ok(());
    }
    let result = match output {
        Output::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(buffer).and_then(|()| out.flush())
        }
        Output::Stderr => io::stderr().lock().write_all(buffer),
    };
    buffer.clear();
    result
}

fn same_place() -> bool {
    let place = |fd: &dyn AsFd| rustix::fs::fstat(fd.as_fd()).map(|stat| (stat.st_dev, stat.st_ino));
    match (place(&io::stdout()), place(&io::stderr())) {
        (Ok(out), Ok(err)) => out == err,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn written(form: Form, text: &[u8], times: bool) -> String {
        let mut sink = Sink::apart(form);
        let time = Some(UNIX_EPOCH + Duration::from_millis(1500));
        let line = LineRef { output: Output::Stderr, time, text, cut: text.len() > 9, length: 99 };
        sink.line(line, Some(Level::Warn), times, None);
        sink.text()
    }

    #[test]
    fn forms() {
        let hostile = b"\x1b[31ma\x1b[2J";
        for (form, times, expected) in [
            (Form::Text, false, "\x1b[31ma\x1b[2J\n"),
            (Form::Text, true, "1970-01-01T00:00:01.500000000Z \x1b[31ma\x1b[2J\n"),
            (Form::Terminal { colour: true }, false, "\x1b[31ma\\x1b[2J\x1b[0m\n"),
            (Form::Terminal { colour: false }, false, "a\\x1b[2J\n"),
        ] {
            assert_eq!(written(form, hostile, times), expected, "{form:?}");
        }
        assert_eq!(
            written(Form::Json, b"hello", true),
            "{\"time\":\"1970-01-01T00:00:01.500000000Z\",\"stream\":\"stderr\",\"level\":\"warn\",\"text\":\"hello\"}\n"
        );
        let odd = written(Form::Json, b"\xff\x1b and more", false);
        let value: serde_json::Value = serde_json::from_str(&odd).unwrap();
        assert_eq!(value["text"], "\u{fffd}\x1b and more");
        assert_eq!(value["text_bytes"], STANDARD.encode(b"\xff\x1b and more"));
        assert_eq!(value["length"], 99);
        assert!(!odd.contains('\x1b'));
    }
}

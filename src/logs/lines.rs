//! Lines out of pieces: across borders of chunks, joined where the engine split them.

use std::time::SystemTime;

use memchr::memchr;

use super::{LineRef, Output, time};
use crate::engine::logs::Piece;

/// Docker splits a line into messages of so many bytes, each with a time of its own.
const SPLIT: usize = 16 << 10;
/// Room for a time at the front of a message: the longest is `2006-01-02T15:04:05.000000000+07:00 `.
const LONGEST_TIME: usize = 36;

/// Puts lines together. Holds at most one unfinished line for each output.
#[derive(Debug)]
pub struct Lines {
    times: bool,
    tty: bool,
    longest: usize,
    stdout: Unfinished,
    stderr: Unfinished,
}

/// A line whose end has not come yet.
#[derive(Debug, Default)]
struct Unfinished {
    text: Vec<u8>,
    time: Option<SystemTime>,
    length: u64,
    /// Where a time may stand next: at the start of a message.
    expect_time: bool,
    /// The bytes of a time that has not come whole.
    head: Vec<u8>,
    /// Bytes since the last time: of a terminal, what tells where the engine split a line.
    since_time: usize,
    any: bool,
}

impl Lines {
    /// For a log with or without `times`, of a container with or without a `tty`. Of a line, `longest` bytes are kept.
    #[must_use]
    pub fn new(times: bool, tty: bool, longest: usize) -> Self {
        let unfinished = || Unfinished { expect_time: times, ..Unfinished::default() };
        Self { times, tty, longest, stdout: unfinished(), stderr: unfinished() }
    }

    /// Takes a piece, gives each line that it ends.
    pub fn feed(&mut self, piece: &Piece, each: &mut impl FnMut(LineRef<'_>)) {
        let Self { times, tty, longest, .. } = *self;
        let output = piece.output;
        let line = match output {
            Output::Stdout => &mut self.stdout,
            Output::Stderr => &mut self.stderr,
        };
        let mut bytes = piece.bytes.as_ref();
        if times && piece.start && !tty {
            line.flush_head(longest);
            line.expect_time = true;
        }
        while !bytes.is_empty() {
            if line.expect_time {
                bytes = line.take_time(bytes, longest);
                continue;
            }
            let room = if times && tty { SPLIT - line.since_time } else { usize::MAX };
            let window = &bytes[..bytes.len().min(room)];
            if let Some(end) = memchr(b'\n', window) {
                let (text, rest) = (&window[..end], &bytes[end + 1..]);
                if line.any {
                    line.push(text, longest);
                    line.give(output, tty, longest, each);
                } else {
                    // The common case: the whole line is here, nothing is copied.
                    let text = if tty { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
                    let shown = &text[..text.len().min(longest)];
                    let cut = shown.len() < text.len();
                    let time = line.time.take();
                    each(LineRef { output, time, text: shown, cut, length: text.len() as u64 });
                }
                line.reset(times && tty);
                bytes = rest;
            } else {
                line.push(window, longest);
                line.since_time += window.len();
                bytes = &bytes[window.len()..];
                // In the raw stream of a terminal a line of more than 16 KiB has another time just here.
                if times && tty && line.since_time == SPLIT {
                    line.since_time = 0;
                    line.expect_time = true;
                }
            }
        }
    }

    /// At the end of the log: gives what had no line end.
    pub fn finish(&mut self, each: &mut impl FnMut(LineRef<'_>)) {
        let Self { tty, longest, .. } = *self;
        for (output, line) in [(Output::Stdout, &mut self.stdout), (Output::Stderr, &mut self.stderr)] {
            line.flush_head(longest);
            if line.any {
                line.give(output, tty, longest, each);
            }
            line.reset(false);
        }
    }
}

impl Unfinished {
    fn push(&mut self, bytes: &[u8], longest: usize) {
        let room = longest.saturating_sub(self.text.len()).min(bytes.len());
        self.text.extend_from_slice(&bytes[..room]);
        self.length += bytes.len() as u64;
        self.any = true;
    }

    /// Takes a time, or as much of it as has come; gives what follows. What is no time is text.
    fn take_time<'a>(&mut self, bytes: &'a [u8], longest: usize) -> &'a [u8] {
        let (found, rest) = if self.head.is_empty() {
            match time::prefix(&bytes[..bytes.len().min(LONGEST_TIME)]) {
                Some((time, after)) => (Some(time), &bytes[bytes.len().min(LONGEST_TIME) - after.len()..]),
                None => (None, bytes),
            }
        } else {
            (None, bytes)
        };
        if found.is_some() {
            self.time = self.time.or(found);
            self.expect_time = false;
            return rest;
        }
        // Not whole, or no time at all: collect up to the space that ends it.
        for (at, &byte) in bytes.iter().enumerate() {
            self.head.push(byte);
            if byte == b' ' || byte == b'\n' || self.head.len() >= LONGEST_TIME {
                self.expect_time = false;
                if let Some((time, _)) = time::prefix(&self.head) {
                    self.time = self.time.or(Some(time));
                    self.head.clear();
                    return &bytes[at + 1..];
                }
                if byte == b'\n' {
                    // The line end is left for the caller to see.
                    self.head.pop();
                    self.flush_head(longest);
                    self.any = true;
                    return &bytes[at..];
                }
                self.flush_head(longest);
                return &bytes[at + 1..];
            }
        }
        &[]
    }

    /// What was collected is no time after all.
    fn flush_head(&mut self, longest: usize) {
        if !self.head.is_empty() {
            let head = std::mem::take(&mut self.head);
            self.push(&head, longest);
        }
        self.expect_time = false;
    }

    fn give(&mut self, output: Output, tty: bool, longest: usize, each: &mut impl FnMut(LineRef<'_>)) {
        let mut text = self.text.as_slice();
        let mut length = self.length;
        if tty
            && length <= longest as u64
            && let Some(shorter) = text.strip_suffix(b"\r")
        {
            text = shorter;
            length -= 1;
        }
        let cut = (text.len() as u64) < length;
        each(LineRef { output, time: self.time.take(), text, cut, length });
    }

    fn reset(&mut self, expect_time: bool) {
        self.text.clear();
        // One long line must not hold its memory for ever.
        self.text.shrink_to(64 << 10);
        (self.time, self.length, self.since_time, self.any) = (None, 0, 0, false);
        self.expect_time = expect_time;
    }
}

/// Feeds arbitrary bytes in arbitrary pieces. For fuzzing.
///
/// # Panics
/// If a line breaks its bounds: a mistake here, never the bytes' fault.
pub fn fuzz(bytes: &[u8], cut: usize, tty: bool, times: bool) {
    let longest = 64;
    let mut lines = Lines::new(times, tty, longest);
    let mut sum = 0;
    let mut each = |line: LineRef<'_>| {
        assert!(line.text.len() <= longest && line.cut == ((line.text.len() as u64) < line.length));
        sum += line.length;
    };
    for (index, part) in bytes.chunks(cut.max(1)).enumerate() {
        let output = if index % 3 == 0 && !tty { Output::Stderr } else { Output::Stdout };
        let bytes = hyper::body::Bytes::copy_from_slice(part);
        lines.feed(&Piece { output, start: index % 2 == 0, bytes }, &mut each);
    }
    lines.finish(&mut each);
    assert!(sum <= bytes.len() as u64);
}

#[cfg(test)]
mod tests;

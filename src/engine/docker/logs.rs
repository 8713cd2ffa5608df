//! The log endpoint: asks, and takes the two outputs apart.
//!
//! bollard can do this too, but its decoder takes a line of a terminal that starts with a byte below 3 for a
//! header, and holds whatever length that header claims in memory. A container chooses those bytes.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::UNIX_EPOCH;

use futures_util::Stream;
use hyper::body::{Body as _, Bytes};

use super::transport::{Streaming, explain};
use crate::engine::error::Error;
use crate::engine::logs::{LogOptions, Output, Piece};

/// Bytes of the header before each message: output, three zeros, length (Docker's API, "Stream format").
const HEADER: usize = 8;

/// The path to ask for.
#[must_use]
pub fn path(id: &str, options: &LogOptions) -> String {
    let LogOptions { follow, since, until, tail, timestamps, stdout, stderr } = options;
    let mut path = format!(
        "/containers/{id}/logs?follow={}&stdout={}&stderr={}&timestamps={}",
        u8::from(*follow),
        u8::from(*stdout),
        u8::from(*stderr),
        u8::from(*timestamps),
    );
    for (name, time) in [("since", since), ("until", until)] {
        if let Some(time) = time {
            let age = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            // Writing to a `String` cannot fail.
            let _ = write!(path, "&{name}={}.{:09}", age.as_secs(), age.subsec_nanos());
        }
    }
    let _ = match tail {
        Some(lines) => write!(path, "&tail={lines}"),
        None => write!(path, "&tail=all"),
    };
    path
}

/// Takes the two outputs apart. Never holds more than a header: bytes are passed on as they come.
#[derive(Debug)]
pub struct Demux {
    tty: bool,
    header: [u8; HEADER],
    have: usize,
    output: Output,
    left: usize,
    start: bool,
}

impl Demux {
    /// Of a container with a terminal the log is one raw stream.
    #[must_use]
    pub fn new(tty: bool) -> Self {
        Self { tty, header: [0; HEADER], have: 0, output: Output::Stdout, left: 0, start: true }
    }

    /// Takes the next bytes, gives the pieces in them.
    ///
    /// # Errors
    /// If there is no header where one must be: then no byte after it can be trusted either.
    pub fn feed(&mut self, mut bytes: Bytes, pieces: &mut VecDeque<Piece>) -> Result<(), String> {
        if self.tty {
            let start = std::mem::replace(&mut self.start, false);
            pieces.push_back(Piece { output: Output::Stdout, start, bytes });
            return Ok(());
        }
        while !bytes.is_empty() {
            if self.left == 0 {
                let part = bytes.split_to((HEADER - self.have).min(bytes.len()));
                if let Some(room) = self.header.get_mut(self.have..self.have + part.len()) {
                    room.copy_from_slice(&part);
                }
                self.have += part.len();
                if self.have < HEADER {
                    break;
                }
                self.have = 0;
                let [kind, 0, 0, 0, length @ ..] = self.header else {
                    return Err("a message of the log has no header".to_owned());
                };
                self.output = match kind {
                    0 | 1 => Output::Stdout,
                    2 => Output::Stderr,
                    // Docker's stdcopy: an error of the engine itself, as the last message.
                    3 => return Err("the engine broke off the log".to_owned()),
                    other => return Err(format!("a message of the log has unknown kind {other}")),
                };
                self.left = u32::from_be_bytes(length) as usize;
                self.start = true;
            }
            let part = bytes.split_to(self.left.min(bytes.len()));
            self.left -= part.len();
            if !part.is_empty() {
                let start = std::mem::replace(&mut self.start, false);
                pieces.push_back(Piece { output: self.output, start, bytes: part });
            }
        }
        Ok(())
    }

    /// Whether the log ended in the middle of a message.
    #[must_use]
    pub fn is_broken_off(&self) -> bool {
        self.left > 0 || self.have > 0
    }
}

/// A log as it comes.
pub struct Log {
    body: Streaming,
    demux: Demux,
    pieces: VecDeque<Piece>,
    endpoint: String,
    ended: bool,
}

impl Log {
    pub(super) fn new(body: Streaming, tty: bool, endpoint: String) -> Self {
        Self { body, demux: Demux::new(tty), pieces: VecDeque::new(), endpoint, ended: false }
    }

    fn end(&mut self, error: Option<Error>) -> Poll<Option<Result<Piece, Error>>> {
        self.ended = true;
        Poll::Ready(error.map(Err))
    }
}

impl Stream for Log {
    type Item = Result<Piece, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(piece) = this.pieces.pop_front() {
                return Poll::Ready(Some(Ok(piece)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            let lost = |why: String| Error::Lost { endpoint: this.endpoint.clone(), why };
            match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                None if this.demux.is_broken_off() => {
                    let error = lost("the log broke off in the middle of a message".to_owned());
                    return this.end(Some(error));
                }
                None => return this.end(None),
                Some(Err(error)) => {
                    let error = lost(explain(&error));
                    return this.end(Some(error));
                }
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    if let Err(why) = this.demux.feed(bytes, &mut this.pieces) {
                        let what = "a question for a log".to_owned();
                        let error = Error::Garbled { endpoint: this.endpoint.clone(), what, why };
                        return this.end(Some(error));
                    }
                }
            }
        }
    }
}

/// Whether the engine's refusal means that the log driver cannot be read.
#[must_use]
pub fn is_unreadable(status: u16, message: &str) -> bool {
    status == 501 || message.contains("does not support reading")
}

/// Feeds arbitrary bytes, cut at arbitrary places. For fuzzing.
///
/// # Panics
/// If more comes out than went in, or a terminal's bytes are lost: a mistake here, never the bytes' fault.
pub fn fuzz(bytes: &[u8], cut: usize, tty: bool) {
    let mut demux = Demux::new(tty);
    let mut pieces = VecDeque::new();
    let whole = bytes.len();
    for part in bytes.chunks(cut.max(1)) {
        if demux.feed(Bytes::copy_from_slice(part), &mut pieces).is_err() {
            return;
        }
    }
    let shown: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
    assert!(shown <= whole && (!tty || shown == whole));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn message(kind: u8, text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text);
        bytes
    }

    fn demux(bytes: &[u8], cut: usize, tty: bool) -> Result<Vec<(Output, String)>, String> {
        let mut demux = Demux::new(tty);
        let mut pieces = VecDeque::new();
        for part in bytes.chunks(cut) {
            demux.feed(Bytes::copy_from_slice(part), &mut pieces)?;
        }
        assert!(!demux.is_broken_off());
        let mut joined: Vec<(Output, String)> = Vec::new();
        for piece in pieces {
            let text = String::from_utf8(piece.bytes.to_vec()).unwrap();
            match joined.last_mut() {
                Some((_, last)) if !piece.start => last.push_str(&text),
                _ => joined.push((piece.output, text)),
            }
        }
        Ok(joined)
    }

    #[test]
    fn outputs_are_told_apart_wherever_the_bytes_are_cut() {
        let bytes = [message(1, b"one\n"), message(2, b"two\n"), message(1, b""), message(1, b"three")].concat();
        for cut in 1..bytes.len() {
            let expected = [(Output::Stdout, "one\n"), (Output::Stderr, "two\n"), (Output::Stdout, "three")];
            assert_eq!(
                demux(&bytes, cut, false).unwrap(),
                expected.map(|(output, text)| (output, text.to_owned())),
                "{cut}"
            );
        }
    }

    #[test]
    fn a_terminal_is_raw_even_if_it_looks_like_a_header() {
        let bytes = b"\x01\0\0\0\xff\xff\xff\xff\n";
        let mut pieces = VecDeque::new();
        Demux::new(true).feed(Bytes::from_static(bytes), &mut pieces).unwrap();
        assert_eq!(pieces[0].bytes.as_ref(), bytes);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        assert!(demux(b"plain text", 3, false).unwrap_err().contains("no header"));
        assert!(demux(&message(9, b""), 3, false).unwrap_err().contains("unknown kind 9"));
        assert!(demux(&message(3, b"oops"), 3, false).unwrap_err().contains("broke off"));
        let mut cut_off = Demux::new(false);
        cut_off.feed(Bytes::from(message(1, b"abc")[..9].to_vec()), &mut VecDeque::new()).unwrap();
        assert!(cut_off.is_broken_off());
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        let mut demux = Demux::new(false);
        let mut pieces = VecDeque::new();
        demux.feed(Bytes::from_static(b"\x01\0\0\0\xff\xff\xff\xffabc"), &mut pieces).unwrap();
        assert_eq!(pieces.pop_front().unwrap().bytes.as_ref(), b"abc");
    }

    #[test]
    fn paths() {
        assert_eq!(
            path("abc", &LogOptions::default()),
            "/containers/abc/logs?follow=0&stdout=1&stderr=1&timestamps=0&tail=all"
        );
        let options = LogOptions {
            follow: true,
            since: Some(UNIX_EPOCH + Duration::new(5, 7)),
            until: Some(UNIX_EPOCH),
            tail: Some(3),
            timestamps: true,
            stdout: false,
            stderr: true,
        };
        assert_eq!(
            path("abc", &options),
            "/containers/abc/logs?follow=1&stdout=0&stderr=1&timestamps=1&since=5.000000007&until=0.000000000&tail=3"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>, cut in 1..64_usize, tty: bool) {
            fuzz(&bytes, cut, tty);
        }
    }
}

//! A container's log as the engine sends it.

use std::time::SystemTime;

use hyper::body::Bytes;
use serde::Serialize;

/// Which of its two outputs a container wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// Standard output; everything, of a container with a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What of a log is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// Whether to go on as lines come.
    pub follow: bool,
    /// Only lines from then on.
    pub since: Option<SystemTime>,
    /// Only lines up to then.
    pub until: Option<SystemTime>,
    /// Only the last so many lines.
    pub tail: Option<u64>,
    /// Whether each message starts with its time.
    pub timestamps: bool,
    /// Whether standard output is wanted.
    pub stdout: bool,
    /// Whether standard error is wanted.
    pub stderr: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { follow: false, since: None, until: None, tail: None, timestamps: false, stdout: true, stderr: true }
    }
}

/// Some bytes of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where they were written to.
    pub output: Output,
    /// Whether a message of the engine starts here: then the time is here too, if times were asked for. The
    /// engine splits lines longer than 16 KiB into several messages; of a container with a terminal it does
    /// not say where messages start.
    pub start: bool,
    /// The bytes.
    pub bytes: Bytes,
}

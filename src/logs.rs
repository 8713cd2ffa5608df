//! Logs: lines out of an engine's bytes, their levels, filters, and the ring a screen holds them in.

pub mod colour;
pub mod filter;
pub mod level;
pub mod lines;
pub mod ring;
pub mod time;

use std::time::SystemTime;

pub use crate::engine::logs::Output;
use crate::text::Untrusted;

/// The longest line a screen shows, in bytes; the rest of a longer one is not kept.
pub const LONGEST_SHOWN: usize = 8 << 10;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it was written to.
    pub output: Output,
    /// When, if times were asked for: when the first part of the line reached the engine.
    pub time: Option<SystemTime>,
    /// The line without its end, at most as long as was asked for.
    pub text: Untrusted,
    /// Whether it was longer than that.
    pub cut: bool,
    /// How long it was, in bytes.
    pub length: u64,
}

impl Line {
    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> LineRef<'_> {
        let Self { output, time, text, cut, length } = self;
        LineRef { output: *output, time: *time, text: text.bytes(), cut: *cut, length: *length }
    }
}

/// One line of a log, borrowed from where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRef<'a> {
    /// See [`Line::output`].
    pub output: Output,
    /// See [`Line::time`].
    pub time: Option<SystemTime>,
    /// See [`Line::text`]. Hostile bytes: see [`Untrusted`].
    pub text: &'a [u8],
    /// See [`Line::cut`].
    pub cut: bool,
    /// See [`Line::length`].
    pub length: u64,
}

impl LineRef<'_> {
    /// A line of its own.
    #[must_use]
    pub fn to_line(&self) -> Line {
        let &Self { output, time, text, cut, length } = self;
        Line { output, time, text: Untrusted::from(text), cut, length }
    }
}

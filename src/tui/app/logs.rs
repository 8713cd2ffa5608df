//! The log: a bounded ring of lines, what of it is shown, and where one is in it.

mod save;
pub mod scan;
mod view;

use std::time::SystemTime;

use crate::exit::Failure;
use crate::logs::ring::{Bounds, Ring};
use crate::logs::{Line, LineRef, Output};
use crate::tui::app::pattern::Pattern;
use crate::tui::effect::Since;
use crate::tui::sgr;
pub use save::Save;
use scan::Scan;

/// Lines kept at most.
pub const MAX_LINES: usize = 1_000_000;
/// Bytes of text kept at most.
pub const MAX_BYTES: usize = 78 << 20;
/// Lines looked at in one go by filter and search. More would delay the keys.
pub const SLICE: usize = 4096;

/// Which streams are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Streams {
    /// Both.
    #[default]
    Both,
    /// Standard error alone.
    Stderr,
    /// Standard output alone.
    Stdout,
}

impl Streams {
    /// The next choice.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Both => Self::Stderr,
            Self::Stderr => Self::Stdout,
            Self::Stdout => Self::Both,
        }
    }

    /// Its words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Both => "stdout+stderr",
            Self::Stderr => "stderr only",
            Self::Stdout => "stdout only",
        }
    }
}

/// How the stream is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Flow {
    /// Not asked for.
    #[default]
    Idle,
    /// Lines come as they are written.
    Open,
    /// It ended with the container.
    Ended,
    /// It broke.
    Broken(Failure),
}

/// The log of one target.
#[derive(Debug, Clone)]
pub struct Logs {
    /// The lines.
    pub ring: Ring,
    /// Number of the current stream; what others bring is not for us.
    pub stream: u64,
    /// How it is doing.
    pub flow: Flow,
    /// How far back it goes.
    pub since: Since,
    /// Which streams are shown.
    pub streams: Streams,
    /// What lines must match.
    pub filter: Option<Pattern>,
    /// What is searched for.
    pub search: Option<Pattern>,
    /// Lines that pass, if not all do.
    passing: Option<Scan>,
    /// Lines that are shown and match the search.
    found: Scan,
    /// The match one is at.
    pub current: Option<u64>,
    /// The first match is still to be gone to.
    seeking: bool,
    /// Whether the end is followed.
    pub follow: bool,
    /// The line one is at, while not following.
    pub cursor: u64,
    /// The first line on the screen.
    pub top: u64,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// Whether times are shown.
    pub times: bool,
    /// While frozen: where the log ended then.
    pub frozen: Option<u64>,
    /// When the newest line was written.
    pub newest: Option<SystemTime>,
    /// A stream that goes on: what is not younger than this was there already.
    pub resumed_after: Option<SystemTime>,
    /// A file being written.
    pub save: Option<Save>,
    /// Whether a slice of looking is on its way.
    pub scanning: bool,
    /// Number of the first line since the log was last cleared.
    since_clear: u64,
    /// Lines looked at so far. A test reads it.
    pub looked: u64,
}

impl Default for Logs {
    fn default() -> Self {
        Self::new(MAX_LINES, MAX_BYTES)
    }
}

impl Logs {
    /// An empty log with these bounds.
    #[must_use]
    pub fn new(max_lines: usize, max_bytes: usize) -> Self {
        Self {
            ring: Ring::new(Bounds { lines: max_lines, bytes: max_bytes }),
            stream: 0,
            flow: Flow::Idle,
            since: Since::Tail,
            streams: Streams::Both,
            filter: None,
            search: None,
            passing: None,
            found: Scan::new(0),
            current: None,
            seeking: false,
            follow: true,
            cursor: 0,
            top: 0,
            shift: 0,
            wrap: false,
            times: false,
            frozen: None,
            newest: None,
            resumed_after: None,
            save: None,
            scanning: false,
            since_clear: 0,
            looked: 0,
        }
    }

    /// Number of the oldest line.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.ring.numbers().start
    }

    /// Number the next line will get.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.ring.numbers().end
    }

    /// Lines that were dropped for want of room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.first() - self.since_clear
    }

    /// A line by its number.
    #[must_use]
    pub fn line(&self, id: u64) -> Option<LineRef<'_>> {
        self.ring.get(id).map(|kept| kept.line)
    }

    /// Takes lines. Gives whether there is more to look at.
    pub fn push(&mut self, lines: Vec<Line>) -> bool {
        for line in lines {
            self.newest = self.newest.max(line.time);
            let Line { output, time, text, cut, length } = &line;
            let line = LineRef { output: *output, time: *time, text: text.bytes(), cut: *cut, length: *length };
            self.ring.push(line);
        }
        self.scan()
    }

    /// Looks at one slice of lines. Gives whether there is more to look at.
    pub fn scan(&mut self) -> bool {
        let (first, end) = (self.first(), self.end());
        let mut budget = SLICE;
        if let Some(mut passing) = self.passing.take() {
            passing.step(first, end, &mut budget, |id| self.passes(id));
            self.passing = Some(passing);
        }
        if let Some(pattern) = &self.search {
            let mut found = std::mem::take(&mut self.found);
            found.step(first, end, &mut budget, |id| {
                self.passes(id) && self.line(id).is_some_and(|line| pattern.hits(&sgr::strip(line.text)))
            });
            self.found = found;
        }
        self.looked += (SLICE - budget) as u64;
        if self.seeking && !self.found.is_empty() {
            self.seeking = false;
            self.nearest();
        }
        let done = self.passing.as_ref().is_none_or(|scan| scan.done(first, end))
            && (self.search.is_none() || self.found.done(first, end));
        if done {
            self.seeking = false;
        }
        !done
    }

    /// Whether a line is shown.
    fn passes(&self, id: u64) -> bool {
        let Some(line) = self.line(id) else { return false };
        let stderr = line.output == Output::Stderr;
        let stream = match self.streams {
            Streams::Both => true,
            Streams::Stderr => stderr,
            Streams::Stdout => !stderr,
        };
        stream && self.filter.as_ref().is_none_or(|filter| filter.hits(&sgr::strip(line.text)))
    }

    /// Starts to look anew after filter or streams changed. Gives whether there is more to look at.
    fn look_again(&mut self) -> bool {
        let end = self.end();
        let all = self.filter.is_none() && self.streams == Streams::Both;
        self.passing = if all { None } else { Some(Scan::new(end)) };
        self.found = Scan::new(end);
        self.current = None;
        self.scan()
    }

    /// Shows only lines that match; all, if there is no pattern.
    pub fn set_filter(&mut self, filter: Option<Pattern>) -> bool {
        self.filter = filter;
        self.look_again()
    }

    /// Shows the next choice of streams.
    pub fn next_streams(&mut self) -> bool {
        self.streams = self.streams.next();
        self.look_again()
    }

    /// Searches from where one is, upwards.
    pub fn set_search(&mut self, search: Option<Pattern>) -> bool {
        self.seeking = search.is_some();
        self.search = search;
        self.found = Scan::new(self.end());
        self.current = None;
        self.scan()
    }

    /// Goes to the last match at or before the cursor, else to the first one after it.
    fn nearest(&mut self) {
        let from = self.position_of(self.cursor());
        let cursor = self.id_at(from).unwrap_or(self.cursor);
        let before = self.found.before(cursor + 1);
        if let Some(id) = self.found.get(before.saturating_sub(1)) {
            self.go_to(id);
        }
    }

    /// Goes to the next match, or the one before; round and round.
    pub fn step(&mut self, forward: bool) -> bool {
        let len = self.found.len();
        if len == 0 {
            return false;
        }
        let from = self.current.unwrap_or_else(|| self.cursor());
        let at = if forward {
            let after = self.found.before(from + 1);
            if after >= len { 0 } else { after }
        } else {
            self.found.before(from).checked_sub(1).unwrap_or(len - 1)
        };
        if let Some(id) = self.found.get(at) {
            self.go_to(id);
        }
        true
    }

    fn go_to(&mut self, id: u64) {
        self.current = Some(id);
        self.follow = false;
        self.cursor = id;
    }

    /// `3/17`, with a `+` while not all lines were looked at.
    #[must_use]
    pub fn counter(&self) -> String {
        let at = self.current.filter(|id| self.found.contains(*id)).map_or(0, |id| self.found.before(id) + 1);
        let more = if self.found.done(self.first(), self.end()) { "" } else { "+" };
        format!("{at}/{}{more}", self.found.len())
    }

    /// Whether all lines were looked at for the filter.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.passing.as_ref().is_none_or(|scan| scan.done(self.first(), self.end()))
    }

    /// Forgets the lines, keeps the choices.
    pub fn clear(&mut self) {
        self.ring.clear();
        self.since_clear = self.first();
        self.newest = None;
        self.cursor = 0;
        self.top = 0;
        self.follow = true;
        self.frozen = self.frozen.map(|_| self.end());
        self.look_again();
    }
}

#[cfg(test)]
mod tests;

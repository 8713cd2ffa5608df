//! The lines a screen holds: as many as fit, the newest, each reached at once.
//!
//! Lines live in blocks of `BLOCK`: one text for all of them, and per line 4 bytes for its end, 8 for its time
//! and 1 for the rest, so 13 bytes a line beside its text. A line that was cut takes 16 more.
//! Old lines leave one by one; their memory leaves a block at a time.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::level::Level;
use super::{LineRef, Output};

/// Lines in a block. A power of two, so that a line is found by shifting.
const BLOCK: usize = 256;
/// Bytes of a line beside its text.
const OVERHEAD: usize = 13;
/// The longest line that is kept whole, in bytes: `u32` ends of a full block cannot overflow.
const LONGEST: usize = 1 << 20;

/// What a ring may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Lines.
    pub lines: usize,
    /// Bytes of text, with 13 more for each line.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { lines: 10_000, bytes: 8 << 20 }
    }
}

/// The newest lines of a log. Lines are numbered from 0 since the beginning; numbers never change.
#[derive(Debug, Clone)]
pub struct Ring {
    bounds: Bounds,
    blocks: VecDeque<Block>,
    /// Number of the first line of the first block.
    base: u64,
    /// Number of the oldest line that counts.
    first: u64,
    /// Number the next line will get.
    next: u64,
    bytes: usize,
}

#[derive(Debug, Clone, Default)]
struct Block {
    text: Vec<u8>,
    ends: Vec<u32>,
    /// Nanoseconds since the epoch; 0 is unknown.
    times: Vec<u64>,
    flags: Vec<u8>,
    /// Full lengths of lines that were cut, by their place in the block.
    cut: Vec<(usize, u64)>,
}

/// A line in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Its number since the beginning.
    pub number: u64,
    /// The line.
    pub line: LineRef<'a>,
    /// How serious it is, as far as it says.
    pub level: Option<Level>,
}

impl Ring {
    /// An empty one.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, blocks: VecDeque::new(), base: 0, first: 0, next: 0, bytes: 0 }
    }

    /// Adds a line and lets the oldest go that have no room any more.
    pub fn push(&mut self, line: LineRef<'_>) {
        if self.blocks.back().is_none_or(|block| block.ends.len() == BLOCK) {
            if let Some(full) = self.blocks.back_mut() {
                full.text.shrink_to_fit();
            }
            self.blocks.push_back(Block::new());
        }
        if let Some(block) = self.blocks.back_mut() {
            self.bytes += OVERHEAD + block.push(line);
        }
        self.next += 1;
        while self.len() > self.bounds.lines.max(1) || (self.bytes > self.bounds.bytes && self.len() > 1) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let length = self.get(self.first).map_or(0, |kept| kept.line.text.len());
        self.bytes = self.bytes.saturating_sub(OVERHEAD + length);
        self.first += 1;
        if self.first - self.base >= BLOCK as u64 {
            self.blocks.pop_front();
            self.base += BLOCK as u64;
        }
    }

    /// The line of this number, if it is still held.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<Kept<'_>> {
        if number < self.first {
            return None;
        }
        let at = usize::try_from(number.checked_sub(self.base)?).ok()?;
        self.blocks.get(at / BLOCK)?.get(at % BLOCK, number)
    }

    /// Lines from this number on, oldest first; from the end with `rev()`.
    #[must_use = "it gives lines and does nothing else"]
    pub fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = Kept<'_>> + '_ {
        (number.max(self.first)..self.next).filter_map(|number| self.get(number))
    }

    /// Numbers of the lines that are held.
    #[must_use]
    pub fn numbers(&self) -> std::ops::Range<u64> {
        self.first..self.next
    }

    /// How many lines are held.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.next - self.first).unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == self.first
    }

    /// How many lines had to go.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.first
    }

    /// Bytes held, as [`Bounds::bytes`] counts them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets all lines. Numbers go on.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.base = self.next;
        self.first = self.next;
        self.bytes = 0;
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new(Bounds::default())
    }
}

impl Block {
    fn new() -> Self {
        Self {
            text: Vec::new(),
            ends: Vec::with_capacity(BLOCK),
            times: Vec::with_capacity(BLOCK),
            flags: Vec::with_capacity(BLOCK),
            cut: Vec::new(),
        }
    }

    fn push(&mut self, line: LineRef<'_>) -> usize {
        let text = &line.text[..line.text.len().min(LONGEST)];
        if text.len() as u64 != line.length {
            self.cut.push((self.ends.len(), line.length));
        }
        self.text.extend_from_slice(text);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let nanos = line.time.and_then(|time| u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok());
        self.times.push(nanos.unwrap_or(0));
        let level = Level::detect(text).map_or(0, |level| level as u8 + 1);
        self.flags.push(level | if line.output == Output::Stderr { STDERR } else { 0 });
        text.len()
    }

    fn get(&self, at: usize, number: u64) -> Option<Kept<'_>> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let text = self.text.get(start..end)?;
        let flags = self.flags[at];
        let length = self.cut.binary_search_by_key(&at, |&(at, _)| at).map(|found| self.cut[found].1);
        let line = LineRef {
            output: if flags & STDERR == 0 { Output::Stdout } else { Output::Stderr },
            time: Some(self.times[at]).filter(|&nanos| nanos > 0).and_then(time),
            text,
            cut: length.is_ok(),
            length: length.unwrap_or(text.len() as u64),
        };
        Some(Kept {
            number,
            line,
            level: usize::from(flags & !STDERR).checked_sub(1).and_then(|at| Level::ALL.get(at).copied()),
        })
    }
}

/// Bit of a line of standard error; below it the level plus one.
const STDERR: u8 = 0x80;

fn time(nanos: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LineRef<'_> {
        LineRef { output: Output::Stdout, time: None, text: text.as_bytes(), cut: false, length: text.len() as u64 }
    }

    fn texts(ring: &Ring) -> Vec<String> {
        ring.from(0).map(|kept| String::from_utf8_lossy(kept.line.text).into_owned()).collect()
    }

    #[test]
    fn everything_of_a_line_comes_back() {
        let mut ring = Ring::default();
        let time = Some(UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789));
        let lines = [
            LineRef { output: Output::Stderr, time, text: b"ERROR x", cut: true, length: 99_999 },
            LineRef { output: Output::Stdout, time: None, text: b"", cut: false, length: 0 },
            LineRef { output: Output::Stdout, time, text: b"INFO \xff", cut: false, length: 6 },
        ];
        for line in lines {
            ring.push(line);
        }
        let kept: Vec<_> = ring.from(0).collect();
        assert_eq!(kept.iter().map(|kept| kept.line).collect::<Vec<_>>(), lines);
        assert_eq!(
            kept.iter().map(|kept| kept.level).collect::<Vec<_>>(),
            [Some(Level::Error), None, Some(Level::Info)]
        );
        assert_eq!(ring.get(3), None);
    }

    #[test]
    fn the_oldest_lines_go_and_are_counted() {
        let mut ring = Ring::new(Bounds { lines: 3, bytes: 1 << 20 });
        for number in 0..1000 {
            ring.push(line(&number.to_string()));
        }
        assert_eq!(texts(&ring), ["997", "998", "999"]);
        assert_eq!((ring.len(), ring.dropped(), ring.numbers()), (3, 997, 997..1000));
        assert_eq!(ring.get(996), None);
        assert_eq!(ring.get(997).unwrap().line.text, b"997");
        assert_eq!(ring.from(998).rev().map(|kept| kept.number).collect::<Vec<_>>(), [999, 998]);
        assert!(ring.blocks.len() <= 2);
        ring.clear();
        ring.push(line("after"));
        assert_eq!((texts(&ring), ring.numbers()), (vec!["after".to_owned()], 1000..1001));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut ring = Ring::new(Bounds { lines: 1000, bytes: 100 });
        for _ in 0..50 {
            ring.push(line("0123456789"));
            assert!(ring.bytes() <= 100);
        }
        assert_eq!(ring.len(), 100 / (10 + OVERHEAD));
        // One line is always shown, even if it is too long by itself.
        ring.push(line(&"x".repeat(500)));
        assert_eq!(ring.len(), 1);
    }

    #[test]
    fn a_million_lines_fit() {
        let mut ring = Ring::new(Bounds { lines: 1_000_000, bytes: 100 << 20 });
        let text = "x".repeat(80);
        for _ in 0..1_000_000 {
            ring.push(line(&text));
        }
        assert_eq!((ring.len(), ring.dropped()), (1_000_000, 0));
        let held: usize = ring
            .blocks
            .iter()
            .map(|block| {
                block.text.capacity() + block.ends.capacity() * 4 + block.times.capacity() * 8 + block.flags.capacity()
            })
            .sum();
        assert!(held < 95 << 20, "{held}");
    }

    proptest::proptest! {
        #[test]
        fn it_is_a_queue(lines: Vec<String>, most in 1..20_usize, bytes in 1..500_usize) {
            let mut ring = Ring::new(Bounds { lines: most, bytes });
            let mut model: VecDeque<&str> = VecDeque::new();
            for text in &lines {
                ring.push(line(text));
                model.push_back(text);
                let size = |model: &VecDeque<&str>| model.iter().map(|text| text.len() + OVERHEAD).sum::<usize>();
                while model.len() > most || (size(&model) > bytes && model.len() > 1) {
                    model.pop_front();
                }
                proptest::prop_assert_eq!(texts(&ring), model.iter().copied().collect::<Vec<_>>());
            }
        }
    }
}

//! One file: a window of its bytes, as text or hexadecimal.

use std::ops::Range;

use crate::tui::app::cursor::Scroll;
use crate::tui::app::held::Held;
use crate::tui::app::pattern::Pattern;
use crate::tui::keymap::Action;
use crate::tui::message::{Place, Window};

/// Bytes of a window.
pub const WINDOW: u64 = 256 * 1024;
/// Bytes after which a line is broken, so that one row costs little.
const LINE_MAX: usize = 4096;
/// Bytes of a row in hexadecimal.
pub const HEX_ROW: usize = 16;
/// Matches kept at most.
const MATCHES: usize = 100_000;

/// Matches in the window, by their offset in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Matches {
    /// What is looked for.
    pub pattern: Pattern,
    /// Offsets in the window.
    pub offsets: Vec<usize>,
    /// Which is the current one.
    pub at: usize,
}

/// One file.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Its path.
    pub path: Vec<u8>,
    /// The part of it that is loaded.
    pub window: Held<Window>,
    /// Lines of the window.
    pub lines: Vec<Range<usize>>,
    /// Whether it is shown in hexadecimal.
    pub hex: bool,
    /// Whether its end is followed.
    pub follow: bool,
    /// Where one is.
    pub scroll: Scroll,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// What is searched for.
    pub matches: Option<Matches>,
    /// What is to be at the top of the screen when the next window comes: a byte of the file, or its end.
    anchor: Option<Place>,
    /// What a smaller size than before means.
    pub truncated: bool,
}

impl Viewer {
    /// A view of a file, nothing loaded yet.
    #[must_use]
    pub fn new(path: Vec<u8>) -> Self {
        Self {
            path,
            window: Held::default(),
            lines: Vec::new(),
            hex: false,
            follow: false,
            scroll: Scroll::default(),
            shift: 0,
            matches: None,
            anchor: None,
            truncated: false,
        }
    }

    /// Takes a window of the file.
    pub fn arrive(&mut self, window: Window, page: usize) {
        if let (Some(before), Some(now)) = (self.window.shown.as_ref().and_then(|window| window.size), window.size) {
            self.truncated |= now < before;
        }
        let first = self.window.shown.is_none();
        self.lines = lines(&window.data);
        if first {
            self.hex = binary(&window.data);
        }
        self.window.shown = Some(window);
        let anchor = self.anchor.take();
        if self.follow || anchor == Some(Place::End) {
            self.scroll.top = self.rows().saturating_sub(page);
        } else if let Some(Place::Byte(byte)) = anchor {
            self.scroll.top = self.row_of(byte);
        }
        self.scroll.settle(self.rows(), page);
        if let Some(matches) = self.matches.take() {
            self.find(Some(matches.pattern), page);
        }
    }

    fn data(&self) -> &[u8] {
        self.window.shown.as_ref().map_or(&[], |window| &window.data)
    }

    fn offset(&self) -> u64 {
        self.window.shown.as_ref().map_or(0, |window| window.offset)
    }

    /// Rows of the window.
    #[must_use]
    pub fn rows(&self) -> usize {
        if self.hex { self.data().len().div_ceil(HEX_ROW) } else { self.lines.len() }
    }

    /// Bytes of a row, as a range of the window.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<Range<usize>> {
        if !self.hex {
            return self.lines.get(row).cloned();
        }
        let start = row.checked_mul(HEX_ROW).filter(|start| *start < self.data().len())?;
        Some(start..(start + HEX_ROW).min(self.data().len()))
    }

    /// The bytes of a row.
    #[must_use]
    pub fn bytes(&self, row: usize) -> Option<&[u8]> {
        self.data().get(self.row(row)?)
    }

    /// The row of a byte of the file, or the nearest one.
    fn row_of(&self, byte: u64) -> usize {
        let at = usize::try_from(byte.saturating_sub(self.offset())).unwrap_or(usize::MAX);
        let row = if self.hex { at / HEX_ROW } else { self.lines.partition_point(|line| line.end <= at) };
        row.min(self.rows().saturating_sub(1))
    }

    /// Where in the file the first row on the screen is.
    #[must_use]
    pub fn top_byte(&self) -> u64 {
        self.offset() + self.row(self.scroll.top).map_or(0, |row| row.start as u64)
    }

    /// Moves, if the action is a motion. Gives what must be loaded for it.
    pub fn go(&mut self, motion: Action, page: usize) -> Option<Place> {
        match motion {
            Action::Left => self.shift = self.shift.saturating_sub(8),
            Action::Right => self.shift = (self.shift + 8).min(LINE_MAX),
            _ => {}
        }
        let before = self.scroll.top;
        let at_end = self.window.shown.as_ref().is_none_or(|window| window.end);
        if motion == Action::Top && self.offset() > 0 {
            self.follow = false;
            return Some(self.load(Place::Byte(0), Place::Byte(0)));
        }
        if motion == Action::Bottom && !at_end {
            return Some(self.load(Place::End, Place::End));
        }
        if !self.scroll.go(motion, self.rows(), page) {
            return None;
        }
        let upwards = matches!(motion, Action::Up | Action::HalfUp | Action::PageUp | Action::Top);
        let downwards = matches!(motion, Action::Down | Action::HalfDown | Action::PageDown);
        self.follow &= !upwards;
        let stuck = self.scroll.top == before && !self.window.busy;
        if stuck && upwards && self.offset() > 0 {
            let top = self.top_byte();
            return Some(
                self.load(Place::Byte(align(top.saturating_sub(WINDOW / 2))), Place::Byte(top.saturating_sub(1))),
            );
        }
        if stuck && downwards && !at_end {
            let top = self.top_byte();
            return Some(self.load(Place::Byte(align(top)), Place::Byte(top)));
        }
        None
    }

    /// Goes to a byte of the file. Gives what must be loaded for it.
    pub fn go_to(&mut self, place: Place) -> Place {
        self.follow = false;
        match place {
            Place::Byte(byte) => self.load(Place::Byte(align(byte)), place),
            Place::End => self.load(Place::End, Place::End),
        }
    }

    fn load(&mut self, from: Place, anchor: Place) -> Place {
        self.anchor = Some(anchor);
        from
    }

    /// Where an offset as it was typed is: `4096`, `0x1000`, `50%`, `end`.
    #[must_use]
    pub fn offset_named(&self, text: &str) -> Option<Place> {
        let text = text.trim();
        let size = self.window.shown.as_ref().and_then(|window| window.size);
        if text == "end" {
            return Some(Place::End);
        }
        if let Some(percent) = text.strip_suffix('%') {
            let percent: u64 = percent.trim().parse().ok().filter(|percent| *percent <= 100)?;
            let size = size?;
            return Some(Place::Byte(size / 100 * percent + size % 100 * percent / 100));
        }
        let byte = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok()?,
            None => text.parse().ok()?,
        };
        Some(Place::Byte(size.map_or(byte, |size| byte.min(size))))
    }

    /// Shows it the other way; the same byte stays at the top.
    pub fn toggle_hex(&mut self, page: usize) {
        let top = self.top_byte();
        self.hex = !self.hex;
        self.shift = 0;
        self.scroll.top = self.row_of(top);
        self.scroll.settle(self.rows(), page);
    }

    /// Searches in the window, from the first row on the screen.
    pub fn find(&mut self, pattern: Option<Pattern>, page: usize) {
        let Some(pattern) = pattern else {
            self.matches = None;
            return;
        };
        let offsets = pattern.offsets(self.data(), MATCHES);
        let top = self.row(self.scroll.top).map_or(0, |row| row.start);
        let at = offsets.partition_point(|offset| *offset < top);
        let at = if at == offsets.len() { 0 } else { at };
        self.matches = Some(Matches { pattern, offsets, at });
        self.show_match(page);
    }

    /// Goes to the next match, or the one before.
    pub fn step(&mut self, forward: bool, page: usize) {
        if let Some(matches) = &mut self.matches {
            let len = matches.offsets.len().max(1);
            matches.at = (matches.at + if forward { 1 } else { len - 1 }) % len;
        }
        self.follow = false;
        self.show_match(page);
    }

    fn show_match(&mut self, page: usize) {
        let Some(offset) = self.matches.as_ref().and_then(|matches| matches.offsets.get(matches.at)) else { return };
        let row = self.row_of(self.offset() + *offset as u64);
        if row < self.scroll.top || row >= self.scroll.top + page {
            self.scroll.top = row.saturating_sub(page / 3);
        }
        self.scroll.settle(self.rows(), page);
    }

    /// `3/17`.
    #[must_use]
    pub fn counter(&self) -> Option<String> {
        let matches = self.matches.as_ref()?;
        let at = if matches.offsets.is_empty() { 0 } else { matches.at + 1 };
        Some(format!("{at}/{}", matches.offsets.len()))
    }

    /// The range of the current match in the window starts here.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        self.matches.as_ref().and_then(|matches| matches.offsets.get(matches.at)).copied()
    }
}

fn align(byte: u64) -> u64 {
    byte / HEX_ROW as u64 * HEX_ROW as u64
}

/// Whether the bytes are no text.
fn binary(data: &[u8]) -> bool {
    let start = data.get(..8192).unwrap_or(data);
    start.contains(&0)
}

/// Cuts bytes into lines; long ones are broken.
fn lines(data: &[u8]) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    while start < data.len() {
        let rest = data.get(start..).unwrap_or_default();
        let length =
            rest.iter().take(LINE_MAX).position(|byte| *byte == b'\n').map_or(rest.len().min(LINE_MAX), |at| at + 1);
        lines.push(start..start + length);
        start += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(offset: u64, data: &[u8], size: u64) -> Window {
        Window { offset, data: data.to_vec(), size: Some(size), end: offset + data.len() as u64 >= size }
    }

    #[test]
    fn long_lines_are_broken_and_binaries_are_hexadecimal() {
        assert_eq!(lines(b"a\nbc\n\nd"), [0..2, 2..5, 5..6, 6..7]);
        assert_eq!(lines(&[b'x'; 10_000]).len(), 3);
        let mut viewer = Viewer::new(b"/a".to_vec());
        viewer.arrive(window(0, b"\x7fELF\0aaaaaaaaaaaaaaaaaa", 23), 10);
        assert!(viewer.hex && viewer.rows() == 2);
        assert_eq!(viewer.row(1), Some(16..23));
        assert_eq!(viewer.row(2), None);
    }

    #[test]
    fn beyond_the_window_more_is_loaded() {
        let mut viewer = Viewer::new(b"/a".to_vec());
        let data: Vec<u8> = (0..1000).flat_map(|at| format!("line {at:04}\n").into_bytes()).collect();
        viewer.arrive(window(0, &data, 1 << 30), 10);
        assert_eq!(viewer.go(Action::Down, 10), None);
        viewer.scroll.top = 990;
        let Some(Place::Byte(from)) = viewer.go(Action::PageDown, 10) else { panic!("nothing loaded") };
        assert!(from <= 9900 && from > 9880);
        viewer.arrive(window(from, &data, 1 << 30), 10);
        assert_eq!(viewer.top_byte(), 9900 - (9900 - from) + viewer.row(viewer.scroll.top).unwrap().start as u64);
        assert!(matches!(viewer.go(Action::Top, 10), Some(Place::Byte(0))));
        assert_eq!(viewer.go(Action::Bottom, 10), Some(Place::End));
        viewer.arrive(window((1 << 30) - 10_000, &data, 1 << 30), 10);
        assert_eq!(viewer.scroll.top, 990);
    }

    #[test]
    fn a_growing_file_is_followed() {
        let mut viewer = Viewer::new(b"/log".to_vec());
        viewer.arrive(window(0, b"a\nb\nc\nd\n", 8), 2);
        assert_eq!(viewer.scroll.top, 0);
        viewer.follow = true;
        viewer.arrive(window(0, b"a\nb\nc\nd\ne\n", 10), 2);
        assert_eq!(viewer.scroll.top, 3);
        viewer.go(Action::Up, 2);
        assert!(!viewer.follow && !viewer.truncated);
        viewer.arrive(window(0, b"x\n", 2), 2);
        assert!(viewer.truncated);
    }

    #[test]
    fn matches_are_found_in_both_ways_of_showing() {
        let mut viewer = Viewer::new(b"/a".to_vec());
        viewer.arrive(window(0, b"one\ntwo\nthree\ntwo again\n", 24), 2);
        viewer.find(Pattern::new("two"), 2);
        assert_eq!((viewer.counter().as_deref(), viewer.scroll.top), (Some("1/2"), 0));
        viewer.step(true, 2);
        assert_eq!((viewer.counter().as_deref(), viewer.scroll.top), (Some("2/2"), 2));
        viewer.toggle_hex(2);
        assert_eq!(viewer.rows(), 2);
        viewer.step(true, 2);
        assert_eq!(viewer.counter().as_deref(), Some("1/2"));
    }

    #[test]
    fn offsets_as_they_are_typed() {
        let mut viewer = Viewer::new(b"/a".to_vec());
        viewer.arrive(window(0, b"x", u64::MAX), 2);
        for (text, place) in [
            ("4096", Some(Place::Byte(4096))),
            (" 0x10 ", Some(Place::Byte(16))),
            ("100%", Some(Place::Byte(u64::MAX))),
            ("101%", None),
            ("end", Some(Place::End)),
            ("-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(viewer.offset_named(text), place, "{text}");
        }
    }
}

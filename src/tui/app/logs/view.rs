//! Which lines are on the screen.

use super::Logs;
use crate::tui::keymap::Action;
use crate::tui::sgr;

/// Columns of the time before a line: `14:02:31.118 `.
pub const TIME_WIDTH: usize = 13;

impl Logs {
    /// Where the log ends for the screen: frozen, it does not grow.
    fn shown_end(&self) -> u64 {
        self.frozen.unwrap_or(u64::MAX).min(self.end())
    }

    /// How many lines could be shown.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.passing {
            Some(scan) => scan.before(self.shown_end()),
            None => usize::try_from(self.shown_end().saturating_sub(self.first())).unwrap_or(usize::MAX),
        }
    }

    /// Whether none could.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the line at a position.
    #[must_use]
    pub fn id_at(&self, position: usize) -> Option<u64> {
        if position >= self.len() {
            return None;
        }
        match &self.passing {
            Some(scan) => scan.get(position),
            None => Some(self.first() + position as u64),
        }
    }

    /// The position of a line, or of the next one that is shown.
    #[must_use]
    pub fn position_of(&self, id: u64) -> usize {
        let position = match &self.passing {
            Some(scan) => scan.before(id),
            None => usize::try_from(id.saturating_sub(self.first())).unwrap_or(usize::MAX),
        };
        position.min(self.len().saturating_sub(1))
    }

    /// The line one is at: following, the last one.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        if self.follow { self.id_at(self.len().saturating_sub(1)).unwrap_or(self.cursor) } else { self.cursor }
    }

    /// Rows a line takes on a screen of this width and height.
    #[must_use]
    pub fn rows(&self, position: usize, width: usize, height: usize) -> usize {
        if !self.wrap {
            return 1;
        }
        let Some(line) = self.id_at(position).and_then(|id| self.line(id)) else { return 1 };
        let columns: usize =
            sgr::spans(line.text).iter().map(|(_, text)| unicode_width::UnicodeWidthStr::width(text.as_str())).sum();
        let width = self.text_width(width);
        columns.div_ceil(width).clamp(1, height.max(1))
    }

    /// Columns that are left for the text.
    #[must_use]
    pub fn text_width(&self, width: usize) -> usize {
        width.saturating_sub(if self.times { TIME_WIDTH } else { 0 } + 2).max(1)
    }

    /// Moves, if the action is a motion. Moving up stops following; the bottom follows again.
    pub fn go(&mut self, motion: Action, width: usize, height: usize) -> bool {
        match motion {
            Action::Left => self.shift = self.shift.saturating_sub(8),
            Action::Right => self.shift = (self.shift + 8).min(crate::logs::LONGEST_SHOWN),
            Action::Bottom => self.follow = true,
            _ => {
                let mut cursor = super::super::cursor::Cursor { at: self.position_of(self.cursor()), top: 0 };
                let before = cursor.at;
                if !cursor.go(motion, self.len(), height) {
                    return false;
                }
                if cursor.at != before {
                    self.cursor = self.id_at(cursor.at).unwrap_or(self.cursor);
                    self.follow = false;
                }
            }
        }
        self.settle(width, height);
        true
    }

    /// Puts the first line of the screen where the line one is at can be seen. Work is bounded by the screen.
    pub fn settle(&mut self, width: usize, height: usize) {
        let height = height.max(1);
        let last = self.len().saturating_sub(1);
        let cursor = if self.follow { last } else { self.position_of(self.cursor) };
        if !self.follow {
            self.cursor = self.id_at(cursor).unwrap_or(self.cursor);
        }
        // The earliest line from which the cursor's line still ends on the screen.
        let earliest = self.back(cursor, width, height);
        let top = if self.follow { earliest } else { self.position_of(self.top).clamp(earliest, cursor) };
        // Nothing is left empty below the last line.
        let top = top.min(self.back(last, width, height));
        self.top = self.id_at(top).unwrap_or(self.first());
    }

    fn back(&self, from: usize, width: usize, height: usize) -> usize {
        let mut used = self.rows(from, width, height);
        let mut at = from;
        while at > 0 {
            used += self.rows(at - 1, width, height);
            if used > height {
                break;
            }
            at -= 1;
        }
        at
    }

    /// Numbers of the lines on a screen of this height, from the first; a wrapped one may be cut at the end.
    pub fn page(&self, width: usize, height: usize) -> impl Iterator<Item = u64> + '_ {
        let top = self.position_of(self.top);
        let mut used = 0;
        (top..self.len())
            .take_while(move |position| {
                let fits = used < height;
                used += self.rows(*position, width, height);
                fits
            })
            .filter_map(|position| self.id_at(position))
    }

    /// Holds the screen still, or lets it go on.
    pub fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen.then(|| self.end());
    }

    /// Lines that came while the screen was frozen.
    #[must_use]
    pub fn held_back(&self) -> u64 {
        self.frozen.map_or(0, |end| self.end().saturating_sub(end))
    }
}

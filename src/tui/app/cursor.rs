//! Where one is in a list, and how one moves.

use crate::tui::keymap::Action;

/// The selected row of a list, and the first row on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The selected row.
    pub at: usize,
    /// The first row shown.
    pub top: usize,
}

impl Cursor {
    /// Moves, if the action is a motion. `page` is how many rows are shown.
    pub fn go(&mut self, motion: Action, len: usize, page: usize) -> bool {
        let last = len.saturating_sub(1);
        let page = page.max(1);
        let half = (page / 2).max(1);
        self.at = match motion {
            Action::Up => self.at.saturating_sub(1),
            Action::Down => self.at.saturating_add(1),
            Action::HalfUp => self.at.saturating_sub(half),
            Action::HalfDown => self.at.saturating_add(half),
            Action::PageUp => self.at.saturating_sub(page),
            Action::PageDown => self.at.saturating_add(page),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        }
        .min(last);
        true
    }

    /// Keeps the selected row in the list and on the screen.
    pub fn settle(&mut self, len: usize, page: usize) {
        self.at = self.at.min(len.saturating_sub(1));
        let page = page.max(1);
        self.top = self.top.min(len.saturating_sub(page)).min(self.at).max((self.at + 1).saturating_sub(page));
    }
}

/// How far a text is scrolled: there is no selected row, the page moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll {
    /// The first row shown.
    pub top: usize,
}

impl Scroll {
    /// Moves, if the action is a motion.
    pub fn go(&mut self, motion: Action, len: usize, page: usize) -> bool {
        let mut cursor = Cursor { at: self.top, top: 0 };
        let last = len.saturating_sub(page);
        let moved = cursor.go(motion, last + 1, page);
        self.top = cursor.at;
        moved
    }

    /// Keeps the page in the text.
    pub fn settle(&mut self, len: usize, page: usize) {
        self.top = self.top.min(len.saturating_sub(page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motions_stay_in_the_list() {
        for (from, motion, len, to) in [
            (0, Action::Up, 5, 0),
            (4, Action::Down, 5, 4),
            (0, Action::Down, 5, 1),
            (0, Action::PageDown, 100, 10),
            (95, Action::PageDown, 100, 99),
            (20, Action::HalfUp, 100, 15),
            (7, Action::Top, 100, 0),
            (7, Action::Bottom, 100, 99),
            (0, Action::Down, 0, 0),
            (0, Action::Bottom, 0, 0),
        ] {
            let mut cursor = Cursor { at: from, top: 0 };
            assert!(cursor.go(motion, len, 10));
            assert_eq!(cursor.at, to, "{from} {motion:?} of {len}");
        }
        assert!(!Cursor::default().go(Action::Help, 5, 10));
    }

    proptest::proptest! {
        #[test]
        fn the_selected_row_is_on_the_screen(at: u16, top: u16, len in 0usize..2000, page in 0usize..200) {
            let mut cursor = Cursor { at: at.into(), top: top.into() };
            cursor.settle(len, page);
            assert!(cursor.at < len.max(1));
            assert!(cursor.top <= cursor.at && cursor.at < cursor.top + page.max(1));
            assert!(len < page.max(1) || cursor.top + page.max(1) <= len);
        }
    }
}

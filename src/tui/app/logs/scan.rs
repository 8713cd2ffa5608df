//! Which lines match, found in slices: the newest lines first, then back to the oldest, then whatever is new.

use std::collections::VecDeque;

/// Numbers of matching lines, in order, and how far one has looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    ids: VecDeque<u64>,
    low: u64,
    high: u64,
}

impl Scan {
    /// Nothing was looked at; one starts at `end`.
    #[must_use]
    pub fn new(end: u64) -> Self {
        Self { ids: VecDeque::new(), low: end, high: end }
    }

    /// Looks at lines until all are done or the budget is used up. New lines come first, then older ones.
    pub fn step(&mut self, first: u64, end: u64, budget: &mut usize, keep: impl Fn(u64) -> bool) {
        self.evict(first);
        while self.high < end && *budget > 0 {
            if keep(self.high) {
                self.ids.push_back(self.high);
            }
            self.high += 1;
            *budget -= 1;
        }
        while self.low > first && *budget > 0 {
            self.low -= 1;
            if keep(self.low) {
                self.ids.push_front(self.low);
            }
            *budget -= 1;
        }
    }

    /// Forgets lines that are not there any more.
    fn evict(&mut self, first: u64) {
        while self.ids.front().is_some_and(|id| *id < first) {
            self.ids.pop_front();
        }
        self.low = self.low.max(first);
        self.high = self.high.max(first);
    }

    /// Whether every line was looked at.
    #[must_use]
    pub fn done(&self, first: u64, end: u64) -> bool {
        self.low <= first && self.high >= end
    }

    /// How many match.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The number of the match at a place.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<u64> {
        self.ids.get(at).copied()
    }

    /// How many matches are before a line.
    #[must_use]
    pub fn before(&self, id: u64) -> usize {
        self.ids.partition_point(|other| *other < id)
    }

    /// Whether a line is one of them.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_come_first_and_none_is_looked_at_twice() {
        let looked = std::cell::RefCell::new(Vec::new());
        let keep = |id: u64| {
            looked.borrow_mut().push(id);
            id.is_multiple_of(2)
        };
        let mut scan = Scan::new(10);
        let mut budget = 4;
        scan.step(0, 12, &mut budget, keep);
        assert_eq!(*looked.borrow(), [10, 11, 9, 8]);
        assert_eq!((scan.get(0), scan.get(1), scan.len()), (Some(8), Some(10), 2));
        assert!(!scan.done(0, 12));
        let mut budget = 100;
        scan.step(3, 12, &mut budget, keep);
        assert!(scan.done(3, 12));
        assert_eq!(budget, 100 - 5);
        assert_eq!((0..scan.len()).filter_map(|at| scan.get(at)).collect::<Vec<_>>(), [4, 6, 8, 10]);
        let mut budget = 100;
        scan.step(7, 13, &mut budget, keep);
        assert_eq!((scan.get(0), scan.before(10), scan.contains(12)), (Some(8), 1, true));
        assert_eq!(budget, 99);
    }

    #[test]
    fn what_was_dropped_before_it_was_looked_at_is_skipped() {
        let mut scan = Scan::new(5);
        let mut budget = 100;
        scan.step(20, 25, &mut budget, |_| true);
        assert_eq!((scan.len(), budget), (5, 95));
        assert!(scan.done(20, 25));
    }
}

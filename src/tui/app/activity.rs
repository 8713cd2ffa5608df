//! What was done, step by step.

use std::sync::Arc;
use std::time::Duration;

use crate::activity::{Record, Step};
use crate::tui::app::cursor::Cursor;
use crate::tui::app::held::Held;
use crate::tui::app::pattern::Pattern;
use crate::tui::keymap::Action;
use crate::tui::words;

/// The steps, and where one is in them.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The steps.
    pub record: Held<Arc<Record>>,
    /// Which are shown, in order.
    pub order: Vec<usize>,
    /// Where one is.
    pub cursor: Cursor,
    /// Whether the newest is always selected.
    pub follow: bool,
    /// What steps must match.
    pub filter: Option<Pattern>,
    /// Columns scrolled to the right.
    pub shift: usize,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            record: Held::default(),
            order: Vec::new(),
            cursor: Cursor::default(),
            follow: true,
            filter: None,
            shift: 0,
        }
    }
}

impl Activity {
    /// Takes the steps so far. True if they are shown at once.
    pub fn arrive(&mut self, record: Arc<Record>, now: Duration, frozen: bool) -> bool {
        let selected = self.selected_number();
        let shown = self.record.arrive(Ok(record), now, frozen);
        self.arrange(selected);
        shown
    }

    /// Shows what waited.
    pub fn thaw(&mut self) {
        let selected = self.selected_number();
        self.record.thaw();
        self.arrange(selected);
    }

    /// Shows only what matches.
    pub fn set_filter(&mut self, filter: Option<Pattern>) {
        let selected = self.selected_number();
        self.filter = filter;
        self.arrange(selected);
    }

    /// Moves, if the action is a motion. Upwards leaves the end, the bottom follows it again.
    pub fn go(&mut self, motion: Action, page: usize) -> bool {
        let moved = self.cursor.go(motion, self.order.len(), page);
        if moved {
            self.follow = motion == Action::Bottom || (self.follow && self.cursor.at + 1 >= self.order.len());
        }
        moved
    }

    /// The step in a row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Step> {
        self.record.shown.as_ref()?.get(*self.order.get(row)?)
    }

    /// A step in one line, as it is copied and shown in full.
    #[must_use]
    pub fn line(&self, row: usize) -> Option<String> {
        self.row(row).map(line)
    }

    /// The number of the selected step, which it keeps when older ones are left out.
    fn selected_number(&self) -> Option<u64> {
        let record = self.record.shown.as_ref()?;
        Some(record.left_out() + *self.order.get(self.cursor.at)? as u64)
    }

    fn arrange(&mut self, selected: Option<u64>) {
        let Some(record) = &self.record.shown else { return };
        let passes = |at: &usize| {
            self.filter
                .as_ref()
                .is_none_or(|filter| record.get(*at).is_some_and(|step| filter.hits(line(step).as_bytes())))
        };
        self.order = (0..record.len()).filter(passes).collect();
        let last = self.order.len().saturating_sub(1);
        // The step itself; where it is not shown any more, the first after it.
        let at = selected.map(|number| self.order.partition_point(|at| record.left_out() + (*at as u64) < number));
        self.cursor.at = if self.follow { last } else { at.unwrap_or(last).min(last) };
    }
}

fn line(step: &Step) -> String {
    format!("{} {step}", words::time_of_day(step.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

    fn record(steps: usize) -> Arc<Record> {
        let mut record = Record::default();
        for number in 0..steps {
            record.push(Step::new(fake::wall(0), None, &format!("step {number}"), None).ended(Ok(())));
        }
        Arc::new(record)
    }

    fn selected(activity: &Activity) -> Option<String> {
        activity.row(activity.cursor.at).map(Step::what)
    }

    #[test]
    fn the_end_is_followed_until_one_goes_up() {
        let mut activity = Activity::default();
        activity.arrive(record(3), Duration::ZERO, false);
        assert_eq!(selected(&activity).as_deref(), Some("step 2"));
        activity.go(Action::Up, 10);
        activity.arrive(record(5), Duration::ZERO, false);
        assert_eq!((activity.follow, selected(&activity).as_deref()), (false, Some("step 1")));
        activity.go(Action::Bottom, 10);
        activity.arrive(record(6), Duration::ZERO, false);
        assert_eq!((activity.follow, selected(&activity).as_deref()), (true, Some("step 5")));
    }

    #[test]
    fn the_selected_step_stays_selected_when_older_ones_go() {
        let mut activity = Activity::default();
        activity.arrive(record(500), Duration::ZERO, false);
        activity.go(Action::Up, 10);
        activity.arrive(record(510), Duration::ZERO, false);
        assert_eq!(selected(&activity).as_deref(), Some("step 498"));
        activity.go(Action::Top, 10);
        activity.arrive(record(520), Duration::ZERO, false);
        assert_eq!(selected(&activity).as_deref(), Some("step 20"), "the oldest there is, where it has gone itself");
    }

    #[test]
    fn a_filter_looks_at_the_whole_line() {
        let mut activity = Activity::default();
        activity.arrive(record(12), Duration::ZERO, false);
        activity.set_filter(Pattern::new("done: step 1"));
        assert_eq!(activity.order, [1, 10, 11]);
        activity.set_filter(Pattern::new("nothing of that"));
        assert_eq!((activity.order.len(), activity.line(0)), (0, None));
        activity.set_filter(None);
        assert_eq!(activity.line(0).as_deref(), Some("08:53:20.000 done: step 0"));
    }

    #[test]
    fn a_frozen_screen_keeps_its_steps() {
        let mut activity = Activity::default();
        activity.arrive(record(1), Duration::ZERO, false);
        assert!(!activity.arrive(record(2), Duration::ZERO, true));
        assert_eq!(activity.order.len(), 1);
        activity.thaw();
        assert_eq!(selected(&activity).as_deref(), Some("step 1"));
    }
}

//! The newest steps.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Step;

/// Steps kept. Entering takes about ten; a target that restarts all night must not fill the memory.
const MOST: usize = 500;

/// The newest steps, oldest first. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    steps: VecDeque<Arc<Step>>,
    left_out: u64,
}

impl Record {
    /// Adds a step, and gives its number. The oldest one is left out if there are too many.
    pub fn push(&mut self, step: Step) -> u64 {
        if self.steps.len() >= MOST {
            self.steps.pop_front();
            self.left_out += 1;
        }
        self.steps.push_back(Arc::new(step));
        self.left_out + self.steps.len() as u64 - 1
    }

    /// The step of this number, if it is still there, to change it.
    pub(super) fn step_mut(&mut self, number: u64) -> Option<&mut Step> {
        let at = usize::try_from(number.checked_sub(self.left_out)?).ok()?;
        self.steps.get_mut(at).map(Arc::make_mut)
    }

    /// The step at a place, counted from the oldest that is there.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Step> {
        self.steps.get(at).map(AsRef::as_ref)
    }

    /// How many are there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether none is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many older ones are not there any more: the number of the first that is.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_rest_is_counted() {
        let mut record = Record::default();
        for number in 0..MOST as u64 + 3 {
            let step = Step::new(SystemTime::UNIX_EPOCH, None, &format!("step {number}"), None);
            assert_eq!(record.push(step), number);
        }
        assert_eq!((record.len(), record.left_out()), (MOST, 3));
        assert_eq!(record.get(0).map(Step::what).as_deref(), Some("step 3"));
        assert_eq!(record.step_mut(4).map(|step| step.what()).as_deref(), Some("step 4"));
        assert!(record.step_mut(2).is_none() && record.step_mut(MOST as u64 + 3).is_none());
    }
}

//! A reading on the screen: what was last read, when, and what is wrong since.

use std::time::Duration;

use crate::exit::Failure;

/// Data that are read again and again. The last ones stay visible whatever happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Held<T> {
    /// What is shown.
    pub shown: Option<T>,
    /// What arrived while the screen was frozen.
    waiting: Option<T>,
    /// When what is shown, or waits, arrived.
    pub at: Option<Duration>,
    /// Why the last reading failed.
    pub error: Option<Failure>,
    /// Whether one is on its way.
    pub busy: bool,
    /// When one was last asked for.
    asked: Option<Duration>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { shown: None, waiting: None, at: None, error: None, busy: false, asked: None }
    }
}

impl<T> Held<T> {
    /// Takes a reading. True if it is shown at once.
    pub fn arrive(&mut self, result: Result<T, Failure>, now: Duration, frozen: bool) -> bool {
        self.busy = false;
        match result {
            Ok(data) => {
                self.error = None;
                self.at = Some(now);
                if frozen && self.shown.is_some() {
                    self.waiting = Some(data);
                    return false;
                }
                self.waiting = None;
                self.shown = Some(data);
            }
            Err(error) => self.error = Some(error),
        }
        true
    }

    /// Shows what waited. True if there was something.
    pub fn thaw(&mut self) -> bool {
        let waited = self.waiting.is_some();
        if let Some(data) = self.waiting.take() {
            self.shown = Some(data);
        }
        waited
    }

    /// Asks for a reading, if none is on its way and the last one was asked for long enough ago.
    pub fn due(&mut self, now: Duration, every: Duration) -> bool {
        let due = !self.busy && self.asked.is_none_or(|asked| now.saturating_sub(asked) >= every);
        if due {
            self.asked = Some(now);
            self.busy = true;
        }
        due
    }

    /// Lets the next reading be asked for at once.
    pub fn hurry(&mut self) {
        self.asked = None;
    }

    /// What was on its way has come, elsewhere than through [`Held::arrive`].
    pub fn done(&mut self) {
        self.busy = false;
    }

    /// What was on its way will not come.
    pub fn forget(&mut self) {
        self.busy = false;
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn an_error_leaves_the_last_data_visible() {
        let mut held = Held::default();
        assert!(held.arrive(Ok(1), Duration::from_secs(1), false));
        held.arrive(Err(Failure::new(Exit::No, "gone")), Duration::from_secs(2), false);
        assert_eq!((held.shown, held.at), (Some(1), Some(Duration::from_secs(1))));
        assert!(held.error.is_some());
    }

    #[test]
    fn a_frozen_screen_keeps_what_it_shows() {
        let mut held = Held::default();
        assert!(held.arrive(Ok(1), Duration::ZERO, true), "the first one is shown");
        assert!(!held.arrive(Ok(2), Duration::ZERO, true));
        assert_eq!(held.shown, Some(1));
        assert!(held.thaw());
        assert_eq!(held.shown, Some(2));
        assert!(!held.thaw());
    }

    #[test]
    fn it_is_read_again_in_time_and_once() {
        let mut held = Held::<u8>::default();
        let every = Duration::from_secs(2);
        assert!(held.due(Duration::ZERO, every));
        assert!(!held.due(Duration::from_secs(9), every), "one is on its way");
        held.arrive(Err(Failure::new(Exit::No, "x")), Duration::from_secs(1), false);
        assert!(!held.due(Duration::from_secs(1), every), "a failure is no reason to ask faster");
        assert!(held.due(Duration::from_secs(2), every));
        held.forget();
        assert!(held.due(Duration::from_secs(2), every));
    }
}

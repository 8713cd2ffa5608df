//! Waiting for a condition. The only place of the tests that sleeps.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before it counts as hung. Generous: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer.
///
/// # Panics
/// If there is none within [`PATIENCE`].
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, ask)
}

/// As [`until`], with another deadline.
pub fn until_within<T>(deadline: Duration, what: &str, ask: impl FnMut() -> Option<T>) -> T {
    ask_within(deadline, ask).unwrap_or_else(|| panic!("waited {deadline:?} in vain for: {what}"))
}

/// The answer, if there is one before the deadline.
pub fn ask_within<T>(deadline: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        // Asked once more after the deadline: the thread may have been away for long.
        let late = Instant::now() >= end;
        let answer = ask();
        if answer.is_some() || late {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for so long and no longer: to do something at any instant of something else.
pub fn exactly(time: Duration) {
    thread::sleep(time);
}

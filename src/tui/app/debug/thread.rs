//! Threads in the place of goroutines: of a stripped program Delve finds no goroutines, but its threads.
//!
//! Delve numbers goroutines from 1 on. So a thread is a goroutine with a negative number.

/// Whichever thread is current.
pub const THREAD: i64 = -1;

/// What stands for a thread.
#[must_use]
pub fn as_goroutine(thread: i64) -> i64 {
    THREAD.saturating_sub(thread.max(0))
}

/// The thread that such a number stands for; or `None` if it is a goroutine's, or that of the current thread.
#[must_use]
pub fn thread(goroutine: i64) -> Option<i64> {
    (goroutine < THREAD).then(|| THREAD.saturating_sub(goroutine))
}

/// What it is, in words: `goroutine 18`, `thread 7`, `a thread`.
#[must_use]
pub fn words(goroutine: i64) -> String {
    match thread(goroutine) {
        Some(thread) => format!("thread {thread}"),
        None if goroutine == THREAD => "a thread".to_owned(),
        None => format!("goroutine {goroutine}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_no_goroutine() {
        for id in [1, 7, 4_194_304, i64::MAX] {
            assert_eq!(thread(as_goroutine(id)), Some(id));
        }
        assert_eq!((thread(1), thread(0), thread(THREAD), thread(18)), (None, None, None, None));
        assert_eq!(
            (words(18).as_str(), words(-8).as_str(), words(THREAD).as_str()),
            ("goroutine 18", "thread 7", "a thread")
        );
        // Nonsense of a hostile debugger is none that panics.
        assert_eq!((as_goroutine(i64::MIN), thread(i64::MIN)), (THREAD, Some(i64::MAX)));
    }
}

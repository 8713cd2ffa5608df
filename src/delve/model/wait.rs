//! What goroutines wait for: numbers that mean something else in each Go (`waitReason` in runtime2.go).

/// What a goroutine waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wait {
    /// The runtime's number.
    pub number: i64,
    /// In the runtime's words. `None` if nobody here knows them for this Go.
    pub words: Option<&'static str>,
}

impl Wait {
    /// From the runtime's number, and the minor version of its Go.
    #[must_use]
    pub fn new(number: i64, go: Option<u32>) -> Self {
        Self { number, words: usize::try_from(number).ok().zip(go).and_then(|(at, go)| words(at, go)) }
    }
}

/// Go 1.19, from 1 on.
const GO_19: [&str; 26] = [
    "GC assist marking",
    "IO wait",
    "chan receive (nil chan)",
    "chan send (nil chan)",
    "dumping heap",
    "garbage collection",
    "garbage collection scan",
    "panicwait",
    "select",
    "select (no cases)",
    "GC assist wait",
    "GC sweep wait",
    "GC scavenge wait",
    "chan receive",
    "chan send",
    "finalizer wait",
    "force gc (idle)",
    "semacquire",
    "sleep",
    "sync.Cond.Wait",
    "timer goroutine (idle)",
    "trace reader (blocked)",
    "wait for GC cycle",
    "GC worker (idle)",
    "preempted",
    "debug call",
];

/// Go 1.21 to 1.23, from 21 on. What came with a later one is at the end, so the newest list does for all.
const GO_21: [&str; 17] = [
    "sync.Mutex.Lock",
    "sync.RWMutex.RLock",
    "sync.RWMutex.Lock",
    "trace reader (blocked)",
    "wait for GC cycle",
    "GC worker (idle)",
    "GC worker (active)",
    "preempted",
    "debug call",
    "GC mark termination",
    "stopping the world",
    "flushing proc caches",
    "trace goroutine status",
    "trace proc status",
    "page trace flush",
    "coroutine",
    "GC weak to strong wait",
];

/// Go 1.24, after what came before 1.24 and moved up.
const GO_24: [&str; 5] =
    ["synctest.Run", "synctest.Wait", "chan receive (synctest)", "chan send (synctest)", "select (synctest)"];

/// Go 1.25 and later, likewise.
const GO_25: [&str; 7] = [
    "synctest.Run",
    "synctest.Wait",
    "chan receive (durable)",
    "chan send (durable)",
    "select (durable)",
    "sync.WaitGroup.Wait (durable)",
    "cleanup wait",
];

/// Go 1.26 and later, from 3 on.
const GO_26: [&str; 18] = [
    "dumping heap",
    "garbage collection",
    "garbage collection scan",
    "panicwait",
    "GC assist wait",
    "GC sweep wait",
    "GC scavenge wait",
    "finalizer wait",
    "force gc (idle)",
    "GOMAXPROCS updater (idle)",
    "semacquire",
    "sleep",
    "chan receive (nil chan)",
    "chan send (nil chan)",
    "select (no cases)",
    "select",
    "chan receive",
    "chan send",
];

const WAIT_GROUP: &str = "sync.WaitGroup.Wait";
const UPDATER: &str = "GOMAXPROCS updater (idle)";

/// Each Go's list is the one before it, with something put in between: that is how it is looked up here.
fn words(at: usize, go: u32) -> Option<&'static str> {
    match (at, go) {
        (0, _) | (_, ..=18) => None,
        (_, 19) | (..=20, 20..=24) | (..=17, 25) | (1 | 2, _) => GO_19.get(at - 1).copied(),
        (_, 20..=23) => GO_21.get(at - 21).copied(),
        (_, 24) => since_24(at, &GO_24),
        (18, 25) => Some(UPDATER),
        (19..=21, 25) => GO_19.get(at - 2).copied(),
        (3..=20, _) => GO_26.get(at - 3).copied(),
        (21, _) => Some("sync.Cond.Wait"),
        // All that stood before it moved up by one when the updater came.
        (_, _) => since_24(at - 1, &GO_25),
    }
}

/// As in Go 1.24 from 21 on.
fn since_24(at: usize, last: &[&'static str]) -> Option<&'static str> {
    match at {
        21..=23 => GO_21.get(at - 21).copied(),
        24 => Some(WAIT_GROUP),
        25..=38 => GO_21.get(at - 22).copied(),
        _ => last.get(at.checked_sub(39)?).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_what_it_means_in_its_go() {
        for (number, go, words) in [
            (14, 19, Some("chan receive")),
            (26, 19, Some("debug call")),
            (27, 19, None),
            (14, 20, Some("chan receive")),
            (19, 21, Some("sleep")),
            (21, 21, Some("sync.Mutex.Lock")),
            (37, 23, Some("GC weak to strong wait")),
            (20, 24, Some("sync.Cond.Wait")),
            (24, 24, Some("sync.WaitGroup.Wait")),
            (25, 24, Some("trace reader (blocked)")),
            (38, 24, Some("GC weak to strong wait")),
            (39, 24, Some("synctest.Run")),
            (43, 24, Some("select (synctest)")),
            (44, 24, None),
            (14, 25, Some("chan receive")),
            (18, 25, Some("GOMAXPROCS updater (idle)")),
            (19, 25, Some("semacquire")),
            (20, 25, Some("sleep")),
            (22, 25, Some("sync.Mutex.Lock")),
            (25, 25, Some("sync.WaitGroup.Wait")),
            (42, 25, Some("chan receive (durable)")),
            (46, 25, Some("cleanup wait")),
            (47, 25, None),
            (2, 27, Some("IO wait")),
            (14, 27, Some("sleep")),
            (19, 26, Some("chan receive")),
            (20, 27, Some("chan send")),
            (22, 27, Some("sync.Mutex.Lock")),
            (46, 27, Some("cleanup wait")),
            (0, 27, None),
            (-1, 27, None),
            (i64::MAX, 27, None),
        ] {
            assert_eq!(Wait::new(number, Some(go)).words, words, "{number} in Go 1.{go}");
        }
        assert_eq!(Wait::new(14, None).words, None);
    }
}

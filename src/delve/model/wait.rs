//! What goroutines wait for: numbers that mean something else in each Go.

/// What a goroutine waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wait {
    /// The runtime's number.
    pub number: i64,
    /// In the runtime's words. `None` if nobody here knows them for this Go.
    pub words: Option<&'static str>,
}

//! What happens to containers, as the engine tells it.

use std::time::SystemTime;

/// One thing that happened to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Full id of the container.
    pub id: String,
    /// Its name, after the event.
    pub name: String,
    /// When, by the engine's clock.
    pub time: Option<SystemTime>,
    /// What.
    pub what: Happened,
}

/// What can happen to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It was made.
    Created,
    /// It runs.
    Started,
    /// Its first process ended, with this status.
    Died(Option<i64>),
    /// The kernel killed something of it for memory.
    OutOfMemory,
    /// It was frozen.
    Paused,
    /// It goes on.
    Unpaused,
    /// It was restarted by somebody.
    Restarted,
    /// It was removed.
    Destroyed,
    /// It has a new name; the old one is given.
    Renamed(String),
    /// Its health changed to this.
    Health(String),
    /// A signal was sent to it.
    Signalled(Option<String>),
    /// Anything else, in the engine's word.
    Other(String),
}

//! A container of a pod in words.

use std::time::SystemTime;

use crate::engine::State;
use crate::engine::kube::list::Row;
use crate::tui::words;

/// How it is with a container: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// Somebody should look.
    Bad,
    /// It may become well by itself.
    Warn,
    /// It runs.
    Good,
    /// It has done what it was for.
    Done,
}

/// How a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    /// A sign.
    pub sign: &'static str,
    /// A word. It may be the kubelet's.
    pub word: &'a str,
    /// How it is with it.
    pub mood: Mood,
}

/// How a container is.
#[must_use]
pub fn state(row: &Row) -> Shown<'_> {
    let or = |word: &'static str| if row.status.is_empty() { word } else { row.status.as_str() };
    let failed = ["Err", "BackOff", "Invalid"].iter().any(|part| row.status.contains(part));
    let (sign, word, mood) = match row.state {
        _ if row.leaving => ("◌", "terminating", Mood::Warn),
        State::Running if row.ready => ("●", "running", Mood::Good),
        State::Running => ("●", "not ready", Mood::Warn),
        State::Exited if row.last.as_ref().is_some_and(|last| last.code == 0) => ("○", "completed", Mood::Done),
        State::Exited => ("✗", or("ended"), Mood::Bad),
        State::Restarting => ("↻", or("restarting"), Mood::Bad),
        _ if failed => ("✗", row.status.as_str(), Mood::Bad),
        _ => ("·", or("waiting"), Mood::Warn),
    };
    Shown { sign, word, mood }
}

/// How its last run ended: status, reason, how long ago. Empty if none did.
#[must_use]
pub fn last(row: &Row, now: SystemTime) -> String {
    let Some(last) = &row.last else { return String::new() };
    let reason = if last.reason.is_empty() { String::new() } else { format!(" {}", last.reason) };
    format!("{}{reason}{}", last.code, ago(last.at, now).map_or_else(String::new, |ago| format!(", {ago} ago")))
}

/// How long ago that was.
#[must_use]
pub fn ago(time: Option<SystemTime>, now: SystemTime) -> Option<String> {
    now.duration_since(time?).ok().map(words::span)
}

/// What to type for it.
#[must_use]
pub fn target(row: &Row) -> String {
    format!("k8s://{}/{}/{}", row.namespace, row.pod, row.container)
}

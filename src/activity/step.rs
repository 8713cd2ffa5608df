//! One step.

use std::fmt;
use std::time::SystemTime;

use crate::door::Door;
use crate::text::{Safe, Untrusted};

/// Bytes of one text at most: what an engine says may be long.
const LONGEST: usize = 4096;

/// One step. Its texts are safe to show: they quote names from engines and from inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it began, by this host's clock.
    pub at: SystemTime,
    /// Through which door; `None` for what is done to files of this host.
    pub door: Option<Door>,
    /// What is done, as an order: `start container …`.
    pub what: Safe,
    /// What came of it.
    pub outcome: Outcome,
    /// What takes it back, if there is anything to take back.
    pub undo: Option<Undo>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is being done.
    Doing,
    /// It was done.
    Done,
    /// It was not, and why.
    Failed(Safe),
}

/// What takes a step back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// How.
    pub how: Safe,
    /// Whether that has happened.
    pub done: bool,
}

impl Step {
    /// A step that begins.
    #[must_use]
    pub fn new(at: SystemTime, door: Option<Door>, what: &str, undo: Option<&str>) -> Self {
        let undo = undo.map(|how| Undo { how: safe(how), done: false });
        Self { at, door, what: safe(what), outcome: Outcome::Doing, undo }
    }

    /// The same, done or failed.
    #[must_use]
    pub fn ended(mut self, result: Result<(), &str>) -> Self {
        self.outcome = match result {
            Ok(()) => Outcome::Done,
            Err(why) => Outcome::Failed(safe(why)),
        };
        self
    }

    /// Its door in a word; `-` where none is concerned.
    #[must_use]
    pub fn door(&self) -> String {
        self.door.map_or_else(|| "-".to_owned(), |door| door.to_string())
    }

    /// What is done, and why it failed if it did.
    #[must_use]
    pub fn what(&self) -> String {
        match &self.outcome {
            Outcome::Doing | Outcome::Done => self.what.to_string(),
            Outcome::Failed(why) => format!("{}: {why}", self.what),
        }
    }

    /// What there is to take back: nothing is if the step was not done.
    #[must_use]
    pub fn undo(&self) -> Option<&Undo> {
        self.undo.as_ref().filter(|_| !matches!(self.outcome, Outcome::Failed(_)))
    }
}

impl Outcome {
    /// In a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(door) = self.door {
            write!(f, "{door}: ")?;
        }
        write!(f, "{}: {}", self.outcome.word(), self.what())?;
        match self.undo() {
            None => Ok(()),
            Some(Undo { how, done: false }) => write!(f, " (undone by: {how})"),
            Some(Undo { how, done: true }) => write!(f, " (undone: {how})"),
        }
    }
}

fn safe(text: &str) -> Safe {
    match text.char_indices().nth(LONGEST / 4) {
        // A letter takes four bytes at most.
        Some((end, _)) if text.len() > LONGEST => {
            Untrusted::from(format!("{}…", text.get(..end).unwrap_or_default()).as_str()).safe()
        }
        _ => Untrusted::from(text).safe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(undo: Option<&str>) -> Step {
        Step::new(SystemTime::UNIX_EPOCH, Some(Door::Sidecar), "start container x", undo)
    }

    #[test]
    fn a_step_is_one_line() {
        let made = step(Some("docker rm -f x"));
        assert_eq!(made.to_string(), "sidecar: doing: start container x (undone by: docker rm -f x)");
        let mut done = made.clone().ended(Ok(()));
        assert_eq!(done.to_string(), "sidecar: done: start container x (undone by: docker rm -f x)");
        done.undo.as_mut().unwrap().done = true;
        assert_eq!(done.to_string(), "sidecar: done: start container x (undone: docker rm -f x)");
        // What was not done need not be taken back.
        assert_eq!(made.ended(Err("no")).to_string(), "sidecar: failed: start container x: no");
        let here = Step::new(SystemTime::UNIX_EPOCH, None, "write x", None).ended(Ok(()));
        assert_eq!(here.to_string(), "done: write x");
    }

    #[test]
    fn what_an_engine_says_is_escaped_and_bounded() {
        let failed = step(None).ended(Err("\x1b[2J\n\u{202e}"));
        assert_eq!(failed.what(), "start container x: \\x1b[2J\\n\\u{202e}");
        let long = step(None).ended(Err(&"日".repeat(1 << 20)));
        assert!(long.to_string().len() <= LONGEST + 100 && long.to_string().ends_with('…'));
    }
}

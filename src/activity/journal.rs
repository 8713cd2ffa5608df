//! Where steps are recorded, and who is told of them.

use std::fmt::Display;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

use super::{Outcome, Record, Step};
use crate::door::Door;

/// Where steps are recorded. Cheap to clone; all clones are one journal. Who watches it is told of every change.
#[derive(Debug, Clone, Default)]
pub struct Journal(watch::Sender<Arc<Record>>);

/// A step that is being done. Dropped before its end, it was given up.
#[derive(Debug)]
#[must_use]
pub struct Begun {
    step: Made,
    ended: bool,
}

/// Steps that were done or have failed, to be told when they are taken back.
#[derive(Debug, Clone)]
pub struct Made {
    journal: Journal,
    numbers: Vec<u64>,
}

impl Journal {
    /// A step begins: what is done, as an order, and what takes it back.
    pub fn begin(&self, door: Option<Door>, what: &str, undo: Option<&str>) -> Begun {
        let step = Step::new(SystemTime::now(), door, what, undo);
        tracing::debug!(target: "activity", "{step}");
        Begun { step: self.push(step), ended: false }
    }

    /// A step was done: see [`Journal::begin`].
    #[must_use]
    pub fn done(&self, door: Option<Door>, what: &str, undo: Option<&str>) -> Made {
        self.ended(Step::new(SystemTime::now(), door, what, undo).ended(Ok(())))
    }

    /// No step yet.
    #[must_use]
    pub fn none(&self) -> Made {
        Made { journal: self.clone(), numbers: Vec::new() }
    }

    /// A step could not be done.
    pub fn failed(&self, door: Option<Door>, what: &str, why: &impl Display) {
        self.ended(Step::new(SystemTime::now(), door, what, None).ended(Err(&why.to_string())));
    }

    /// The steps so far, and whenever there is something new.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Record>> {
        self.0.subscribe()
    }

    /// All steps, a line each.
    #[cfg(test)]
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let record = self.0.borrow();
        (0..record.len()).filter_map(|at| record.get(at).map(ToString::to_string)).collect()
    }

    fn ended(&self, step: Step) -> Made {
        tracing::info!(target: "activity", "{step}");
        self.push(step)
    }

    fn push(&self, step: Step) -> Made {
        let mut number = 0;
        self.0.send_modify(|record| number = Arc::make_mut(record).push(step));
        Made { journal: self.clone(), numbers: vec![number] }
    }

    fn change(&self, numbers: &[u64], mut change: impl FnMut(&mut Step)) {
        self.0.send_modify(|record| {
            let record = Arc::make_mut(record);
            for number in numbers {
                // One that was left out meanwhile is not there to be changed.
                if let Some(step) = record.step_mut(*number) {
                    change(step);
                }
            }
        });
    }
}

impl Begun {
    /// It is over.
    pub fn end<T, E: Display>(mut self, result: &Result<T, E>) -> Made {
        match result {
            Ok(_) => self.set(Ok(())),
            Err(why) => self.set(Err(&why.to_string())),
        }
        self.step.clone()
    }

    fn set(&mut self, result: Result<(), &str>) {
        self.ended = true;
        self.step.journal.change(&self.step.numbers, |step| {
            *step = step.clone().ended(result);
            tracing::info!(target: "activity", "{step}");
        });
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.ended {
            self.set(Err("given up"));
        }
    }
}

impl Made {
    /// The same, and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.numbers.extend(others.numbers);
        self
    }

    /// They were taken back, all of them at once.
    pub fn undone(&self) {
        let mut undone: Vec<Step> = Vec::new();
        self.journal.change(&self.numbers, |step| {
            let done = step.outcome == Outcome::Done;
            if let Some(undo) = step.undo.as_mut().filter(|undo| done && !undo.done) {
                undo.done = true;
                undone.push(step.clone());
            }
        });
        if let Some(last) = undone.pop() {
            let others = if undone.is_empty() { String::new() } else { format!(", and {} before it", undone.len()) };
            tracing::info!(target: "activity", "{}: undone: {}{others}", last.door(), last.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_goes_from_its_beginning_to_its_undoing() {
        let journal = Journal::default();
        let watched = journal.watch();
        let begun = journal.begin(Some(Door::Local), "hold 7", Some("its end"));
        assert_eq!(journal.lines(), ["local: doing: hold 7 (undone by: its end)"]);
        let made = begun.end(&Ok::<(), String>(()));
        assert_eq!(journal.lines(), ["local: done: hold 7 (undone by: its end)"]);
        made.undone();
        assert_eq!(journal.lines(), ["local: done: hold 7 (undone: its end)"]);
        assert!(watched.has_changed().unwrap());
    }

    #[test]
    fn what_failed_or_was_given_up_is_not_taken_back() {
        let journal = Journal::default();
        journal.begin(None, "write x", Some("rm x")).end(&Err::<(), _>("disk full")).undone();
        drop(journal.begin(None, "write y", Some("rm y")));
        journal.failed(Some(Door::Local), "enter z", &"not permitted");
        let expected =
            ["failed: write x: disk full", "failed: write y: given up", "local: failed: enter z: not permitted"];
        assert_eq!(journal.lines(), expected);
    }
}

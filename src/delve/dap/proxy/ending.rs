//! How a process is let go so that it survives.
//!
//! Delve stops a process that runs by sending it a SIGTRAP. If the process is just then stopping by itself, at a breakpoint
//! that many threads pass, that signal stays pending; when Delve lets go, it is delivered, and kills. (Tried with Delve
//! 1.27.1 and a breakpoint whose condition is never met, in a server under load: of 12 processes that were let go while they
//! ran 6 died, of 12 that were paused first 5, of 12 whose breakpoints were cleared then 7.) So the process is stopped,
//! rid of its breakpoints, and run once more under Delve, which takes the signal that is pending; only then it is let go.
//! Nothing stops by itself any more by then. (Of 12, 12 lived.)

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::message::{Message, What};
use super::{Proxy, Step, Subject};

/// Files with breakpoints, at most.
const MOST_SOURCES: usize = 1024;
/// How often it is set running, should it stop again: at the end of a step, for instance.
const MOST_ROUNDS: u8 = 5;

/// How far the end has come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody wants it.
    #[default]
    Not,
    /// Waits until it is stopped.
    Stopping,
    /// Waits for the answers to these.
    Clearing(BTreeSet<i64>),
    /// Waits until it runs: for the answer to this.
    Running(i64),
    /// It runs, and Delve takes what is pending.
    Settling,
    /// Delve lets go.
    Last,
}

/// An end that was asked for.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) stage: Stage,
    rounds: u8,
    /// The editor's request, and its number. None if it has gone.
    asked: Option<(i64, String)>,
}

impl End {
    /// The editor's request, if Delve has not been asked yet.
    pub(super) fn unanswered(&mut self) -> Option<(i64, String)> {
        self.asked.take()
    }
}

/// Breakpoints, as far as it takes to clear them.
#[derive(Debug, Default)]
pub(super) struct Breakpoints {
    sources: BTreeMap<String, Value>,
    functions: bool,
    instructions: bool,
}

impl Breakpoints {
    /// Takes note of a request that sets some.
    pub(super) fn note(&mut self, message: &Message) -> Result<(), &'static str> {
        let What::Request { command } = &message.what else { return Ok(()) };
        let some = ["breakpoints", "lines"].into_iter().filter_map(|name| message.field("arguments", name)?.as_array());
        let some = some.into_iter().any(|list| !list.is_empty());
        match command.as_str() {
            "setFunctionBreakpoints" => self.functions |= some,
            "setInstructionBreakpoints" => self.instructions |= some,
            "setBreakpoints" if some => {
                if self.sources.len() >= MOST_SOURCES {
                    return Err("too many files with breakpoints");
                }
                if let Some(source) = message.field("arguments", "source") {
                    let path = source.get("path").and_then(Value::as_str).unwrap_or_default();
                    self.sources.insert(path.to_owned(), source.clone());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The requests that clear them all.
    fn cleared(self) -> Vec<Message> {
        let source = |source| Message::request("setBreakpoints", json!({ "source": source, "breakpoints": [] }));
        let mut all: Vec<_> = self.sources.into_values().map(source).collect();
        for (some, command) in
            [(self.functions, "setFunctionBreakpoints"), (self.instructions, "setInstructionBreakpoints")]
        {
            if some {
                all.push(Message::request(command, json!({ "breakpoints": [] })));
            }
        }
        all
    }
}

impl Proxy {
    /// Begins the end: at once if nothing ran, or if it is to be killed.
    pub(super) fn end(&mut self, asked: Option<(i64, String)>, kill: bool) -> Vec<Step> {
        self.end.asked = asked;
        if kill || self.terminated || !self.has_run || self.terms.subject == Subject::Core {
            return vec![self.last(kill)];
        }
        if self.runs {
            self.end.stage = Stage::Stopping;
            return vec![self.ask(None, "pause".to_owned(), Message::request("pause", json!({ "threadId": 1 })))];
        }
        self.clear()
    }

    fn clear(&mut self) -> Vec<Step> {
        let requests = std::mem::take(&mut self.breakpoints).cleared();
        if requests.is_empty() {
            return vec![self.set_running()];
        }
        let first = self.seq.0 + 1;
        let steps = requests.into_iter().map(|request| self.ask(None, "clear".to_owned(), request)).collect();
        self.end.stage = Stage::Clearing((first..=self.seq.0).collect());
        steps
    }

    fn set_running(&mut self) -> Step {
        self.end.stage = Stage::Running(self.seq.0 + 1);
        self.end.rounds += 1;
        self.runs = true;
        self.ask(None, "continue".to_owned(), Message::request("continue", json!({ "threadId": 1 })))
    }

    fn last(&mut self, kill: bool) -> Step {
        self.end.stage = Stage::Last;
        let message = Message::request("disconnect", json!({ "terminateDebuggee": kill }));
        match self.end.asked.take() {
            Some((seq, command)) => self.ask(Some(seq), command, message),
            None => self.ask(None, "disconnect".to_owned(), message),
        }
    }

    /// Delve has answered a request of ours.
    pub(super) fn answered(&mut self, seq: i64, success: bool) -> Vec<Step> {
        match &mut self.end.stage {
            // It was stopped already, or cannot be: then what comes next fails in its turn. Otherwise an event tells.
            Stage::Stopping if !success || !self.runs => self.clear(),
            Stage::Stopping => vec![Step::Settle],
            Stage::Clearing(left) => {
                left.remove(&seq);
                if left.is_empty() { vec![self.set_running()] } else { Vec::new() }
            }
            Stage::Running(asked) if *asked == seq => {
                self.end.stage = Stage::Settling;
                vec![Step::Settle]
            }
            _ => Vec::new(),
        }
    }

    /// It has stopped, while the end is under way.
    pub(super) fn has_stopped(&mut self) -> Vec<Step> {
        if self.end.stage == Stage::Stopping { self.clear() } else { Vec::new() }
    }

    /// Some time has passed since [`Step::Settle`].
    pub fn settled(&mut self) -> Vec<Step> {
        match self.end.stage {
            Stage::Stopping => self.clear(),
            Stage::Settling if !self.runs && !self.terminated && self.end.rounds < MOST_ROUNDS => {
                vec![self.set_running()]
            }
            Stage::Settling => vec![self.last(false)],
            _ => Vec::new(),
        }
    }
}

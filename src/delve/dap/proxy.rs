//! What the proxy changes, as a state machine: a message in, steps out, no I/O.
//!
//! What it knows of Delve was tried with 1.27.1, on live processes and on cores:
//!
//! - `disconnect` with `terminateDebuggee`, which editors send for their Stop button, kills a process it is attached to.
//! - A call that was injected into the process and stopped by a breakpoint kills it when Delve lets go: the thread returns
//!   to an instruction that only a debugger survives.
//! - `launch` is refused while it has a process; `restart` is answered twice, and would start one anew.
//! - Over a core `attach` with `stopOnEntry` is the only way to a selected thread.

mod attach;
mod ending;
mod refusal;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use self::attach::PathRule;
use self::ending::{Breakpoints, End, Stage};
use super::message::{Message, What};

/// Requests that Delve has not answered yet, at most. Editors have a dozen.
const MOST_PENDING: usize = 1024;

/// Requests after which it runs.
const RUNS: [&str; 7] = ["configurationDone", "continue", "next", "stepBack", "stepIn", "stepOut", "reverseContinue"];

/// What Delve has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A process that it stops and lets run.
    Live,
    /// A core: nothing in it ever runs.
    Core,
}

/// What an editor may do.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What there is to be debugged.
    pub subject: Subject,
    /// Where sources are, for editors that do not say so themselves.
    pub rules: Vec<PathRule>,
    /// Whether it may kill the process.
    pub may_kill: bool,
    /// Whether it may call functions in the process.
    pub may_call: bool,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this to Delve.
    ToDelve(Message),
    /// Send this to the editor.
    ToClient(Message),
    /// Call [`Proxy::settled`] in a moment.
    Settle,
}

impl Step {
    /// Whether it neither kills nor starts anything, if that is not allowed. For fuzzing.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        let Self::ToDelve(message) = self else { return true };
        match &message.what {
            What::Request { command } => match command.as_str() {
                "disconnect" => message.field("arguments", "terminateDebuggee") == Some(&Value::Bool(false)),
                "attach" => message.field("arguments", "mode") == Some(&json!("remote")),
                "launch" | "restart" | "terminate" | "terminateThreads" => false,
                _ => true,
            },
            What::Response { .. } | What::Event { .. } => false,
        }
    }
}

/// A request that Delve has not answered.
#[derive(Debug)]
struct Pending {
    /// The editor's number of it; none of our own.
    asked: Option<i64>,
    /// What the editor calls it.
    command: String,
}

/// The state.
#[derive(Debug)]
pub struct Proxy {
    terms: Terms,
    pending: BTreeMap<i64, Pending>,
    /// The last numbers used, to Delve and to the editor.
    seq: (i64, i64),
    breakpoints: Breakpoints,
    /// Whether the process runs, as far as Delve has said; and whether it ever did.
    runs: bool,
    has_run: bool,
    /// `configurationDone` leaves it stopped.
    stop_on_entry: bool,
    end: End,
    /// The editor was told that it is over.
    terminated: bool,
}

impl Proxy {
    /// The state before the first message.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            pending: BTreeMap::new(),
            seq: (0, 0),
            breakpoints: Breakpoints::default(),
            runs: false,
            has_run: false,
            stop_on_entry: false,
            end: End::default(),
            terminated: false,
        }
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.end.stage != Stage::Not
    }

    /// The editor has sent something.
    pub fn from_client(&mut self, message: Message) -> Vec<Step> {
        // Responses would be to requests of Delve's, of which none was handed on.
        let What::Request { command } = &message.what else { return Vec::new() };
        let (seq, command) = (message.seq, command.clone());
        match self.rewritten(&command, message) {
            Ok(message) if matches!(command.as_str(), "disconnect" | "terminate") => {
                let asked = message.field("arguments", "terminateDebuggee") == Some(&Value::Bool(true));
                let kill = self.terms.may_kill && (asked || command == "terminate");
                self.end(Some((seq, command)), kill)
            }
            Ok(message) => vec![self.ask(Some(seq), command, message)],
            Err(why) => vec![self.client(Message::refusal(&command, seq, why))],
        }
    }

    /// The request that Delve gets in its place, or why it gets none.
    fn rewritten(&mut self, command: &str, mut message: Message) -> Result<Message, &'static str> {
        if self.is_ending() {
            return Err("the session is ending");
        }
        if self.pending.len() >= MOST_PENDING {
            return Err("too many requests at once");
        }
        if let Some(why) = refusal::refused(&message, &self.terms) {
            return Err(why);
        }
        self.breakpoints.note(&message)?;
        match command {
            "initialize" => {
                // An adapter may ask an editor to start programs. This one never does.
                for name in ["supportsRunInTerminalRequest", "supportsStartDebuggingRequest"] {
                    message.set("arguments", name, false);
                }
            }
            "attach" => {
                let arguments = attach::arguments(message.rest.get("arguments"), &self.terms);
                self.stop_on_entry = arguments.get("stopOnEntry") == Some(&Value::Bool(true));
                message = Message::request(command, arguments);
            }
            _ => self.has_run |= self.sets_running(command),
        }
        Ok(message)
    }

    fn sets_running(&self, command: &str) -> bool {
        RUNS.contains(&command) && !(command == "configurationDone" && self.stop_on_entry)
    }

    /// Has Delve asked.
    fn ask(&mut self, asked: Option<i64>, command: String, mut message: Message) -> Step {
        self.seq.0 += 1;
        message.seq = self.seq.0;
        self.pending.insert(message.seq, Pending { asked, command });
        Step::ToDelve(message)
    }

    fn client(&mut self, mut message: Message) -> Step {
        self.seq.1 += 1;
        message.seq = self.seq.1;
        Step::ToClient(message)
    }

    /// Delve has sent something.
    pub fn from_delve(&mut self, mut message: Message) -> Vec<Step> {
        match &mut message.what {
            // It would have the editor start a program.
            What::Request { .. } => return Vec::new(),
            What::Response { request_seq, command, success } => {
                // It answers some requests twice.
                let Some(pending) = self.pending.remove(request_seq) else { return Vec::new() };
                // What lets it run is answered before it does.
                self.runs |= *success && self.sets_running(&pending.command);
                let Some(asked) = pending.asked else { return self.answered(*request_seq, *success) };
                *request_seq = asked;
                let initialized = *success && pending.command == "initialize";
                *command = pending.command;
                if initialized {
                    self.capable(&mut message, None);
                }
            }
            What::Event { event } => match event.as_str() {
                "stopped" => {
                    self.runs = false;
                    if self.is_ending() {
                        return self.has_stopped();
                    }
                }
                "continued" if self.is_ending() => return Vec::new(),
                "terminated" => (self.terminated, self.runs) = (true, false),
                "capabilities" => self.capable(&mut message, Some("capabilities")),
                "output" if self.terms.subject == Subject::Core => about_core(&mut message),
                _ => {}
            },
        }
        vec![self.client(message)]
    }

    /// Takes back what Delve can do and the editor may not.
    fn capable(&self, message: &mut Message, within: Option<&str>) {
        let mut all = match within {
            Some(name) => message.field("body", name).cloned(),
            None => message.rest.get("body").cloned(),
        };
        let Some(capabilities) = all.as_mut().and_then(Value::as_object_mut) else { return };
        // That it can be done is told by an event after `attach`; nothing is said where there is nothing to kill.
        for name in ["supportTerminateDebuggee", "supportsTerminateRequest"] {
            if !self.terms.may_kill && capabilities.contains_key(name) {
                capabilities.insert(name.to_owned(), false.into());
            }
        }
        if capabilities.contains_key("supportsRestartRequest") {
            capabilities.insert("supportsRestartRequest".to_owned(), false.into());
        }
        let all = all.unwrap_or_default();
        match within {
            Some(name) => message.set("body", name, all),
            None => drop(message.rest.insert("body".to_owned(), all)),
        }
    }

    /// The editor has gone, or is to go: Delve is to let the process run on.
    pub fn client_gone(&mut self) -> Vec<Step> {
        if self.is_ending() { Vec::new() } else { self.end(None, false) }
    }

    /// Delve has gone, and why. What the editor waits for is answered, and the session is over.
    pub fn delve_gone(&mut self, why: &str) -> Vec<Step> {
        let pending = std::mem::take(&mut self.pending);
        let mut steps = Vec::new();
        for Pending { asked, command, .. } in pending.into_values() {
            if let Some(asked) = asked {
                steps.push(self.client(Message::refusal(&command, asked, why)));
            }
        }
        // Whoever wants to leave is free to, whatever has come in between.
        let leaves = self.end.unanswered();
        if leaves.is_some() || !self.is_ending() {
            steps.push(self.client(Message::output(why)));
        }
        if let Some((seq, command)) = leaves {
            steps.push(self.client(Message::done(&command, seq)));
        }
        if !std::mem::replace(&mut self.terminated, true) {
            steps.push(self.client(Message::event("terminated", json!({}))));
        }
        steps
    }
}

/// Delve says of a core that it kills its process, which it cannot.
fn about_core(message: &mut Message) {
    let line = message.field("body", "output").and_then(Value::as_str).unwrap_or_default();
    if line.starts_with("Detaching") {
        message.set("body", "output", "Closing the core\n");
    }
}

#[cfg(test)]
mod tests;

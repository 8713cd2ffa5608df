//! Exit statuses, and errors that tell a person what to try.

use std::error::Error;
use std::fmt;

use crate::text::Untrusted;

/// How the program ends; the numbers are a contract (`docs/cli.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no: what was asked for is not there, or a check failed.
    No = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Not permitted; the message says what is missing and how to get it.
    NotPermitted = 3,
    /// The target was not found, is gone, or does not run.
    NoTarget = 4,
    /// The engine cannot be reached.
    Unreachable = 5,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that may reach a person.
pub trait Explain: Error {
    /// What to try, as a sentence.
    fn hint(&self) -> Option<String> {
        None
    }
    /// The status the program ends with.
    fn exit(&self) -> Exit;
}

/// What a person gets: what failed, on what and why in one line, what to try in the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What failed, on what, and why.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
    /// The status.
    pub exit: Exit,
}

impl Failure {
    /// A failure that is no other module's error.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit }
    }

    /// Adds what to try.
    #[must_use]
    pub fn try_this(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts what was being done before the message: `ls myapp:/etc: …`.
    #[must_use]
    pub fn on(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
            cause = inner.source();
        }
        Self { message, hint: error.hint(), exit: error.exit() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The message may quote what came from a container or an engine.
        write!(f, "{}", Untrusted::from(self.message.as_str()).safe())?;
        for line in self.hint.iter().flat_map(|hint| hint.lines()).take(3) {
            write!(f, "\n  {}", Untrusted::from(line).safe())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_escaped_and_short() {
        let failure = Failure::new(Exit::NoTarget, "no file \x1b[2J").on("ls").try_this("one\ntwo\nthree\nfour");
        assert_eq!(failure.to_string(), "ls: no file \\x1b[2J\n  one\n  two\n  three");
    }
}

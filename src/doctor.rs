//! Can this host do all that? Each check with what was seen, and what to do about it.

mod engine;
mod kernel;
mod rights;
mod terminal;

use serde::Serialize;

use crate::commands::Context;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// Something works less well.
    Warn,
    /// Something cannot work.
    Fail,
    /// Good to know.
    Info,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, where something should be done.
    pub fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, seen: seen.into(), fix: None }
    }

    fn info(name: &'static str, seen: impl Into<String>) -> Self {
        Self { verdict: Verdict::Info, ..Self::ok(name, seen) }
    }

    fn warn(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn, seen: seen.into(), fix: Some(fix.into()) }
    }

    fn fail(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(name, seen, fix) }
    }
}

/// Runs every check.
pub async fn checks(context: &Context) -> Vec<Check> {
    let mut checks = kernel::checks();
    checks.extend(rights::checks());
    checks.push(rights::entering(context).await);
    checks.push(engine::answers(context).await);
    checks.extend(terminal::checks());
    checks
}

//! Can this host do all that? Each check with what was seen, and what to do about it.

mod calls;
mod capabilities;
mod cgroups;
mod clipboard;
mod confinement;
mod debugger;
mod doors;
mod engine;
mod kernel;
mod podman;
mod standing;
mod terminal;
mod users;

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

/// Runs every check. None of them changes anything, and none may take long: programs and engines have a deadline.
pub async fn checks(context: &Context) -> Vec<Check> {
    let standing = standing::check(context);
    let engine = engine::Engine::ask(context).await;
    let sidecar = engine.sidecar();
    let effective = capabilities::effective();
    let tried = doors::try_ourselves(context).await;
    let rights = effective.as_ref().is_ok_and(|effective| capabilities::enough(*effective));
    let ways = doors::open(rights, tried.is_ok(), &engine);
    let answers = engine.answers;

    let mut checks = vec![kernel::version(), standing];
    checks.extend(calls::checks(rights));
    checks.extend([kernel::programs_in_memory(), kernel::filters(), cgroups::check()]);
    checks.push(capabilities::check(&effective, sidecar));
    checks.extend(confinement::checks());
    checks.push(users::check());
    checks.push(doors::entering(&tried, sidecar));
    checks.extend(engine.checks);
    checks.push(ways);
    checks.push(podman::check(answers).await);
    checks.push(debugger::check().await);
    checks.push(clipboard::check().await);
    checks.extend(terminal::checks());
    checks
}

/// A setting of the kernel, which is one line.
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

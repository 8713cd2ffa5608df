//! The ways in: each tried as far as that changes nothing, and what is left of them.

use super::Check;
use super::engine::{Engine, Place};
use crate::commands::Context;
use crate::entry::{self, Access};
use crate::exit::Failure;
use crate::target::{HostPid, Target};

/// The whole way in, tried on ourselves: the memory file, the filter, the first word of the helper. As whom it answered.
pub async fn try_ourselves(context: &Context) -> Result<String, Failure> {
    let target = Target::Process(HostPid(std::process::id().cast_signed()));
    let entered = entry::enter(context.broker(), None, &target, &Access::default(), &context.journal).await?;
    match entered.shim.stat(b"/", true).await {
        Ok(_) => Ok(entered.plan.identity()),
        Err(error) => Err(Failure::new(crate::exit::Exit::No, format!("a helper started but did not answer: {error}"))
            .try_this("this is a bug; please report it")),
    }
}

/// How that went. A sidecar takes none of it.
pub fn entering(tried: &Result<String, Failure>, sidecar: bool) -> Check {
    const NAME: &str = "entering";
    match tried {
        Ok(identity) => Check::ok(NAME, format!("a helper started on this host and answered, as {identity}")),
        Err(failure) => {
            let fix = failure.hint.clone().unwrap_or_else(|| "see the step that failed".to_owned());
            let check = Check::fail(NAME, failure.message.clone(), fix);
            if sidecar { Check { verdict: super::Verdict::Warn, ..check } } else { check }
        }
    }
}

/// What can be looked into, all in all.
pub fn open(rights: bool, helper: bool, engine: &Engine) -> Check {
    const NAME: &str = "ways in";
    let local = rights && helper && engine.place != Place::Elsewhere;
    match (local, engine.sidecar()) {
        (true, true) => Check::ok(NAME, "local, and sidecar: every container of the engine can be looked into"),
        (true, false) if engine.answers => {
            Check::ok(NAME, "local: containers on this host can be looked into; no sidecars")
        }
        (true, false) => Check::ok(NAME, "local: processes of this host can be looked into (pid://N)"),
        (false, true) if engine.place == Place::Elsewhere => {
            Check::ok(NAME, "sidecar: every container of the engine can be looked into, but not written to")
        }
        (false, true) => Check::ok(
            NAME,
            "sidecar: every container of the engine can be looked into, but not written to (cp --write takes sudo)",
        ),
        (false, false) if !rights && engine.place != Place::Elsewhere => Check::fail(
            NAME,
            "none: rights are missing, and no sidecar can be made; at most processes of your own (pid://N)",
            "sudo scratchdbg …, or join the group that may use the engine (`sudo usermod -aG docker $USER`, log in again)",
        ),
        (false, false) => Check::fail(NAME, "none", "see the failures and warnings above"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn one_way_in_is_enough() {
        use Place::{Elsewhere, Here, Untold};
        for (rights, helper, answers, orders, place, verdict, words) in [
            (true, true, true, Some(true), Here, Verdict::Ok, "local, and sidecar"),
            (true, true, true, Some(false), Untold, Verdict::Ok, "no sidecars"),
            (true, true, false, None, Untold, Verdict::Ok, "pid://N"),
            // Not root, and no failure.
            (false, true, true, Some(true), Here, Verdict::Ok, "cp --write takes sudo"),
            // Root helps nothing where the processes are not.
            (true, true, true, Some(true), Elsewhere, Verdict::Ok, "sidecar: every"),
            (true, true, true, Some(false), Elsewhere, Verdict::Fail, "none"),
            (false, true, true, Some(false), Here, Verdict::Fail, "rights are missing"),
            (false, true, false, None, Untold, Verdict::Fail, "rights are missing"),
            (true, false, false, None, Untold, Verdict::Fail, "none"),
            (true, false, true, Some(true), Here, Verdict::Ok, "sidecar"),
        ] {
            let engine = Engine { answers, orders, place, ..Engine::default() };
            let check = open(rights, helper, &engine);
            assert!(check.verdict == verdict && check.seen.contains(words), "{check:?}");
        }
    }

    #[test]
    fn a_helper_that_does_not_start_is_a_failure_only_without_sidecars() {
        let refused = || Err(Failure::new(crate::exit::Exit::No, "memfd_create: EPERM"));
        assert_eq!(entering(&refused(), false).verdict, Verdict::Fail);
        assert_eq!(entering(&refused(), true).verdict, Verdict::Warn);
        assert_eq!(entering(&Ok("0:0".to_owned()), false).verdict, Verdict::Ok);
    }
}

//! What this process may do, and who may forbid it.

use super::Check;
use crate::commands::Context;
use crate::entry::plan::Capability;
use crate::entry::{self, Access};
use crate::target::{HostPid, Target};

pub fn checks() -> Vec<Check> {
    vec![capabilities(), yama(), security_modules(), user_namespaces()]
}

fn capabilities() -> Check {
    const NAME: &str = "capabilities";
    let effective = match caps::read(None, caps::CapSet::Effective) {
        Ok(effective) => effective,
        Err(error) => return Check::fail(NAME, format!("cannot be read: {error}"), "is /proc mounted?"),
    };
    let bits = effective.iter().fold(0, |bits, capability| bits | capability.bitmask());
    let missing: Vec<_> =
        Capability::ALL.iter().filter(|need| bits & need.bit() == 0).map(ToString::to_string).collect();
    if missing.is_empty() {
        Check::ok(NAME, "all that entering a container takes")
    } else {
        Check::warn(
            NAME,
            format!("missing {}", missing.join(", ")),
            "containers can be listed and their logs read; to look inside, use sudo",
        )
    }
}

fn yama() -> Check {
    const NAME: &str = "yama";
    match std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").as_deref().map(str::trim) {
        Ok("3") => Check::warn(
            NAME,
            "ptrace_scope is 3: nobody may attach to processes until the next boot",
            "looking works; a debugger will not, unless the host boots with another setting",
        ),
        Ok(value) => Check::ok(NAME, format!("ptrace_scope is {value}; looking does not attach")),
        Err(_) => Check::ok(NAME, "not active"),
    }
}

fn security_modules() -> Check {
    match std::fs::read_to_string("/sys/kernel/security/lsm") {
        Ok(modules) => Check::info("security modules", format!("active: {}", modules.trim())),
        Err(_) => Check::info("security modules", "not told (securityfs is not mounted)"),
    }
}

fn user_namespaces() -> Check {
    match std::fs::read_to_string("/proc/sys/user/max_user_namespaces").as_deref().map(str::trim) {
        Ok("0") => Check::info("user namespaces", "switched off on this host"),
        Ok(_) => Check::info("user namespaces", "available; targets in one can be entered"),
        Err(_) => Check::info("user namespaces", "not known to this kernel"),
    }
}

/// The whole way in, tried on ourselves: the memory file, the filter, the first word of the helper.
pub async fn entering(context: &Context) -> Check {
    const NAME: &str = "entering";
    let target = Target::Process(HostPid(std::process::id().cast_signed()));
    match entry::enter(context.broker(), None, &target, &Access::default()).await {
        Ok(entered) => match entered.shim.stat(b"/", true).await {
            Ok(_) => Check::ok(NAME, format!("a helper started and answered, as {}", entered.plan.identity())),
            Err(error) => Check::fail(
                NAME,
                format!("a helper started but did not answer: {error}"),
                "this is a bug; please report it",
            ),
        },
        Err(error) => {
            let failure = crate::exit::Failure::from(error);
            let fix = failure.hint.unwrap_or_else(|| "see the step that failed".to_owned());
            Check::fail(NAME, failure.message, fix)
        }
    }
}

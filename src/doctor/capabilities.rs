//! What this process may do, by name.

use super::Check;
use crate::entry::plan::{Capability, Purpose};

/// What each is for, in the order of the steps of the way in. Dropping the others for good has no purpose of a plan.
const STEPS: [(Capability, &str); 8] = [
    (Capability::SysPtrace, Purpose::Look.words()),
    (Capability::SysAdmin, Purpose::Join.words()),
    (Capability::SysChroot, Purpose::Root.words()),
    (Capability::SetGid, Purpose::Group.words()),
    (Capability::SetUid, Purpose::User.words()),
    (Capability::DacReadSearch, Purpose::ReadAll.words()),
    (Capability::Kill, "to debug it live"),
    (Capability::SetPcap, "to drop the others for good"),
];

/// What entering a container of this host takes at least. Without the others `--as root` is refused, or rights that are not
/// there need not be dropped.
const NEEDED: u64 = Capability::SysPtrace.bit()
    | Capability::SysAdmin.bit()
    | Capability::SysChroot.bit()
    | Capability::SetGid.bit()
    | Capability::SetUid.bit();

/// The effective set, as bits.
pub fn effective() -> Result<u64, String> {
    let effective = caps::read(None, caps::CapSet::Effective).map_err(|error| error.to_string())?;
    Ok(effective.iter().fold(0, |bits, capability| bits | capability.bitmask()))
}

/// Whether containers of this host can be entered with these.
pub fn enough(effective: u64) -> bool {
    effective & NEEDED == NEEDED
}

/// Judges what there is. Without them a sidecar does, if there can be one.
pub fn check(effective: &Result<u64, String>, sidecar: bool) -> Check {
    const NAME: &str = "capabilities";
    let effective = match effective {
        Ok(effective) => *effective,
        Err(error) => return Check::warn(NAME, format!("cannot be read: {error}"), "is /proc mounted?"),
    };
    let list = |there: bool| {
        let these = STEPS.iter().filter(|(one, _)| (effective & one.bit() != 0) == there);
        these.map(|(one, step)| format!("{one} {step}")).collect::<Vec<_>>().join(", ")
    };
    let missing = list(false);
    if missing.is_empty() {
        return Check::ok(NAME, format!("all that the local door takes: {}", list(true)));
    }
    let seen = format!("missing {missing}");
    let sudo = "sudo scratchdbg …, or capabilities for it";
    match (enough(effective), sidecar) {
        (true, _) => {
            Check::warn(NAME, seen, "sudo scratchdbg …; without it --as root, or dropping rights, does not work")
        }
        (false, true) => Check::info(NAME, format!("{seen}; the sidecar door needs none")),
        (false, false) => Check::warn(NAME, seen, sudo),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn what_is_missing_is_told_with_its_step() {
        let all = Capability::ALL.iter().fold(0, |bits, one| bits | one.bit());
        let read_all = Capability::DacReadSearch.bit();
        for (effective, sidecar, verdict, words) in [
            (Ok(all), false, Verdict::Ok, "CAP_SYS_ADMIN to join its namespaces"),
            (Ok(u64::MAX), true, Verdict::Ok, "all"),
            (Ok(0), true, Verdict::Info, "the sidecar door needs none"),
            (Ok(0), false, Verdict::Warn, "missing CAP_SYS_PTRACE to look at its process, CAP_SYS_ADMIN"),
            (Ok(all & !read_all), true, Verdict::Warn, "missing CAP_DAC_READ_SEARCH to read every file"),
            (Ok(read_all), true, Verdict::Info, "CAP_SYS_CHROOT to see its root directory"),
            (Err("EIO".to_owned()), true, Verdict::Warn, "EIO"),
        ] {
            let check = check(&effective, sidecar);
            assert!(check.verdict == verdict && check.seen.contains(words), "{check:?}");
        }
        assert!(Capability::ALL.iter().all(|one| STEPS.iter().any(|(step, _)| step == one)));
        assert!(enough(all) && enough(all & !read_all) && !enough(read_all));
    }
}

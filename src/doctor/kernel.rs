//! What else the kernel must allow: programs in memory, and filters.

use std::io::Write as _;
use std::os::fd::AsFd as _;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};

use super::{Check, read};

/// Which kernel it is.
pub fn version() -> Check {
    let name = rustix::system::uname();
    let (release, machine) = (name.release().to_string_lossy(), name.machine().to_string_lossy());
    Check::info("kernel", format!("Linux {release} on {machine}"))
}

/// Whether the helper can be made.
pub fn programs_in_memory() -> Check {
    memory(sealed().map_err(|error| error.to_string()), read("/proc/sys/vm/memfd_noexec").as_deref())
}

/// Makes a memory file as that of the helper is made, and drops it. `true` if it may be marked as a program, which Linux
/// can since 6.3.
fn sealed() -> std::io::Result<bool> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let marked = memfd_create("scratchdbg-doctor", flags | MemfdFlags::EXEC);
    let knows = marked.is_ok();
    let mut file = std::fs::File::from(marked.or_else(|_| memfd_create("scratchdbg-doctor", flags))?);
    file.write_all(b"x")?;
    fcntl_add_seals(file.as_fd(), SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    let sealed = fcntl_get_seals(file.as_fd())?.contains(SealFlags::WRITE);
    if sealed { Ok(knows) } else { Err(std::io::Error::other("it took no seal")) }
}

fn memory(sealed: Result<bool, String>, noexec: Option<&str>) -> Check {
    const NAME: &str = "programs in memory";
    match (sealed, noexec) {
        (Err(error), _) => Check::warn(
            NAME,
            format!("no sealed memory file can be made: {error}; the local door needs one"),
            "Linux 3.17 or newer can; a sandbox may forbid it",
        ),
        (Ok(_), Some("2")) => Check::warn(
            NAME,
            "vm.memfd_noexec is 2: they are forbidden; the local door needs one",
            "sudo sysctl vm.memfd_noexec=1",
        ),
        (Ok(marked), noexec) => {
            let marked = if marked { "sealed and marked as programs" } else { "sealed" };
            let noexec = noexec.map_or_else(String::new, |value| format!(" (vm.memfd_noexec is {value})"));
            Check::ok(NAME, format!("memory files can be {marked}{noexec}"))
        }
    }
}

/// Whether the helper can be kept to its calls.
pub fn filters() -> Check {
    seccomp(read("/proc/sys/kernel/seccomp/actions_avail").as_deref())
}

fn seccomp(actions: Option<&str>) -> Check {
    const NAME: &str = "system call filters";
    match actions {
        Some(actions) if actions.split_whitespace().any(|action| action == "kill_process") => {
            Check::ok(NAME, "seccomp filters work, and can kill")
        }
        Some(actions) => Check::warn(
            NAME,
            format!("seccomp knows only {actions}; the local door needs kill_process"),
            "Linux 4.14 or newer knows it",
        ),
        None => Check::warn(
            NAME,
            "seccomp does not say what it can; the local door needs it",
            "needs a kernel with CONFIG_SECCOMP_FILTER, and /proc/sys",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn memory_files() {
        for (sealed, noexec, verdict, words) in [
            (Ok(true), None, Verdict::Ok, "sealed and marked"),
            (Ok(false), None, Verdict::Ok, "can be sealed"),
            (Ok(true), Some("1"), Verdict::Ok, "is 1"),
            (Ok(true), Some("2"), Verdict::Warn, "forbidden"),
            (Err("EPERM".to_owned()), None, Verdict::Warn, "EPERM"),
        ] {
            let check = memory(sealed, noexec);
            assert!(check.verdict == verdict && check.seen.contains(words), "{check:?}");
        }
        assert!(sealed().is_ok());
    }

    #[test]
    fn filters_that_can_kill() {
        for (actions, verdict) in [
            (Some("kill_process kill_thread trap errno user_notif trace log allow"), Verdict::Ok),
            (Some("kill trap errno trace allow"), Verdict::Warn),
            (None, Verdict::Warn),
        ] {
            assert_eq!(seccomp(actions).verdict, verdict, "{actions:?}");
        }
    }
}

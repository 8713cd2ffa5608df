//! What the kernel must know, asked of the kernel itself: a version number promises nothing.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::process::{PidfdFlags, pidfd_open};

use super::Check;

const NEWER: &str = "needs Linux 5.10 or newer";

pub fn checks() -> Vec<Check> {
    vec![version(), pidfd(), openat2_known(), locked_view(), programs_in_memory(), filters(), cgroups()]
}

fn version() -> Check {
    let name = rustix::system::uname();
    Check::info("kernel", format!("Linux {}", name.release().to_string_lossy()))
}

fn pidfd() -> Check {
    match pidfd_open(rustix::process::getpid(), PidfdFlags::empty()) {
        Ok(_) => Check::ok("pidfd", "processes can be held by descriptor"),
        Err(error) => Check::fail("pidfd", format!("pidfd_open: {error}"), NEWER),
    }
}

fn openat2_known() -> Check {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    match openat2(CWD, "/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve) {
        Ok(_) => Check::ok("openat2", "paths can be held inside a root"),
        Err(error) => Check::fail("openat2", format!("openat2: {error}"), NEWER),
    }
}

fn locked_view() -> Check {
    // A path that is not there: the call is known or not, and changes nothing either way.
    match crate::sys::lock_view(c"/proc/self/no-such-file") {
        Err(nix::errno::Errno::ENOSYS) => Check::warn(
            "read-only view",
            "mount_setattr is not known",
            "Linux 5.12 or newer adds a read-only view of the target's files; without it only our own restraint protects them",
        ),
        _ => Check::ok("read-only view", "mount_setattr is known: what we see of a target is locked"),
    }
}

fn programs_in_memory() -> Check {
    const NAME: &str = "programs in memory";
    match std::fs::read_to_string("/proc/sys/vm/memfd_noexec").as_deref().map(str::trim) {
        Ok("2") => Check::fail(NAME, "vm.memfd_noexec is 2: they are forbidden", "sysctl vm.memfd_noexec=1"),
        Ok(value) => Check::ok(NAME, format!("vm.memfd_noexec is {value}")),
        Err(_) => Check::ok(NAME, "allowed (this kernel has no vm.memfd_noexec)"),
    }
}

fn filters() -> Check {
    const NAME: &str = "system call filters";
    match std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail") {
        Ok(actions) if actions.contains("kill_process") => Check::ok(NAME, "seccomp filters work"),
        Ok(actions) => Check::fail(NAME, format!("seccomp knows only {}", actions.trim()), NEWER),
        Err(error) => Check::fail(NAME, format!("seccomp: {error}"), "needs a kernel with CONFIG_SECCOMP_FILTER"),
    }
}

fn cgroups() -> Check {
    let seen = match rustix::fs::statfs("/sys/fs/cgroup") {
        // CGROUP2_SUPER_MAGIC (statfs(2)).
        Ok(found) if found.f_type == 0x6367_7270 => "version 2",
        Ok(_) => "version 1",
        Err(_) => "not mounted",
    };
    Check::info("cgroups", format!("{seen}; none of a target's is ever joined"))
}

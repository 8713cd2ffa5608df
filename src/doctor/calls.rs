//! Kernel calls, each asked of the kernel itself: a version number promises nothing, and a sandbox may forbid what the
//! kernel knows.

use std::io::IoSliceMut;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::thread;

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use super::Check;

/// A call, and what it is for.
struct Call {
    /// Its check.
    name: &'static str,
    /// In the words of its page of the manual.
    words: &'static str,
    /// What it makes possible.
    gives: &'static str,
    /// Whether only who has rights may ask for it.
    privileged: bool,
    /// What is lost without it, and whether that is the local door.
    lost: Loss,
    /// Where it came in.
    since: &'static str,
    /// Asks for it. Changes nothing.
    ask: fn() -> Result<(), Errno>,
}

/// What is lost without a call.
#[derive(Clone, Copy)]
enum Loss {
    /// The local door.
    Door,
    /// Something less.
    Less(&'static str),
    /// Nothing yet.
    Nothing,
}

const CALLS: [Call; 7] = [
    Call {
        name: "pidfd",
        words: "pidfd_open",
        gives: "processes can be held by descriptor",
        privileged: false,
        lost: Loss::Door,
        since: "5.3",
        ask: || pidfd_open(getpid(), PidfdFlags::empty()).map(drop).map_err(errno),
    },
    Call {
        name: "setns by pidfd",
        words: "setns with a pidfd",
        gives: "all namespaces of a process can be joined in one step",
        privileged: true,
        lost: Loss::Door,
        since: "5.8",
        ask: join_own,
    },
    Call {
        name: "openat2",
        words: "openat2",
        gives: "paths can be held inside a root",
        privileged: false,
        lost: Loss::Door,
        since: "5.6",
        ask: || {
            let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
            openat2(CWD, "/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve).map(drop).map_err(errno)
        },
    },
    Call {
        name: "close_range",
        words: "close_range",
        gives: "the helper gets no descriptor but its own",
        privileged: false,
        lost: Loss::Door,
        since: "5.9",
        // A number that no descriptor can have: fs.nr_open is far below.
        ask: || crate::sys::close_from(i32::MAX),
    },
    Call {
        name: "read-only view",
        words: "mount_setattr",
        gives: "what we see of a target is locked",
        privileged: true,
        lost: Loss::Less("only our own restraint protects the target's files from being written"),
        since: "5.12",
        // A path that is not there: the call is known or not, and changes nothing either way.
        ask: || match crate::sys::lock_view(c"/proc/self/no-such-file") {
            Err(Errno::ENOENT) => Ok(()),
            other => other,
        },
    },
    Call {
        name: "process_vm_readv",
        words: "process_vm_readv",
        gives: "memory can be read without stopping a process",
        privileged: false,
        lost: Loss::Nothing,
        since: "3.2",
        ask: read_own,
    },
    Call {
        name: "pidfd_getfd",
        words: "pidfd_getfd",
        gives: "a descriptor can be had from another process",
        privileged: false,
        lost: Loss::Nothing,
        since: "5.6",
        ask: || {
            let (own, some) = (pidfd_open(getpid(), PidfdFlags::empty()), std::fs::File::open("/"));
            let (Ok(own), Ok(some)) = (own, some) else { return Err(Errno::ENOSYS) };
            pidfd_getfd(own, some.as_raw_fd(), PidfdGetfdFlags::empty()).map(drop).map_err(errno)
        },
    },
];

/// Asks for each. `rights`: whether this process may join namespaces and mount.
pub fn checks(rights: bool) -> Vec<Check> {
    CALLS.iter().map(|call| judge(call, (call.ask)(), rights)).collect()
}

fn judge(call: &Call, answer: Result<(), Errno>, rights: bool) -> Check {
    let Call { name, words: call, gives, privileged, lost, since, .. } = call;
    let reason = match answer {
        Ok(()) if matches!(lost, Loss::Nothing) => {
            return Check::info(name, format!("{call} works: {gives}; no command needs it yet"));
        }
        Ok(()) => return Check::ok(name, format!("{call} works: {gives}")),
        // Asked without the rights for it, which is another check's to tell.
        Err(Errno::EPERM) if *privileged && !rights => {
            return Check::info(name, format!("{call} is refused to this user, so whether it works is not told"));
        }
        Err(errno) => errno,
    };
    // setns(2) does not say ENOSYS of a descriptor it does not know.
    let unknown = reason == Errno::ENOSYS || (*name == "setns by pidfd" && reason == Errno::EINVAL);
    let (seen, fix) = if unknown {
        (format!("{call} is not known to this kernel"), format!("Linux {since} or newer knows it"))
    } else {
        let fix =
            "something forbids it: a sandbox, a container we are in, or a system call filter; run it outside of that";
        (format!("{call} is refused: {}", reason.desc()), fix.to_owned())
    };
    match lost {
        Loss::Door => Check::warn(name, format!("{seen}; the local door needs it"), fix),
        Loss::Less(less) => Check::warn(name, format!("{seen}; {less}"), fix),
        Loss::Nothing => Check::info(name, format!("{seen}; no command needs it yet")),
    }
}

/// Joins a namespace that we are in, in a thread that ends with it: nothing is any different afterwards.
fn join_own() -> Result<(), Errno> {
    let own = pidfd_open(getpid(), PidfdFlags::empty()).map_err(errno)?;
    let joining = thread::spawn(move || crate::sys::join(own.as_fd(), libc::CLONE_NEWUTS));
    joining.join().unwrap_or(Err(Errno::UnknownErrno))
}

/// Reads a byte of our own memory by way of the kernel.
fn read_own() -> Result<(), Errno> {
    let from = [7_u8];
    let mut to = [0_u8];
    let remote = RemoteIoVec { base: from.as_ptr().addr(), len: from.len() };
    process_vm_readv(nix::unistd::getpid(), &mut [IoSliceMut::new(&mut to)], &[remote])?;
    if to == from { Ok(()) } else { Err(Errno::EIO) }
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn an_answer_is_judged_by_what_is_lost_without_it() {
        for (name, answer, rights, verdict, words) in [
            ("pidfd", Ok(()), false, Verdict::Ok, "held by descriptor"),
            ("pidfd", Err(Errno::ENOSYS), true, Verdict::Warn, "not known to this kernel; the local door needs it"),
            ("openat2", Err(Errno::EPERM), false, Verdict::Warn, "refused"),
            ("setns by pidfd", Err(Errno::EPERM), false, Verdict::Info, "refused to this user"),
            // In a sandbox.
            ("setns by pidfd", Err(Errno::EPERM), true, Verdict::Warn, "refused: Operation not permitted"),
            ("setns by pidfd", Err(Errno::EINVAL), true, Verdict::Warn, "not known to this kernel"),
            ("setns by pidfd", Ok(()), true, Verdict::Ok, "one step"),
            ("close_range", Err(Errno::ENOSYS), true, Verdict::Warn, "the local door"),
            ("read-only view", Err(Errno::ENOSYS), true, Verdict::Warn, "only our own restraint"),
            ("read-only view", Err(Errno::EPERM), false, Verdict::Info, "refused to this user"),
            ("process_vm_readv", Err(Errno::EPERM), true, Verdict::Info, "no command needs it yet"),
            ("pidfd_getfd", Ok(()), false, Verdict::Info, "no command needs it yet"),
        ] {
            let call = CALLS.iter().find(|call| call.name == name).unwrap();
            let check = judge(call, answer, rights);
            assert!(check.verdict == verdict && check.seen.contains(words), "{name} {answer:?}: {check:?}");
            assert_eq!(check.fix.is_some(), verdict == Verdict::Warn, "{check:?}");
        }
    }

    #[test]
    fn asking_changes_nothing() {
        let look = || {
            let links = |dir: &str| {
                let names = std::fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path());
                names.filter_map(|path| std::fs::read_link(path).ok()).collect::<std::collections::BTreeSet<_>>()
            };
            (links("/proc/self/ns"), std::fs::read_to_string("/proc/self/mountinfo").unwrap())
        };
        let before = look();
        assert_eq!(checks(true).len(), CALLS.len());
        assert_eq!(look(), before);
    }
}

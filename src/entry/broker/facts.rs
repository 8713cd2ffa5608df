//! What `/proc` tells of a target and of us: the input of the plan.

use std::os::fd::{AsFd as _, OwnedFd};

use nix::errno::Errno;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxAttributes, StatxFlags, openat, statat, statx};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::message::{Refusal, Step};
use super::{errno, stopped};
use crate::entry::plan::{Facts, IdMap, Namespace};
use crate::entry::status::Status;
use crate::entry::yama;

/// Bytes read of a file of `/proc` at most.
const MAX: usize = 64 << 10;

/// A target that is held: it may end, but its number cannot come to mean another process.
pub struct Held {
    /// Its pidfd.
    pub pidfd: OwnedFd,
    /// Its root directory, as a path handle.
    pub root: Option<OwnedFd>,
    /// Its number in its own pid namespace.
    pub inside: i32,
}

/// Holds the process and reads who it is.
pub fn gather(pid: i32) -> Result<(Held, Facts), Refusal> {
    // rustix takes no negative number, and 0 would mean ourselves.
    let pid = Some(pid).filter(|&pid| pid > 0).and_then(Pid::from_raw).ok_or(Refusal::Gone)?;
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        // EINVAL: a thread's id, which is no process.
        Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => return Err(Refusal::Gone),
        Err(error) => return Err(stopped(Step::Pidfd, errno(error))),
    };
    let fail = |error| match error {
        rustix::io::Errno::SRCH | rustix::io::Errno::NOENT => Refusal::Gone,
        error => stopped(Step::Facts, errno(error)),
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = openat(CWD, format!("/proc/{}", pid.as_raw_nonzero()), flags, Mode::empty()).map_err(fail)?;
    // The number could have been given to another process between the two calls above; if the
    // one held is alive now, it was alive then, and the directory is its.
    let alive = |held: &OwnedFd| -> Result<(), Refusal> {
        let mut fds = [PollFd::new(held, PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut fds, Some(&now)) {
            Ok(0) => Ok(()),
            _ => Err(Refusal::Gone),
        }
    };
    alive(&pidfd)?;

    let status = status(&proc).map_err(fail)?;
    let ours = self::status(&openat(CWD, "/proc/self", flags, Mode::empty()).map_err(fail)?).map_err(fail)?;
    let root = openat(&proc, "root", flags, Mode::empty()).ok();
    let differing = differing(&proc);
    let user = differing.contains(&Namespace::User);
    let map = |name| if user { IdMap::parse(&read(&proc, name).unwrap_or_default()) } else { IdMap::default() };
    let owner = statat(&proc, "status", AtFlags::empty()).map_err(fail)?;
    let facts = Facts {
        other_root: root.as_ref().is_some_and(is_other_root),
        root_is_mount: root.as_ref().is_some_and(is_mount),
        target_permitted: status.permitted,
        // The kernel gives a non-dumpable process's files in /proc to root (proc(5)).
        target_dumpable: owner.st_uid == status.effective_uid,
        uid_map: map("uid_map"),
        gid_map: map("gid_map"),
        setgroups: !user || read(&proc, "setgroups").is_ok_and(|text| text.starts_with(b"allow")),
        target: status.ids,
        ours: ours.ids,
        our_effective: ours.effective,
        restricted: yama::is_restricted(std::fs::read(yama::SCOPE).ok().as_deref()),
        differing,
    };
    alive(&pidfd)?;
    Ok((Held { pidfd, root, inside: status.inside }, facts))
}

/// Namespaces of the target that are not ours. One that cannot be looked at counts as another: then what is
/// missing to enter it gets told.
fn differing(proc: &OwnedFd) -> Vec<Namespace> {
    let differs = |namespace: &Namespace| {
        let ours = statat(CWD, format!("/proc/self/ns/{}", namespace.name()), AtFlags::empty());
        let theirs = statat(proc, format!("ns/{}", namespace.name()), AtFlags::empty());
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => (ours.st_dev, ours.st_ino) != (theirs.st_dev, theirs.st_ino),
            // A kernel without this kind of namespace.
            (Err(_), _) => false,
            (Ok(_), Err(_)) => true,
        }
    };
    Namespace::ALL.into_iter().filter(differs).collect()
}

fn is_other_root(root: &OwnedFd) -> bool {
    match (statat(root, "", AtFlags::EMPTY_PATH), statat(CWD, "/", AtFlags::empty())) {
        (Ok(theirs), Ok(ours)) => (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino),
        _ => true,
    }
}

fn is_mount(root: &OwnedFd) -> bool {
    let root = statx(root.as_fd(), "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS);
    // STATX_ATTR_MOUNT_ROOT is there since Linux 5.8, as setns(2) by pidfd is.
    root.is_ok_and(|root| root.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

fn status(proc: &OwnedFd) -> rustix::io::Result<Status> {
    Status::parse(&read(proc, "status")?).ok_or(rustix::io::Errno::from_raw_os_error(Errno::EPROTO as i32))
}

fn read(proc: &OwnedFd, name: &str) -> rustix::io::Result<Vec<u8>> {
    let file = openat(proc, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = vec![0; MAX];
    let mut filled = 0;
    while filled < MAX {
        match rustix::io::read(&file, &mut bytes[filled..])? {
            0 => break,
            got => filled += got,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_a_target_that_differs_in_nothing() {
        let pid = std::process::id().cast_signed();
        let (_, facts) = gather(pid).unwrap();
        assert_eq!((facts.differing, facts.other_root), (vec![], false));
        assert_eq!(facts.target, facts.ours);
    }

    #[test]
    fn a_process_that_is_not_there_is_gone() {
        for pid in [0, -1, i32::MAX] {
            assert_eq!(gather(pid).err(), Some(Refusal::Gone), "{pid}");
        }
    }
}

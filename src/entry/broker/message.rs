//! What the two halves say to each other: one packet a message, at most one descriptor with it.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::corefile::Order;
use crate::delve::guard;
use crate::entry::Access;
use crate::entry::plan::{NoPlan, Plan};

/// The largest message in bytes. The largest there is lists 65,536 supplementary groups, which nobody has.
const MAX: usize = 64 << 10;

/// What the unprivileged half asks.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Start a worker in the namespaces of this process.
    Enter {
        /// The process, in the host's pid namespace.
        pid: i32,
        /// How.
        access: Access,
    },
    /// Say how this process would be entered, and do nothing.
    Plan {
        /// The process, in the host's pid namespace.
        pid: i32,
        /// How.
        access: Access,
    },
    /// Take a core of a process, into the file that comes along. Without one, say what there is to be taken.
    Snapshot(Order),
    /// Start Delve on a process, and a guard over both. Delve's program comes along.
    Guard(guard::Order),
    /// End a worker that does not answer.
    End {
        /// As given by [`Answer::Entered`].
        worker: u32,
    },
}

/// What the broker answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// A worker runs; the connection to it comes along.
    Entered {
        /// Its number, for [`Ask::End`].
        worker: u32,
        /// The target's number in its own pid namespace.
        inside: i32,
        /// How it was done.
        plan: Plan,
        /// The steps that were done, in order.
        done: Vec<Step>,
    },
    /// A worker takes the core; what it tells over comes along.
    Taking {
        /// Its number, for [`Ask::End`].
        worker: u32,
    },
    /// A guard runs; the link to it comes along.
    Guarding,
    /// How it would be done.
    Planned(Plan),
    /// It could not be done.
    Refused {
        /// Why not.
        refusal: Refusal,
        /// How it was tried, if it came to that.
        plan: Option<Plan>,
        /// The steps that were done before, in order.
        done: Vec<Step>,
    },
    /// The worker has been told to end.
    Ended,
}

/// Why the broker did not start a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// There is no such process, or it has ended.
    Gone,
    /// There is no way with the rights there are.
    NoPlan(NoPlan),
    /// A step failed.
    Stopped(Stopped),
}

/// Which step failed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The step.
    pub step: Step,
    /// errno(3).
    pub errno: i32,
}

/// The steps of entering, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Putting the shim into a sealed memfd.
    Program,
    /// Holding the process by a pidfd.
    Pidfd,
    /// Reading who it is.
    Facts,
    /// Making the connection.
    Socket,
    /// Forking.
    Fork,
    /// Tying the worker's life to the broker's.
    Tie,
    /// Dropping what is not needed on the way in.
    Lower,
    /// Joining the namespaces.
    Join,
    /// Changing the root directory.
    Root,
    /// Making the view read-only.
    View,
    /// Becoming the target's user.
    User,
    /// Dropping the last capabilities.
    Drop,
    /// Leaving only three descriptors.
    Descriptors,
    /// Installing the system call filter.
    Filter,
    /// Starting the shim.
    Exec,
}

impl Step {
    /// What was being done, for a person.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Program => "putting the helper into a sealed memory file",
            Self::Pidfd => "holding the process by a pidfd",
            Self::Facts => "reading the process's identity from /proc",
            Self::Socket => "making the connection",
            Self::Fork => "starting the worker",
            Self::Tie => "tying the worker's life to ours",
            Self::Lower => "dropping rights that are not needed",
            Self::Join => "joining the namespaces",
            Self::Root => "changing to the target's root directory",
            Self::View => "making our view of its files read-only",
            Self::User => "becoming the target's user",
            Self::Drop => "dropping the last rights",
            Self::Descriptors => "closing descriptors",
            Self::Filter => "installing the system call filter",
            Self::Exec => "starting the helper",
        }
    }

    /// What to try.
    #[must_use]
    pub fn hint(self, errno: Errno) -> Option<String> {
        let hint = match (self, errno) {
            (Self::Join, Errno::EINVAL | Errno::ENOSYS) => "the kernel must be Linux 5.10 or newer",
            (Self::Join | Self::Root | Self::Facts, Errno::EPERM | Errno::EACCES) => {
                "a security module (AppArmor, SELinux, Yama) may forbid it; `scratchdbg doctor` tells"
            }
            (Self::Exec | Self::Program, Errno::EACCES | Errno::EPERM) => {
                "this host may forbid programs in memory; try `sysctl vm.memfd_noexec=0`"
            }
            (Self::Fork, Errno::EAGAIN) => "too many processes; end some and try again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Sends one message.
///
/// # Errors
/// As sendmsg(2); `EMSGSIZE` if it is too large.
pub fn send<T: Serialize>(link: BorrowedFd<'_>, message: &T, fd: Option<BorrowedFd<'_>>) -> Result<(), Errno> {
    let bytes = postcard::to_allocvec(message).map_err(|_| Errno::EMSGSIZE)?;
    if bytes.len() > MAX {
        return Err(Errno::EMSGSIZE);
    }
    let fds: Vec<_> = fd.iter().map(std::os::fd::AsRawFd::as_raw_fd).collect();
    let control = [ControlMessage::ScmRights(&fds)];
    let control = if fds.is_empty() { &[][..] } else { &control[..] };
    sendmsg::<()>(link.as_raw_fd(), &[IoSlice::new(&bytes)], control, MsgFlags::MSG_NOSIGNAL, None).map(drop)
}

/// Receives one message.
///
/// # Errors
/// As recvmsg(2); `EPIPE` at the end, `EPROTO` if it is no message.
pub fn receive<T: DeserializeOwned>(link: BorrowedFd<'_>) -> Result<(T, Option<OwnedFd>), Errno> {
    let mut bytes = vec![0; MAX];
    let mut space = nix::cmsg_space!([std::os::fd::RawFd; 1]);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let got = loop {
        match recvmsg::<()>(link.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC) {
            Err(Errno::EINTR) => {}
            result => break result?,
        }
    };
    let fd = got.cmsgs().map_err(|_| Errno::EPROTO)?.find_map(|message| match message {
        ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
        _ => None,
    });
    let fd = fd.map(crate::sys::own);
    let len = got.bytes;
    if len == 0 {
        return Err(Errno::EPIPE);
    }
    let message = bytes.get(..len).and_then(|bytes| postcard::from_bytes(bytes).ok()).ok_or(Errno::EPROTO)?;
    Ok((message, fd))
}

//! The worker that takes a core: it stays outside of the target, with the two rights that looking at any process takes.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::{ForkResult, Pid, alarm};

use super::message::{Refusal, Step, send};
use super::stopped;
use super::worker::{Workers, rights};
use crate::corefile::{self, Error, Order, Told};
use crate::entry::plan::Capability;
use crate::sys;

/// What looking at any process takes: its registers and memory, and what `/proc` shows to its user alone.
const NEEDED: u64 = Capability::SysPtrace.bit() | Capability::DacReadSearch.bit();
/// What is added to the pause that is allowed, in seconds: then the worker counts as stuck, and the kernel ends it.
const SLACK: u64 = 2;

/// Starts it. Gives its number, and what it tells over. Without a file to write to, it only weighs.
pub fn start(workers: &mut Workers, order: Order, out: Option<OwnedFd>) -> Result<(u32, OwnedFd), Refusal> {
    let (child, told) = fork(order, out, || rights::only(NEEDED))?;
    Ok((workers.add(child), told))
}

/// Forks it. `lower` drops every right that it does not need.
pub fn fork(
    order: Order,
    out: Option<OwnedFd>,
    lower: impl FnOnce() -> Result<(), Errno>,
) -> Result<(Pid, OwnedFd), Refusal> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|error| stopped(Step::Socket, error))?;
    let parent = rustix::process::getpid();
    match sys::fork().map_err(|error| stopped(Step::Fork, error))? {
        ForkResult::Child => {
            drop(ours);
            // Nobody may be there any more to be told.
            let tell = |told: Told| {
                let _ = send(theirs.as_fd(), &told, None);
            };
            if let Err(error) = work(&order, out, parent, lower, tell) {
                tell(Told::Failed(error));
            }
            sys::exit_now(0);
        }
        ForkResult::Parent { child } => Ok((child, ours)),
    }
}

fn work(
    order: &Order,
    out: Option<OwnedFd>,
    parent: rustix::process::Pid,
    lower: impl FnOnce() -> Result<(), Errno>,
    tell: impl Fn(Told),
) -> Result<(), Error> {
    let refused = |errno: Errno| Error::Rights { errno: errno as i32 };
    let tied = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    tied.map_err(|error| refused(super::errno(error)))?;
    if rustix::process::getppid() != Some(parent) {
        return Err(refused(Errno::ESRCH));
    }
    // The first to go when memory runs out: nothing of the target's hangs on it. And no core of its own.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(refused)?;
    lower().map_err(refused)?;
    let Some(out) = out.map(File::from) else {
        tell(Told::Weighed(corefile::weigh(order)?));
        return Ok(());
    };
    corefile::take(order, &out, |told| {
        // Stuck in the kernel, as on memory that a file system never gives, it cannot end the pause itself. SIGALRM ends
        // it, and with it the pause.
        match told {
            Told::Weighed(_) => {
                alarm::set(u32::try_from(order.pause.as_secs() + SLACK).unwrap_or(u32::MAX));
            }
            Told::Thawed(_) => {
                alarm::cancel();
            }
            Told::Written(_) | Told::Failed(_) => {}
        }
        tell(told);
    })
}

//! A core that is taken beside its process: by a worker, into a pipe.

use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pipe2};

use super::carry::{Carrier, Worker};
use super::refused;
use crate::corefile::{self, Told};
use crate::entry::beside::wire::{self, Refusal, Said};
use crate::entry::broker::{rights, snapshot};
use crate::target::HostPid;

/// Takes it.
pub fn run(order: wire::Core, keep: u64, carrier: Carrier) {
    // Whoever asked knows their own host's memory, and not this one's.
    let most = order.most.min(corefile::half_of_what_is_free());
    let wire::Core { pid, start_ticks, pause, .. } = order;
    // Here it has the number that it has inside.
    let order = corefile::Order { pid: HostPid(pid.0), start_ticks, most, pause };
    let lower = || rights::had(keep).and_then(rights::reduce);
    let begun = match pipe2(OFlag::O_CLOEXEC) {
        Ok((bytes, out)) => snapshot::fork(order, Some(out), lower).map(|(worker, told)| (bytes, worker, told)),
        Err(errno) => return carrier.refuse(Refusal::Means(errno as i32)),
    };
    match begun {
        Ok((bytes, worker, told)) => carrier.carry(&mut Taking(worker), told, Some(bytes)),
        Err(refusal) => carrier.refuse(refused(&refusal)),
    }
}

/// The worker.
struct Taking(Pid);

impl Worker for Taking {
    const SILENCE: Option<Duration> = None;
    type Told = Told;

    fn told(&mut self, told: Told) -> (Said, bool) {
        let is_last = matches!(told, Told::Written(_) | Told::Failed(_));
        (Said::Core(told), is_last)
    }

    fn end(&mut self, _: &OwnedFd) {
        // The kernel lets the process run on.
        let _ = kill(self.0, Signal::SIGKILL);
    }

    fn lost(&mut self) -> Result<OwnedFd, Said> {
        Err(Said::GivenUp)
    }
}

//! Who debugs a target's processes: the broker, from this host; or a sidecar, beside it. That is settled when the target is
//! entered, by the door. Through a pod nobody does: an ephemeral container has no debugger in it.

use nix::errno::Errno;

use super::beside::outside::Beside;
use super::{Broker, Door};
use crate::engine::{error, process};
use crate::shim::{self, Shim};
use crate::target::{ContainerPid, HostPid, Target};

/// Who debugs.
#[derive(Debug, Clone)]
pub struct Tracer(pub(super) Way);

/// How.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// The broker forks who does it.
    Local(Broker),
    /// A sidecar is made for it.
    Beside(Box<Beside>),
    /// Nobody can.
    Nobody,
}

/// A process that can be debugged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracee {
    /// As it is numbered inside.
    pub pid: ContainerPid,
    /// As it is numbered on this host, if it is one of this host.
    pub host: Option<HostPid>,
    /// When it began, in clock ticks after boot, as its tracer counts: which of all the processes that had its number.
    pub start_ticks: u64,
}

impl std::fmt::Display for Tracee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host {
            Some(host) => write!(f, "process {} ({host} on this host)", self.pid),
            None => write!(f, "process {}", self.pid),
        }
    }
}

/// Why a process cannot be told from all others.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Untold {
    /// There is none of that number.
    #[error("the process has ended")]
    Ended,
    /// It cannot be looked at from this host.
    #[error(transparent)]
    Here(#[from] error::Error),
    /// It cannot be looked at from inside.
    #[error("the process cannot be looked at: {0}")]
    Inside(shim::Error),
}

impl Tracer {
    /// Through which door that is, for whoever tells.
    #[must_use]
    pub fn door(&self) -> Door {
        match self.0 {
            Way::Local(_) => Door::Local,
            Way::Beside(_) => Door::Sidecar,
            Way::Nobody => Door::Kube,
        }
    }

    /// What to tell a person before Delve is attached, because it is so by this door alone.
    #[must_use]
    pub fn risk(&self) -> Option<&'static str> {
        match self.0 {
            Way::Local(_) | Way::Nobody => None,
            Way::Beside(_) => Some(
                "if the engine kills the sidecar (docker rm -f) while a breakpoint is set, a thread that comes to it dies, and the process with it",
            ),
        }
    }

    /// The process of a target that has this number inside, told from all later ones.
    ///
    /// # Errors
    /// See [`Untold`].
    pub async fn process(&self, shim: &Shim, target: &Target, pid: ContainerPid) -> Result<Tracee, Untold> {
        let host = target.init().and_then(|init| process::host_pids(init).get(&pid).copied());
        let start_ticks = match self.0 {
            // Whoever has come in may count from another moment (time_namespaces(7)).
            Way::Local(_) => process::find(host.ok_or(Untold::Ended)?)?.start_ticks,
            Way::Beside(_) | Way::Nobody => match shim.read(format!("/proc/{pid}/stat").as_bytes(), 4096).await {
                Ok(text) => process::start_ticks(&text).ok_or(Untold::Ended)?,
                Err(shim::Error::Errno(Errno::ENOENT | Errno::ESRCH)) => return Err(Untold::Ended),
                Err(error) => return Err(Untold::Inside(error)),
            },
        };
        Ok(Tracee { pid, host, start_ticks })
    }
}

//! Who debugs a target's processes: the broker, from this host; or this program beside it, in a sidecar or in a pod's container.
//! That is settled when the target is entered, by the door.

use nix::errno::Errno;

use super::beside::DELVE;
use super::beside::outside::{Beside, Place};
use super::{Broker, Door, Error, kube};
use crate::delve::version::Version;
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
    /// It is begun beside the target.
    Beside(Box<Beside>),
}

/// A Delve that is where the target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDelve {
    /// For a person.
    pub name: String,
    /// What it says it is.
    pub version: Version,
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
        match &self.0 {
            Way::Local(_) => Door::Local,
            Way::Beside(beside) => match beside.place {
                Place::Sidecar(_) => Door::Sidecar,
                Place::Pod(_) => Door::Kube,
            },
        }
    }

    /// What to tell a person before Delve is attached, because it is so by this door alone.
    #[must_use]
    pub fn risk(&self) -> Option<&'static str> {
        match &self.0 {
            Way::Local(_) => None,
            Way::Beside(beside) => Some(match beside.place {
                Place::Sidecar(_) => {
                    "if the engine kills the sidecar (docker rm -f) while a breakpoint is set, a thread that comes to it dies, and the process with it"
                }
                Place::Pod(_) => {
                    "if the node kills what was added to the pod (for want of memory: dlv counts against the pod's limit) while a breakpoint is set, a thread that comes to it dies, and the process with it"
                }
            }),
        }
    }

    /// The Delve that debugs live processes, where it is not one of this host. `asked` is whether one of this host was named.
    ///
    /// # Errors
    /// If one was named, or there is none.
    pub async fn own_delve(&self, asked: bool) -> Result<Option<OwnDelve>, Error> {
        let Some(debugger) = self.debugger() else { return Ok(None) };
        let failed = |error| Error::Pod(Box::new(error));
        if asked {
            return Err(failed(kube::Error::OtherDelve));
        }
        let version = debugger.delve().await.map_err(failed)?;
        Ok(Some(OwnDelve { name: format!("{DELVE} in {}", debugger.holder()), version }))
    }

    /// Whether a debug file can be given to that.
    #[must_use]
    pub fn takes_debug_files(&self) -> bool {
        self.debugger().is_none()
    }

    fn debugger(&self) -> Option<&kube::Debugger> {
        match &self.0 {
            Way::Beside(beside) => match &beside.place {
                Place::Pod(debugger) => Some(debugger),
                Place::Sidecar(_) => None,
            },
            Way::Local(_) => None,
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
            Way::Beside(_) => match shim.read(format!("/proc/{pid}/stat").as_bytes(), 4096).await {
                Ok(text) => process::start_ticks(&text).ok_or(Untold::Ended)?,
                Err(shim::Error::Errno(Errno::ENOENT | Errno::ESRCH)) => return Err(Untold::Ended),
                Err(error) => return Err(Untold::Inside(error)),
            },
        };
        Ok(Tracee { pid, host, start_ticks })
    }
}
